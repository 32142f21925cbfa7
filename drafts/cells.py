"""A notebook as one text file, and back: easier to write by hand than JSON.

    python cells.py dump notebook.ipynb > cells.txt
    python cells.py build cells.txt notebook.ipynb

A cell begins with a line `%% md id` or `%% code id {"tags": [...], "mystnb": {...}}` (its metadata, as JSON).  The
file may begin with `%% meta {...}`: the notebook's `workbench` metadata.
"""

import json
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def dump(path):
    nb = nbformat.read(path, 4)
    lines = [f"%% meta {json.dumps(nb.metadata.get('workbench', {}), ensure_ascii=False)}"]
    for cell in nb.cells:
        kind = "md" if cell.cell_type == "markdown" else "code"
        meta = json.dumps(cell.metadata, ensure_ascii=False) if cell.metadata else ""
        lines += [f"%% {kind} {cell.id} {meta}".rstrip(), cell.source, ""]
    return "\n".join(lines)


def build(text):
    nb, cells = new_notebook(), []
    nb.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for block in ("\n" + text).split("\n%% ")[1:]:
        head, _, body = block.partition("\n")
        kind, _, rest = head.partition(" ")
        if kind == "meta":
            nb.metadata["workbench"] = json.loads(rest)
            continue
        name, _, meta = rest.partition(" ")
        make = new_markdown_cell if kind == "md" else new_code_cell
        cells.append(make(body.strip("\n"), id=name, metadata=json.loads(meta) if meta else {}))
    nb.cells = cells
    return nb


if __name__ == "__main__":
    if sys.argv[1] == "dump":
        print(dump(sys.argv[2]))
    else:
        nbformat.write(build(Path(sys.argv[2]).read_text(encoding="utf-8")), sys.argv[3])
