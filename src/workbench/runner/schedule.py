"""In which order and where notebooks run: threads of this process, or a Dask cluster.

Notebooks that measure time run with nothing beside them, the others side by side.  Both schedulers yield
(name, Outcome) as notebooks end.  Dask's executor is the only distribution layer: a job goes out as plain data and an
outcome comes back; the workers need the same checkout and nothing else.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event

from workbench.errors import WorkbenchError
from workbench.provenance import cores, gpu_names
from workbench.runner import engine
from workbench.runner.keys import checkout_digest

OnCell = Callable[[str, int, int], None]
OnStart = Callable[[str], None]


class StoppedError(Exception):
    """Raised in a notebook's thread when the whole run is being stopped."""


def here(
    together: list[engine.Job], alone: list[engine.Job], on_start: OnStart, on_cell: OnCell
) -> Iterator[tuple[str, engine.Outcome]]:
    """Run jobs in this process's threads: `together` on all cores, then each of `alone` by itself."""
    active, stopping = set(), Event()

    def one(job: engine.Job) -> tuple[str, engine.Outcome]:
        on_start(job.name)
        return job.name, engine.execute(job, lambda k, n: _report(stopping, on_cell, job.name, k, n), active)

    with ThreadPoolExecutor(cores(), thread_name_prefix="notebook") as pool:
        try:
            for future in as_completed([pool.submit(one, job) for job in together]):
                yield future.result()
            for job in alone:  # the next starts when the last one's result is written
                yield pool.submit(one, job).result()
        except BaseException:  # Ctrl-C, a full disk, a generator closed early: no kernel survives it
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for session in list(active):
                session.kill()
            raise


def _report(stopping: Event, on_cell: OnCell, name: str, k: int, n: int) -> None:
    if stopping.is_set():
        raise StoppedError
    on_cell(name, k, n)


def on_cluster(
    client, together: list[engine.Job], alone: list[engine.Job], on_start: OnStart
) -> Iterator[tuple[str, engine.Outcome]]:
    """Run jobs on a Dask cluster; a job of `alone` has one host to itself.  No word comes from single cells.

    On an interrupt what waits is cancelled; a kernel at work on a worker ends by itself or by its time limit.
    """
    from distributed import as_completed as dask_completed

    names = {}
    for job in together:
        on_start(job.name)
        names[client.submit(engine.execute, job, pure=False, key=f"notebook-{job.name}-{id(job)}")] = job.name
    try:
        for future in dask_completed(list(names), loop=client.loop):
            yield names[future], _outcome(future)
        yield from _one_a_host(client, alone, on_start)
    except BaseException:
        client.cancel(list(names))
        raise


def _one_a_host(client, jobs: list[engine.Job], on_start: OnStart) -> Iterator[tuple[str, engine.Outcome]]:
    """As many jobs at a time as there are hosts, never two on one."""
    from distributed import as_completed as dask_completed

    waiting, hosts, running = list(jobs), _hosts(client), dask_completed(loop=client.loop)
    where = {}

    def send(host: str) -> None:
        job = waiting.pop(0)
        on_start(job.name)
        future = client.submit(engine.execute, job, workers=hosts[host], pure=False)
        where[future] = (job.name, host)
        running.add(future)

    for host in list(hosts)[: len(waiting)]:
        send(host)
    for future in running:
        name, host = where.pop(future)
        if waiting:
            send(host)
        yield name, _outcome(future)


def _hosts(client) -> dict[str, list[str]]:
    """Host → addresses of its workers."""
    hosts: dict[str, list[str]] = {}
    for address, worker in client.scheduler_info(n_workers=-1)["workers"].items():
        hosts.setdefault(worker["host"], []).append(address)
    return hosts


def _outcome(future) -> engine.Outcome:
    """The job's outcome; a worker that was lost is one too."""
    try:
        return future.result()
    except Exception as error:
        line = " ".join(str(error).split())[:200]
        return engine.Outcome("died", f"the worker was lost: {type(error).__name__}: {line}")


def connect(address: str):
    """A Dask client of a cluster whose every worker has this checkout.  Raises WorkbenchError."""
    from distributed import Client

    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TimeoutError) as problem:
        raise WorkbenchError(f"no Dask scheduler at {address}: {problem}", "start one with: dask scheduler") from None
    try:
        _refuse_strangers(client)
    except BaseException:
        client.close()
        raise
    return client


def _refuse_strangers(client) -> None:
    try:
        digests = client.run(checkout_digest)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise WorkbenchError(
            f"a worker cannot import workbench: {why}", "install the checkout on each worker"
        ) from None
    if not digests:
        raise WorkbenchError("the Dask scheduler has no worker", "start one with: dask worker ADDRESS")
    others = [address for address, digest in digests.items() if digest != checkout_digest()]
    if others:
        raise WorkbenchError(f"another checkout of workbench on {', '.join(others)}", "use the same commit everywhere")


def cluster_gpus(client) -> list[str]:
    """CUDA devices of a cluster; empty unless every worker has one."""
    found = client.run(gpu_names)
    return [name for names in found.values() for name in names] if all(found.values()) else []
