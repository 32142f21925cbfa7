"""The three sizes at which every chapter runs."""

from dataclasses import dataclass

from workbench.errors import UnknownNameError


@dataclass(frozen=True)
class Profile:
    """How large, for how long, on what."""

    name: str
    purpose: str
    device: str  # torch's name: "cpu" or "cuda"
    budget_s: float  # a notebook's time on 2 cores
    memory_mb: int  # a notebook's peak memory
    claims: bool  # are its sizes large enough to claim anything?

    def slow(self, seconds: float) -> str:
        """A line about a notebook that took longer than it may, else ""."""
        return f"{seconds:.0f} s of {self.budget_s:g} s" if seconds > self.budget_s else ""

    def large(self, peak_mb: float) -> str:
        """A line about a notebook that held more memory than it may, else ""."""
        return f"{peak_mb:,.0f} MB of {self.memory_mb:,} MB" if peak_mb > self.memory_mb else ""


PROFILES = {
    "smoke": Profile("smoke", "does every cell run? tiny sizes, nothing is claimed", "cpu", 15, 4096, False),
    "cpu": Profile("cpu", "a laptop; the book's numbers", "cpu", 90, 4096, True),
    "gpu": Profile("gpu", "a CUDA machine; published beside the cpu numbers", "cuda", 300, 16384, True),
}
DEFAULT = "cpu"


def get_profile(name: str) -> Profile:
    """The profile called `name`.  Raises UnknownNameError."""
    if name not in PROFILES:
        raise UnknownNameError("profile", name, PROFILES)
    return PROFILES[name]
