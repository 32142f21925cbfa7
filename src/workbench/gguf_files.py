"""Write a registered GGUF model again with its matrices in another type: what did the bits do, and what the engine?"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from workbench.llama import _reader, dequantized
from workbench.models import model_file


def rewrite_gguf(folder: Path, kind: str, name: str = "smollm2", changes: Mapping | None = None) -> Path:
    """Write the model to `folder`/`kind`.gguf, matrices as `kind` ("F32", "F16", "Q8_0", …); vectors stay float32.

    The numbers are those of the registered file, dequantized, and for narrower types rounded once more.
    changes: name of a tensor → what is added to it before (see `adapter_files.changes`).
    Raises like `model_file`, and KeyError for a type that GGUF does not know.
    """
    import gguf

    wanted, path = gguf.GGMLQuantizationType[kind], Path(folder) / f"{kind}.gguf"
    fields, tensors = _read(model_file(name))
    writer = gguf.GGUFWriter(str(path), fields["general.architecture"][0])
    for key, field in fields.items():
        if key != "general.architecture":  # the writer has said it
            writer.add_key_value(key, *field)
    for tensor in tensors:
        values = dequantized(tensor) + (changes or {}).get(tensor.name, 0)
        if values.ndim == 2:
            writer.add_tensor(tensor.name, gguf.quantize(values, wanted), raw_dtype=wanted)
        else:
            writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@lru_cache(maxsize=1)  # reading the header is the slow part, and a chapter writes more than one file
def _read(path: Path) -> tuple[dict, list]:
    """(name → what the header says, its type and its items' type; the tensors) of a file, for one more writing."""
    import gguf

    reader, fields = _reader(path), {}
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.file_type":  # what the writer says, what is no longer true
            inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            fields[name] = (field.contents(), field.types[0], inner)
    return fields, reader.tensors
