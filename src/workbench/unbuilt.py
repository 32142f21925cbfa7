"""Source distributions through pip, with nothing of them run.

pip asks a source distribution for its metadata before it keeps the file, and to answer, the package's own build
code would run.  Here a stand-in of a few lines answers instead, from the PKG-INFO file that every archive carries.
"""

import os
import sys
from pathlib import Path

PIP_SOURCE = (
    *(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:"),
    *("--no-build-isolation", "--use-pep517"),
)
BACKENDS = ("setuptools/build_meta.py", "flit_core/buildapi.py", "hatchling/build.py")
STAND_IN = """
import email, pathlib, shutil

def prepare_metadata_for_build_wheel(folder, settings=None):
    told = email.message_from_string(pathlib.Path("PKG-INFO").read_text(encoding="utf-8"))
    info = pathlib.Path(folder, f"{told['Name'].replace('-', '_')}-{told['Version']}.dist-info")
    info.mkdir()
    shutil.copy("PKG-INFO", info / "METADATA")
    return info.name

class __legacy__:
    prepare_metadata_for_build_wheel = staticmethod(prepare_metadata_for_build_wheel)
"""


def environment(folder: Path) -> dict[str, str]:
    """Write the stand-in under the names of the usual build backends; the environment in which pip finds it first."""
    for backend in BACKENDS:
        path = folder / backend
        path.parent.mkdir(parents=True)
        (path.parent / "__init__.py").touch()
        path.write_text(STAND_IN)
    return {**os.environ, "PYTHONPATH": str(folder)}
