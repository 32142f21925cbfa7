"""Alarm rules of part 5's cold-storage monitor: read one from text, say what is wrong with it, compare two.

The form is `book/data/alarm_rules/schema.json`; what a schema cannot say is in `alarm_sense`.  A rule keeps
what its author said (46 °F, 10 min); `canonical` does the arithmetic, so that equal rules compare equal.
"""

import json
from fractions import Fraction
from functools import lru_cache

from workbench.data import data_path
from workbench.errors import WorkbenchError

ASKS = ("unsupported", "several", "place", "limit", "unit", "time", "conflict")  # the first that holds is asked
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COUNTS = {"fridge": 12, "freezer": 6, "cold room": 4}  # what the monitor watches
SECONDS = {"s": 1, "min": 60, "h": 3600}
ORDER = ("at", "when", "for", "days", "from", "to", "level", "tell", "repeat", "ask")
WITHIN = ("of", "is", "value", "low", "high", "unit", "clear")


def read(text: str) -> dict:
    """The first JSON object in a text, whatever stands around it (so that talk is forgiven to a model that talks).

    Raises WorkbenchError for text without one, broken JSON, a key said twice, NaN.
    """
    start = text.find("{")
    if start < 0:
        raise WorkbenchError("there is no JSON object in the answer")
    try:
        return _DECODER.raw_decode(text, start)[0]
    except (ValueError, RecursionError) as error:
        raise WorkbenchError(f"the JSON is broken: {error}") from None


def _once(pairs: list) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is said twice")
    return found


def _refuse(name: str):
    raise ValueError(f"{name} is not a number in JSON")


def _finite(text: str) -> float:
    return float(text) if abs(float(text)) < float("inf") else _refuse(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite)


def write(rule: dict) -> str:
    """One line of JSON, keys in the schema's order, no blanks: what a model is asked to write."""
    known = {**rule, "when": [_sorted(part, WITHIN) for part in rule["when"]]} if "when" in rule else rule
    return json.dumps(_sorted(known, ORDER), ensure_ascii=False, separators=(",", ":"))


def _sorted(record: dict, order: tuple[str, ...]) -> dict:
    return {key: record[key] for key in sorted(record, key=order.index)}


@lru_cache(maxsize=1)
def schema() -> dict:
    return json.loads(data_path("alarm_rules_schema").read_text(encoding="utf-8"))


@lru_cache
def _validator(name: str):
    import jsonschema  # slow to import

    return jsonschema.Draft202012Validator({**schema()["$defs"][name], "$defs": schema()["$defs"]})


def schema_problem(answer) -> str:
    """The first thing that the schema refuses, in one line, or ""."""
    if not isinstance(answer, dict):
        return f"an object is asked for, this is a {type(answer).__name__}"
    errors = list(_validator("question" if "ask" in answer else "rule").iter_errors(answer))
    if not errors:
        return ""
    error = min(errors, key=lambda one: list(map(str, one.absolute_path)))
    if error.validator == "anyOf":
        error = _nearest(error)
    line = f"{_place(error.absolute_path)}{_said(error)}"
    return line if len(line) <= 160 else f"{line[:159]}…"


def _said(error) -> str:
    if error.validator == "pattern":
        return f"{error.instance!r} is none of {_EXAMPLES.get(error.validator_value[:4], 'the times 00:00 to 23:59')}"
    if error.validator == "dependentRequired":
        return "from and to belong together"
    if error.validator == "const" and error.absolute_path[-1] == "of":
        return f"{error.instance!r} is none of temperature, humidity, door, power, signal"
    return error.message


_EXAMPLES = {"^((f": "the places (fridge 3, all freezers, everywhere)", "^[1-": "the durations (30 s, 10 min, 2 h)"}


def _nearest(error):
    """Of a condition that fits none of the shapes: what is wrong with the shape that it comes nearest to."""
    shapes: dict[int, list] = {}
    for one in error.context:
        shapes.setdefault(one.schema_path[0], []).append(one)

    def distance(found: list) -> tuple:
        paths = [one.absolute_path[-1] if one.path else "" for one in found]
        return "of" in paths, "is" in paths, len(found)

    return min(min(shapes.values(), key=distance), key=lambda one: len(one.message))


def _place(path) -> str:
    told = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return f"{told.lstrip('.')}: " if told else ""


def kind_of(place: str) -> str:
    """fridge 3 → fridge; all fridges → fridge; everywhere → everywhere."""
    return next((kind for kind in COUNTS if kind in place), "everywhere")


def celsius(value: float, unit: str) -> Fraction:
    value = Fraction(str(value))
    return (value - 32) * 5 / 9 if unit == "F" else value


def seconds(duration: str) -> int:
    """'10 min' → 600."""
    number, unit = duration.split()
    return int(number) * SECONDS[unit]


def canonical(rule: dict) -> dict:
    """The same rule as every equal one: seconds, °C in hundredths, defaults said, lists in order.  rule: valid.

    46 °F → 7.78; 90 min = 5400 s; no level = warning; nobody named = me; all seven days = no days.
    """
    if "ask" in rule:
        return dict(rule)
    level, days = rule.get("level", "warning"), set(rule.get("days", DAYS))
    window = [rule.get("from", "00:00"), rule.get("to", "24:00").replace("00:00", "24:00")]
    return {
        "at": _absorbed(rule["at"]),
        "when": sorted((_plain(part) for part in rule["when"]), key=lambda part: json.dumps(part)),
        "for": seconds(rule["for"]) if "for" in rule else 0,
        "days": [day for day in DAYS if day in days],
        "hours": window,
        "level": level,
        "tell": [] if level == "log" else sorted(set(rule.get("tell", ["me"]))),
        "repeat": seconds(rule["repeat"]) if "repeat" in rule else 0,
    }


def _absorbed(places: list[str]) -> list[str]:
    """Sorted; a group swallows its members."""
    if "everywhere" in places:
        return ["everywhere"]
    groups = {kind_of(place) for place in places if place.startswith("all ")}
    return sorted({place for place in places if place.startswith("all ") or kind_of(place) not in groups})


def _plain(part: dict) -> dict:
    numbers = {key: float(celsius(part[key], part["unit"])) for key in _NUMBERS if key in part}
    return {"of": part["of"], "is": part["is"]} | {key: round(value, 2) + 0.0 for key, value in numbers.items()}


_NUMBERS = ("value", "low", "high", "clear")
