"""What went wrong, in one line, with its cure."""


class WorkbenchError(Exception):
    """Bad input or a missing thing.  The command line prints it on one line and exits with `exit_code`."""

    exit_code = 2

    def __init__(self, message: str, cure: str = ""):
        self.message, self.cure = " ".join(message.split()), " ".join(cure.split())
        super().__init__(f"{self.message} — {self.cure}" if self.cure else self.message)


class UnknownNameError(WorkbenchError):
    """A name that is not in its list; the message names the closest ones."""

    def __init__(self, kind: str, name: str, known):
        from difflib import get_close_matches

        known = sorted(map(str, known))
        near = get_close_matches(str(name), known, n=3, cutoff=0.4) or known[:8]
        super().__init__(f"unknown {kind} '{name}'", f"known: {', '.join(near) or 'none'}")


class CheckFailedError(WorkbenchError):
    """The input was good and the answer is no: a notebook that differs, a test that fails."""

    exit_code = 1
