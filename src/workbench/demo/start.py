"""Start the page on this machine only, on a free port, without telling anybody."""

import socket
import subprocess
import sys
from pathlib import Path

from workbench.beir import load_beir
from workbench.errors import WorkbenchError

HOST = "127.0.0.1"
OPTIONS = {
    "server.address": HOST,
    "browser.serverAddress": HOST,  # else it asks the world for this machine's address
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "logger.level": "error",
}


def command(port: int, folder: Path | None = None) -> list[str]:
    """The command that serves the page; folder: a BEIR collection in place of the book's manuals."""
    options = [f"--{name}={value}" for name, value in (OPTIONS | {"server.port": port}).items()]
    page = Path(__file__).with_name("page.py")
    return [sys.executable, "-m", "streamlit", "run", str(page), *options, "--", *([str(folder)] if folder else [])]


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return found.getsockname()[1]


def run(port: int = 0, folder: Path | None = None, say=print) -> None:
    """Serve until interrupted.  Raises WorkbenchError for a bad collection, a taken port, or a server that fails."""
    if folder:
        load_beir(folder)
    port = port or free_port()
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except (OSError, OverflowError) as problem:
            raise WorkbenchError(
                f"port {port} cannot be used: {problem}", "leave --port out: a free one is found"
            ) from None
    say(f"open http://{HOST}:{port} (stop with Ctrl-C)")
    try:
        code = subprocess.run(command(port, folder), stdout=subprocess.DEVNULL).returncode
    except KeyboardInterrupt:
        return
    if code:
        raise WorkbenchError(f"the page ended with code {code}", "workbench doctor says what is missing")
