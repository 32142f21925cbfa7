"""The inside of a server's process: `python -m workbench.served FOLDER`, started by `workbench.serving`."""

import json
import os
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path

HOST = "127.0.0.1"


def main(folder: Path) -> None:
    """Unpickle what to serve, serve it, and write `ready.json` once it answers."""
    kind, build, args, options, threads = pickle.loads((folder / "app.pickle").read_bytes())

    def announce(url: str, **facts) -> None:
        partial = folder / "ready.partial"
        partial.write_text(json.dumps({"url": url, "pid": os.getpid(), **facts}))
        partial.replace(folder / "ready.json")

    if kind == "asgi":
        from workbench.opening import pin_threads

        pin_threads(threads)
        app = build(*args, **options)
        pin_threads(threads)  # also what `build` has loaded
        run_asgi(app, announce)
    else:
        build(*args, **options, announce=announce)


def run_asgi(app: Callable, announce: Callable) -> None:
    """Run the app in uvicorn on a free port until the process is ended."""
    import uvicorn

    class Announced(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            if self.started:
                host, port = self.servers[0].sockets[0].getsockname()
                announce(f"http://{host}:{port}")

    settings = uvicorn.Config(
        app, host=HOST, port=0, log_level="warning", access_log=False, timeout_graceful_shutdown=1
    )
    Announced(settings).run()


def run_llama(
    path: str, *, threads: int, slots: int, context: int, name: str, adapters: tuple[str, ...], announce: Callable
) -> None:
    """Run llama.cpp's own HTTP server over the GGUF file at `path` until the process is ended."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = path, {name}
    params.hostnames, params.port = [HOST], 0
    params.n_parallel, params.n_ctx, params.n_gpu_layers = slots, slots * context, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    if adapters:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(adapter, 0.0) for adapter in adapters]
    server = xllamacpp.Server(params)
    announce(server.listening_address, model=name)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
