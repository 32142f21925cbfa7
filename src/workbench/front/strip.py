"""The notebook cleaner before a commit: `python -m workbench.front.strip FILE…`.

Drops what a machine wrote into metadata (timings, widget state, language versions).  A chapter keeps its reference
outputs, which only `workbench refresh` writes; a solution or exercise is committed without any.
"""

import sys
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.runner import notebooks


def strip(path: Path) -> bool:
    """Clean the notebook in place; was anything changed?  Raises WorkbenchError for one that cannot be read."""
    nb = notebooks.read(path)
    before = notebooks.text(nb)
    keep_outputs = path.resolve().parent.name == "notebooks"
    after = notebooks.text(notebooks.strip_volatile(nb) if keep_outputs else notebooks.clean(nb))
    if after != before:
        notebooks.write_text(after, path)
    return after != before


def main(names: list[str]) -> int:
    """Clean each file and name those that changed; 1 when one did, so that the commit is looked at again."""
    changed = [name for name in names if strip(Path(name))]
    for name in changed:
        print(f"cleaned: {name}")
    return bool(changed)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except WorkbenchError as problem:
        sys.exit(f"error: {problem}")
