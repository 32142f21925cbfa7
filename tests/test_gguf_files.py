"""A rewritten GGUF file holds the same model, in the type that was asked for."""

import gguf
import numpy as np
import pytest

from workbench import rewrite_gguf
from workbench.llama import _reader
from workbench.models import model_file


@pytest.mark.slow
def test_a_rewritten_file_has_the_same_fields_and_the_same_numbers(tmp_path):
    old = _reader(model_file("smollm2"))
    new = _reader(rewrite_gguf(tmp_path, "Q8_0"))
    assert {"general.file_type"} >= set(old.fields) - set(new.fields)
    assert new.get_field("tokenizer.ggml.tokens").contents() == old.get_field("tokenizer.ggml.tokens").contents()
    assert [t.name for t in new.tensors] == [t.name for t in old.tensors]
    for a, b in list(zip(old.tensors, new.tensors, strict=True))[:12]:
        x, y = (gguf.dequantize(t.data, t.tensor_type).astype(np.float32) for t in (a, b))
        assert b.tensor_type.name == ("Q8_0" if x.ndim == 2 else "F32")
        step = np.abs(x).max() / 127  # no group's step is wider than this
        np.testing.assert_allclose(x, y, atol=0.51 * step if x.ndim == 2 else 0)


def test_a_type_that_gguf_does_not_know_is_refused(tmp_path):
    with pytest.raises(KeyError, match="int9"):
        rewrite_gguf(tmp_path, "int9")
