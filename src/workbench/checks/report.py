"""How a check answers a learner: a tick, a hint that names what is wrong, or "not implemented yet"."""

import html
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps

MIME = "application/vnd.workbench.check+json"
MARKS = {True: "✓", False: "✗", None: "○"}


class Hint(Exception):  # noqa: N818 - it is one: a hint for the learner, not an error of the program
    """Raised by a check to refuse an answer; its text tells the learner what to look at."""


@dataclass(frozen=True)
class Report:
    """One answer of one check.  passed: None when the exercise is not implemented yet."""

    exercise: str
    name: str
    passed: bool | None
    message: str

    def __repr__(self) -> str:
        return f"{MARKS[self.passed]} {self.exercise} {self.message}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        kind = {True: "passed", False: "refused", None: "open"}[self.passed]
        card = f'<div class="wb-check wb-check-{kind}">{html.escape(repr(self))}</div>'
        return {"text/plain": repr(self), "text/html": card, MIME: asdict(self)}


def check(exercise: str) -> Callable:
    """Decorate a check of exercise "NN.k": it raises Hint to refuse and returns a sentence to accept.

    The learner sees one line, never a traceback, whatever their answer does.
    """

    def decorate(body: Callable[..., str]) -> Callable[..., None]:
        @wraps(body)
        def run(*answer) -> None:
            from IPython.display import display

            display(judge(exercise, body, *answer))

        run.judge = lambda *answer: judge(exercise, body, *answer)
        return run

    return decorate


def judge(exercise: str, body: Callable[..., str], *answer) -> Report:
    """The Report of check `body` on a learner's `answer`."""
    name = body.__name__
    try:
        return Report(exercise, name, True, body(*answer))
    except Hint as hint:
        return Report(exercise, name, False, str(hint))
    except NotImplementedError:
        return Report(exercise, name, None, "not implemented yet")
    except Exception as error:  # the learner's own mistake, in one line
        line = " ".join(str(error).split())[:200]
        return Report(exercise, name, False, f"your code raised {type(error).__name__}: {line}")
