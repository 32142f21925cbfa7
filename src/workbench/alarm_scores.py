"""Score what a model wrote for a sentence: does it parse, is it valid, does it make sense, is it the rule asked for?

Each is a step towards the next, so that their shares can only fall.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from workbench.alarm_rules import canonical, read, schema_problem
from workbench.alarm_sense import problems
from workbench.errors import WorkbenchError

STEPS = ("parsed", "valid", "sensible", "exact")
FIELDS = ("at", "when", "for", "days", "hours", "level", "tell", "repeat")


@dataclass(frozen=True)
class Score:
    """One answer.  fields: for each field of the gold rule (or "ask"), is it right?  problem: what is wrong, or ""."""

    parsed: bool
    valid: bool
    sensible: bool
    exact: bool
    fields: dict[str, bool]
    problem: str


def score(answer: str, gold: dict) -> Score:
    """Judge a model's text against the gold rule.  Equal means equal in canonical form."""
    wanted = canonical(gold)
    wrong = dict.fromkeys(wanted, False)
    try:
        rule = read(answer)
    except WorkbenchError as error:
        return Score(False, False, False, False, wrong, error.message)
    if problem := schema_problem(rule):
        return Score(True, False, False, False, wrong, problem)
    got, lines = canonical(rule), problems(rule)
    fields = {key: got.get(key) == value for key, value in wanted.items()}
    return Score(True, True, not lines, not lines and got == wanted, fields, "; ".join(lines))


def summarise(scores: Iterable[Score]) -> dict[str, float]:
    """Shares: of the four steps over all answers, of each field over the answers whose gold has it."""
    scores = list(scores)
    if not scores:
        raise WorkbenchError("there is nothing to summarise: no answer was scored")
    table = {step: fmean(getattr(one, step) for one in scores) for step in STEPS}
    for field in (*FIELDS, "ask"):
        if judged := [one.fields[field] for one in scores if field in one.fields]:
            table[f"field {field}"] = fmean(judged)
    return table
