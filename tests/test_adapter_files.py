"""An adapter on disk: only safetensors are read, and llama.cpp's form holds the same numbers in its own order."""

import pickle

import gguf
import numpy as np
import pytest
from safetensors.numpy import save_file

from workbench.adapter_files import _side_by_side, changes, pairs, read_adapter, write_adapter
from workbench.errors import WorkbenchError
from workbench.llama import _halves

NAME = "base_model.model.model.layers.{}.{}.lora_{}.weight"


def numbers(layer=20, module="self_attn.q_proj", shape=(576, 576), r=4):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(r, shape[1])), rng.normal(size=(shape[0], r))
    return {NAME.format(layer, module, side): array.astype(np.float16) for side, array in (("A", a), ("B", b))}


@pytest.mark.parametrize("name", ["adapter_model.bin", "adapter.pt", "checkpoint.pkl", "training_args"])
def test_a_pickle_is_refused_by_its_name_and_never_opened(tmp_path, name):
    class Payload:
        def __reduce__(self):
            return (tmp_path / "ran").touch, ()

    (tmp_path / name).write_bytes(pickle.dumps(Payload()))
    with pytest.raises(WorkbenchError, match="only safetensors are read, a pickle runs code") as caught:
        read_adapter(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_pickle_under_another_name_is_no_safetensors_file(tmp_path):
    path = tmp_path / "adapter.safetensors"
    path.write_bytes(pickle.dumps({"lora_A": 1}))
    with pytest.raises(WorkbenchError, match="is no safetensors file"):
        read_adapter(path)


def test_halves_are_read_in_32_bits(tmp_path):
    save_file(numbers(), tmp_path / "a.safetensors")
    read = read_adapter(tmp_path / "a.safetensors")
    assert {array.dtype for array in read.values()} == {np.dtype(np.float32)}


def test_rows_in_the_engines_order_come_back_in_transformers_order():
    rows = np.arange(192 * 3.0).reshape(192, 3)
    np.testing.assert_array_equal(_halves(_side_by_side(rows, 3), 3), rows)


def test_what_is_added_to_a_matrix_is_b_times_a_times_the_scale():
    some = numbers(module="mlp.up_proj", shape=(1536, 576))
    a, b = some[NAME.format(20, "mlp.up_proj", "A")], some[NAME.format(20, "mlp.up_proj", "B")]
    found = changes(some, 2.0)
    assert list(found) == ["blk.20.ffn_up.weight"]
    np.testing.assert_allclose(found["blk.20.ffn_up.weight"], 2 * (b.astype(float) @ a), rtol=1e-3, atol=1e-2)


def test_half_an_adapter_or_a_foreign_name_is_refused():
    some = numbers()
    with pytest.raises(WorkbenchError, match="one half"):
        pairs(dict(list(some.items())[:1]))
    with pytest.raises(WorkbenchError, match="no adapter of a matrix"):
        pairs({"base_model.model.lm_head.lora_A.weight": next(iter(some.values()))})


def test_the_engines_file_says_what_it_is_and_holds_both_sides(tmp_path):
    path = write_adapter(numbers(), tmp_path / "a.gguf", alpha=8)
    file = gguf.GGUFReader(str(path))
    said = {key: file.get_field(key).contents() for key in ("general.type", "adapter.type", "adapter.lora.alpha")}
    assert said == {"general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": 8.0}
    shapes = {tensor.name: tuple(tensor.data.shape) for tensor in file.tensors}
    assert shapes == {"blk.20.attn_q.weight.lora_a": (4, 576), "blk.20.attn_q.weight.lora_b": (576, 4)}
