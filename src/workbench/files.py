"""Files that are there whole or not at all, whoever reads or writes beside."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from workbench.errors import WorkbenchError


def show_path(path: Path) -> str:
    """The last two parts, which name a file well enough in a message: "notebooks/22_x.ipynb"."""
    return "/".join(Path(path).parts[-2:])


@contextmanager
def at_once(path: Path) -> Iterator[BinaryIO]:
    """A file to write bytes to, which takes the place of `path` at the end; what fails leaves what was there.

    Two processes may write the same path: each replaces it by a whole file.  Raises WorkbenchError when the disk does
    not take it.
    """
    partial = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except OSError as problem:
        raise WorkbenchError(
            f"cannot write {show_path(path)}: {problem.strerror}; what was there is untouched", "free some disk space"
        ) from None
    finally:
        if partial:
            Path(partial).unlink(missing_ok=True)


def write_bytes(content: bytes, path: Path) -> None:
    """Write a whole file.  Raises WorkbenchError."""
    with at_once(path) as file:
        file.write(content)


def write_text(content: str, path: Path) -> None:
    """Write a whole text file, in UTF-8.  Raises WorkbenchError."""
    write_bytes(content.encode("utf-8"), path)
