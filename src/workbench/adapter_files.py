"""LoRA adapters as files: read peft's safetensors, write llama.cpp's GGUF, compute what an adapter adds to a matrix.

A pickle is refused by its name, before it is opened: reading one runs what stands in it.
"""

import re
from pathlib import Path

import numpy as np

from workbench.errors import WorkbenchError
from workbench.llama import INNER
from workbench.models import model_file

PLACE = re.compile(r"layers\.(\d+)\.(.+)\.lora_([AB])\.weight$")
OURS = {theirs: ours for ours, theirs in INNER.items()}  # "self_attn.q_proj" → "attn_q"


def read_adapter(path: Path) -> dict[str, np.ndarray]:
    """peft's name → numbers, float32.  Raises WorkbenchError for what is not a safetensors file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if path.suffix != ".safetensors":
        raise WorkbenchError(f"{path.name}: only safetensors are read, a pickle runs code when it is opened")
    try:
        return {name: array.astype(np.float32) for name, array in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise WorkbenchError(f"{path.name} is no safetensors file: {error}") from None


def pairs(numbers: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """GGUF's tensor name → A (r, in), B (out, r), B's rows in llama.cpp's order.  Raises WorkbenchError."""
    sides: dict[str, dict] = {}
    for name, array in numbers.items():
        found = PLACE.search(name)
        if not found or found[2] not in OURS:
            raise WorkbenchError(f"{name} is no adapter of a matrix of this model")
        sides.setdefault(f"blk.{found[1]}.{OURS[found[2]]}.weight", {})[found[3]] = array
    if lone := [name for name, both in sides.items() if len(both) < 2]:
        raise WorkbenchError(f"{lone[0]} has one half of an adapter only")
    heads = _heads()
    return {name: (both["A"], _side_by_side(both["B"], heads.get(name.split(".")[2]))) for name, both in sides.items()}


def changes(numbers: dict[str, np.ndarray], scale: float) -> dict[str, np.ndarray]:
    """GGUF's tensor name → what the adapter adds to it: scale · B A, (out, in)."""
    return {name: np.float32(scale) * (b @ a) for name, (a, b) in pairs(numbers).items()}


def write_adapter(numbers: dict[str, np.ndarray], path: Path, alpha: float) -> Path:
    """Write an adapter as llama.cpp reads it beside a model (`--lora`); its scale there is alpha / rank."""
    import gguf

    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for name, (a, b) in pairs(numbers).items():
        writer.add_tensor(f"{name}.lora_a", np.ascontiguousarray(a, np.float32))
        writer.add_tensor(f"{name}.lora_b", np.ascontiguousarray(b, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _heads() -> dict[str, int]:
    """How many heads the rows of queries and keys belong to."""
    from workbench.llama import _reader

    reader = _reader(model_file("smollm2"))
    fields = {"attn_q": "llama.attention.head_count", "attn_k": "llama.attention.head_count_kv"}
    return {name: reader.get_field(key).contents() for name, key in fields.items()}


def _side_by_side(rows: np.ndarray, heads: int | None) -> np.ndarray:
    """Rows from transformers' order, first halves then second, to llama.cpp's, rotated pairs side by side.  (n, d)."""
    if heads is None:
        return rows
    count, width = rows.shape
    return rows.reshape(heads, 2, count // heads // 2, width).swapaxes(1, 2).reshape(count, width)
