"""The first act of every chapter: pin the threads, choose the sizes, say where we are."""

import html
import os
import sys
from types import SimpleNamespace

from workbench import provenance
from workbench.profiles import get_profile


def prepare(profile: str, sizes: dict[str, dict], *, seed: int = 0, threads: int = 1) -> SimpleNamespace:
    """Show the sizes of each profile and this machine; pin threads; return the chosen sizes.

    sizes: profile name → {what: size}; every profile names the same sizes.
    Returns the row of `profile` as attributes.  Raises UnknownNameError, or ValueError for uneven rows.
    """
    from IPython.display import display

    get_profile(profile)
    if len({tuple(row) for row in sizes.values()}) > 1:
        raise ValueError("every profile must name the same sizes, in the same order")
    row = sizes.get(profile, sizes["cpu"])
    pin_threads(threads)
    found = provenance.record(profile, seed, threads)
    provenance.set_current(found)
    display(_Sizes(profile, sizes, found))
    return SimpleNamespace(**row)


_limits = []  # threadpoolctl's limiters live as long as the process


def pin_threads(threads: int) -> None:
    """Give BLAS, OpenMP and torch exactly `threads` threads, also for libraries loaded later."""
    from threadpoolctl import threadpool_limits

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    _limits.append(threadpool_limits(threads))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


class _Sizes:
    def __init__(self, profile, sizes, found):
        self.profile, self.sizes, self.found = profile, sizes, found

    def __repr__(self) -> str:
        """The same on every machine, so that it can be compared."""
        chosen = ", ".join(f"{name} = {value}" for name, value in self.sizes.get(self.profile, {}).items())
        return f"profile {self.profile}, seed {self.found['seed']}, threads {self.found['threads']}: {chosen}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": repr(self), "text/html": self._html(), provenance.MIME: self.found}

    def _html(self) -> str:
        names = list(next(iter(self.sizes.values())))
        head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
        rows = "".join(
            f"<tr{' class=wb-chosen' if name == self.profile else ''}><th>{name}</th>"
            + "".join(f"<td>{html.escape(str(value))}</td>" for value in row.values())
            + "</tr>"
            for name, row in self.sizes.items()
        )
        gpu = f", {self.found['gpu']}" if self.found["gpu"] else ""
        threads = f"{self.found['threads']} thread" + ("s" if self.found["threads"] > 1 else "")
        flags = ", ".join(self.found["flags"]) or "no vector extensions found"
        return (
            f'<table class="wb-sizes"><thead><tr><th>profile</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
            f'<p class="wb-machine">This run: profile <b>{self.profile}</b>, seed {self.found["seed"]}, '
            f"{threads} on {html.escape(self.found['cpu'])}, {self.found['cores']} cores "
            f"({flags}){html.escape(gpu)}, {self.found['memory_gb']} GB, "
            f"load {self.found['load']} in the minute before.</p>"
        )
