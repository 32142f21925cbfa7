"""Does an alarm rule make sense?  What its JSON schema cannot say: ranges, sides, windows, contradictions."""

from workbench.alarm_rules import COUNTS, celsius, kind_of, schema_problem, seconds
from workbench.errors import WorkbenchError

DEGREES = {"fridge": (-10, 30), "freezer": (-90, 10), "cold room": (-45, 30), "everywhere": (-90, 30)}  # °C
DAY_S = 24 * 3600


def problems(rule: dict) -> list[str]:
    """What is wrong with a rule that the schema accepts, a line each: ranges, sides, windows, contradictions.

    A question ({"ask": …}) has nothing to be wrong.  Raises WorkbenchError when the schema does not accept it.
    """
    if wrong := schema_problem(rule):
        raise WorkbenchError(wrong)
    return [] if "ask" in rule else senseless(rule)


def senseless(rule: dict) -> list[str]:
    """`problems` of a rule whose form is known to be right."""
    checks = (_places, _limits, _sides, _conflicts, _durations, _window, _level)
    return [line for check in checks for line in check(rule)]


def _places(rule):
    for place in rule["at"]:
        kind, number = kind_of(place), place.split()[-1]
        if number.isdigit() and int(number) > COUNTS[kind]:
            yield f"there is no {place}: {kind}s are 1 to {COUNTS[kind]}"


def _limits(rule):
    for part in rule["when"]:
        for value in (part[key] for key in ("value", "low", "high", "clear") if key in part):
            if part["of"] == "humidity" and not 0 < value < 100:
                yield f"humidity lies between 0 and 100 %, not at {value:g}"
            for kind in dict.fromkeys(map(kind_of, rule["at"]) if part["of"] == "temperature" else ()):
                low, high = DEGREES[kind]
                if not low <= celsius(value, part["unit"]) <= high:
                    yield f"{kind}: {value:g} °{part['unit']} is outside what it can have ({low} to {high} °C)"


def _sides(rule):
    for part in rule["when"]:
        if part["is"] == "outside" and part["low"] >= part["high"]:
            yield f"a range goes from low to high, not from {part['low']:g} to {part['high']:g}"
        if "clear" in part and (part["clear"] - part["value"]) * (1 if part["is"] == "below" else -1) <= 0:
            side = "under" if part["is"] == "above" else "over"
            yield f"{part['is']} {part['value']:g} must clear {side} {part['value']:g}, not at {part['clear']:g}"


def _conflicts(rule):
    if len(rule["when"]) == 1:
        return
    one, two = sorted(rule["when"], key=lambda part: part["is"])
    if one["of"] == two["of"]:
        bounds = [celsius(part.get("value", 0), part.get("unit", "")) for part in (one, two)]
        if (one["is"], two["is"]) != ("above", "below"):
            yield f"two conditions on the {one['of']}: one of them says nothing, or they exclude each other"
        elif bounds[0] >= bounds[1]:
            yield f"the {one['of']} cannot be above {one['value']:g} and below {two['value']:g} at once"
    elif "signal" in (one["of"], two["of"]):
        yield "a lost signal measures nothing: no second condition can be known"


def _durations(rule):
    if "for" in rule and seconds(rule["for"]) > DAY_S:
        yield f"for {rule['for']}: at most 24 h"
    if "repeat" in rule and not 60 <= seconds(rule["repeat"]) <= DAY_S:
        yield f"repeat {rule['repeat']}: at least 1 min, at most 24 h"


def _window(rule):
    if "from" not in rule:
        return
    start, end = ((int(time[:2]) * 60 + int(time[3:])) * 60 for time in (rule["from"], rule["to"]))
    length = (end - start) % DAY_S or (DAY_S if (start, end) == (0, DAY_S) else 0)
    if not length:
        yield f"the window from {rule['from']} to {rule['to']} is empty"
    elif "for" in rule and seconds(rule["for"]) > length:
        yield f"for {rule['for']} does not fit into {rule['from']} to {rule['to']}"


def _level(rule):
    if rule.get("level") == "log":
        for key in ("tell", "repeat"):
            if key in rule:
                yield f"what is only logged is told to nobody: no {key!r} with level log"
