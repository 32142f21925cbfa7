"""Which machine, which code: the record that travels with every number."""

import datetime as dt
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "torch", "onnxruntime", "transformers", "scikit-learn", "papermill")
FLAGS = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimddp",
    "i8mm",
)
MIME = "application/vnd.workbench.provenance+json"


@lru_cache(maxsize=1)
def cpu() -> dict:
    """The processor's name and those of its instruction sets that decide a chapter's result."""
    name, flags = _linux_cpu(Path("/proc/cpuinfo")) or _any_cpu()
    known = {flag.replace("-", "_").lower() for flag in flags}
    known |= {"avx512_vnni"} if "avx512vnni" in known else set()
    return {"cpu": name, "flags": [f for f in FLAGS if f in known]}


def _linux_cpu(listing: Path) -> tuple[str, list[str]] | None:
    """(name, flags) as Linux on x86 lists them; None elsewhere.  A second faster than asking py-cpuinfo."""
    if not listing.is_file():
        return None
    fields = dict(re.findall(r"^(model name|flags)\s*:\s*(.+)$", listing.read_text(), flags=re.M))
    return (fields["model name"], fields["flags"].split()) if len(fields) == 2 else None


def _any_cpu() -> tuple[str, list[str]]:
    import cpuinfo

    info = cpuinfo.get_cpu_info()
    return info.get("brand_raw") or platform.machine(), info.get("flags", [])


@lru_cache(maxsize=1)
def gpu() -> str | None:
    """The first CUDA device's name, or None."""
    return next(iter(gpu_names()), None)


def gpu_names() -> list[str]:
    """The CUDA devices that the driver's own tool lists, without importing torch; empty when there is none."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") or not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def memory_gb() -> float:
    import psutil

    return round(psutil.virtual_memory().total / 2**30, 1)


def machine_name(cpu_name: str, core_count: int, flags: list[str]) -> str:
    """A short name for a kind of machine: ("AMD EPYC 7B13 64-Core", 2, ["avx2"]) → "amd-epyc-7b13-2c-avx2"."""
    words = re.sub(r"\((R|TM)\)|\bCPU\b|\bProcessor\b|\d+-Core|@.*", " ", cpu_name, flags=re.I)
    return "-".join([*re.findall(r"[a-z0-9]+", words.lower())[:4], f"{core_count}c", instruction_tier(flags)])


def instruction_tier(flags: list[str]) -> str:
    """The widest instruction set that decides integer speed: amx > vnni > avx512 > avx2, or neon, or base."""
    tiers = {"amx": {"amx_int8"}, "vnni": {"avx512_vnni", "avx_vnni"}, "avx512": {"avx512f"}, "avx2": {"avx2"}}
    tiers |= {"i8mm": {"i8mm"}, "neon": {"asimd"}}
    return next((name for name, needed in tiers.items() if needed & set(flags)), "base")


def machine(profile: str = "cpu") -> str:
    """This machine's short name; under the gpu profile its card's, too, since such a chapter measures both."""
    host = machine_name(cpu()["cpu"], cores(), cpu()["flags"])
    if profile == "gpu" and gpu():
        return "-".join([*re.findall(r"[a-z0-9]+", gpu().lower())[:4], "on", host])
    return host


def commit(folder: Path | None = None) -> str:
    """The checkout's commit, with "+" when files differ from it; "unknown" outside a checkout."""
    git = ["git", "-C", str(folder or Path(__file__).parent)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, timeout=20)
        dirty = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "") if head.returncode == 0 else "unknown"


def packages(names=PACKAGES) -> dict[str, str]:
    """Installed versions of the packages that move a number."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def record(profile: str, seed: int, threads: int) -> dict:
    """Everything needed to say where a number comes from.  Holds no host name, user name or path."""
    return {
        "machine": machine(profile), **cpu(), "cores": cores(), "threads": threads, "memory_gb": memory_gb(),
        "gpu": gpu(), "os": f"{platform.system()} {platform.machine()}", "python": platform.python_version(),
        "packages": packages(), "commit": commit(), "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None, "profile": profile, "seed": seed,
    }  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """A yes or no about this machine, with the words for it."""

    true: bool
    words: str

    def __bool__(self) -> bool:
        return self.true

    def __and__(self, other: "Condition") -> "Condition":
        """Both; the words are those of the one that fails."""
        return other if self.true else self


def cpu_has(flag: str) -> Condition:
    """Only machines whose processor has `flag`, for `claim(only_if=…)`.  flag: one of FLAGS."""
    return Condition(flag in _known(flag), f"needs a processor with {flag}")


def cpu_lacks(flag: str) -> Condition:
    """Only machines whose processor lacks `flag`, for `claim(only_if=…)`.  flag: one of FLAGS."""
    return Condition(flag not in _known(flag), f"is about processors without {flag}")


def made_by(maker: str) -> Condition:
    """Only machines whose processor is of this maker, for `claim(only_if=…)`.  maker: as in its name, "AMD"."""
    return Condition(maker in cpu()["cpu"], f"is about {maker}'s processors")


def not_made_by(maker: str) -> Condition:
    """Only machines whose processor is of any other maker."""
    return Condition(maker not in cpu()["cpu"], f"is about processors other than {maker}'s")


def on_card(capability: float = 0.0) -> Condition:
    """Only runs of the gpu profile, on a card of at least this CUDA compute capability (8.9 and later have fp8)."""
    at_least = f" of compute capability {capability:g} or more" if capability else ""
    found = card_capability() if current().get("profile") == "gpu" else None
    return Condition(found is not None and found >= capability, f"needs the gpu profile and a CUDA card{at_least}")


def card_capability() -> float | None:
    """The first card's CUDA compute capability, such as 9.0; None without a card that torch can use."""
    import torch

    if not torch.cuda.is_available():
        return None
    major, minor = torch.cuda.get_device_capability()
    return major + minor / 10


def _known(flag: str) -> list[str]:
    if flag not in FLAGS:
        from workbench.errors import UnknownNameError

        raise UnknownNameError("instruction set", flag, FLAGS)
    return cpu()["flags"]


_current: dict = {}


def set_current(provenance: dict) -> None:
    """Remember the notebook's provenance, so that its claims carry profile and machine."""
    _current.clear()
    _current.update(provenance)


def current() -> dict:
    """The provenance that `prepare` recorded in this process; empty before."""
    return dict(_current)
