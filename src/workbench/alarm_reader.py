"""Read an alarm rule out of a sentence with regular expressions: the engineer's first try.

Two uses.  It shares no code and (courtesies apart) no phrases with the generator, so that it proves that generated
sentences say what their rules say.  And it is the baseline without any model: perfect on the sentences that it was
written for; part 5 shows it the others.
"""

import re

from workbench.alarm_rules import DAYS

ONES = dict(
    zero=0, one=1, two=2, three=3, four=4, five=5, six=6, seven=7, eight=8, nine=9, ten=10, eleven=11, twelve=12
)
STEMS = {"thir": 3, "four": 4, "fif": 5, "six": 6, "seven": 7, "eigh": 8, "nine": 9}
ONES |= {f"{stem}teen": 10 + n for stem, n in STEMS.items()}
TENS = {f"{stem}ty": 10 * n for stem, n in (STEMS | {"twen": 2, "for": 4}).items()}
WORDS = "|".join(sorted(ONES, key=len, reverse=True))
KIND = r"(fridge|refrigerator|freezer|cold room|walk-in)"
KINDS = {"refrigerator": "fridge", "walk-in": "cold room"}
NUMBER = r"-?\d+(?:\.\d+)?"
TIME = r"(?:\d{1,2}(?::\d\d)? ?[ap]m|\d\d:\d\d|noon|midnight)"
SPAN = re.compile(r"(\d+) ?(seconds?|secs?|s|minutes?|mins?|min|hours?|hrs?|h)\b")
PEOPLE = ("manager", "nurse", "pharmacist", "technician", "chef", "security")
UPWARD = r"above|over|exceed|warmer|higher|more than|more humid|reach|no longer below|past|hits?\b|beyond|>"
DOWNWARD = r"(?<!no longer )below|under|colder|lower|less than|drier|sinks? past|<"
OTHER_THINGS = (
    r"^(set|turn|switch|delete|stop|open the|show|cool|mute|thank|hello$|call me)|^(what|why|is|how|who)\b"
    r"|average|faster|sour|empty|warms? by"
)
COURTESIES = (
    r"(sorry to bother you|i am new here|we had an inspection yesterday|a short question|this is important to us"
    r"|dear team|the last manager never did it|quick one)[.,]? "
    r"|[.?]? (best regards|kind regards from all of us|thanks in advance|we have lost stock before"
    r"|that is all for now|see you|cheers)[.!]*$"
)
SHORT = {
    r"three quarters of an hour": "45 min",
    r"a quarter of an hour": "15 min",
    r"half an hour|(?<=every )half hour": "30 min",
    r"an hour and a half|one and a half hours": "90 min",
    r"\ban hour|(?<=every )hour": "1 h",
    r"\ba minute": "1 min",
    r"one of the": "any",
}
UNIT = r" ?(° ?[cf]\b|[cfk]\b|(?:degrees )?(?:celsius|fahrenheit)|centigrade|%|percent|per cent|kelvin|degrees|°)?"


def read_sentence(text: str) -> dict:
    """Sentence → rule, or the question that has to be asked first."""
    text = _plain(text)
    if re.search(OTHER_THINGS, text) and not text.startswith("what i want"):
        return {"ask": "unsupported"}
    rule: dict = {}
    text = _take_spans(text, rule)
    text = _take_window(text, rule)
    text = _take_days(text, rule)
    _level_and_people(text, rule)
    vague = re.search(
        r"for (too long|a while|some time|a few|ages)|night|evening|business hours|the day\b|lunch|closing|morning",
        text,
    )
    text, places = _take_places(text)
    conditions = _conditions(text)
    if len(places) > len(set(places)) or isinstance(conditions, str) or not places or vague:
        return {"ask": _first_question(text, places, conditions)}
    return {"at": places, "when": conditions, **rule}


def _first_question(text: str, places: list[str], conditions) -> str:
    asked = conditions if isinstance(conditions, str) else "time"
    order = ("several", "place", "limit", "unit", "time", "conflict")
    return min(([asked] if places else [asked, "place"]), key=order.index)


def _plain(text: str) -> str:
    """Lower case, one kind of minus, numbers in digits, an hour in minutes."""
    text = re.sub(COURTESIES, "", text.strip().lower())
    text = re.sub(r"^(hello|hi there),? (?=\w)|(?<=[\w.?]) (many thanks|thank you)\.?$", "", text)
    text = re.sub(r"[.?!]+$", "", text.replace("−", "-")).replace("what i want:", "what i want")
    for words, short in SHORT.items():
        text = re.sub(words, short, text)
    tens = "|".join(TENS)
    text = re.sub(rf"\b({tens})(?:[- ]({WORDS}))?\b", lambda m: str(TENS[m[1]] + ONES.get(m[2], 0)), text)
    text = re.sub(rf"\b({WORDS})\b", lambda m: str(ONES[m[1]]), text)
    text = re.sub(r"(\d+) and a half", r"\1.5", text)
    return re.sub(r"minus (\d)", r"-\1", text)


def _take_spans(text: str, rule: dict) -> str:
    """Durations: after "every" it is the reminder's, otherwise the condition's."""
    for found in SPAN.finditer(text):
        key = "repeat" if text[: found.start()].endswith("every ") else "for"
        rule[key] = f"{found[1]} {'min' if found[2][0] == 'm' else found[2][0]}"
    return SPAN.sub("", text)


def _take_window(text: str, rule: dict) -> str:
    for pattern, start, end in (
        (rf"(?:between|from) ({TIME}) (?:and|to|until) ({TIME})", 1, 2),
        (rf"(?:after|later than) ({TIME})", 1, "24:00"),
        (rf"(?:before|earlier than) ({TIME})", "00:00", 1),
    ):
        if found := re.search(pattern, text):
            rule["from"] = _clock(found[start]) if isinstance(start, int) else start
            rule["to"] = _clock(found[end]) if isinstance(end, int) else end
            return text.replace(found[0], "")
    return text


def _clock(said: str) -> str:
    if said in ("noon", "midnight"):
        return {"noon": "12:00", "midnight": "24:00"}[said]
    hour, minute = (*re.findall(r"\d+", said), "00")[:2]
    hour = int(hour) % 12 + 12 * said.endswith("pm") if said[-1] == "m" else int(hour)
    return f"{hour:02}:{minute}"


def _take_days(text: str, rule: dict) -> str:
    day = rf"({'|'.join(DAYS)})\w*day"
    if found := re.search(rf"{day}s? (to|through) {day}s?", text):
        rule["days"] = list(DAYS[DAYS.index(found[1]) : DAYS.index(found[3]) + 1])
    elif re.search(r"weekdays|working days", text):
        rule["days"] = list(DAYS[:5])
    elif re.search(r"weekends", text):
        rule["days"] = list(DAYS[5:])
    elif named := [found[1] for found in re.finditer(day, text)]:
        rule["days"] = named
    return re.sub(rf"(from )?{day}s?( (to|through|and|or) {day}s?)?|weekdays|working days|weekends", "", text)


def _level_and_people(text: str, rule: dict) -> None:
    if re.search(r"critical|urgent|high priority|emergency", text):
        rule["level"] = "critical"
    elif re.search(r"\blog\b|record|write it down", text):
        rule["level"] = "log"
        return
    named = [name for name in PEOPLE if name in text]
    if named:
        rule["tell"] = (["me"] if re.search(r"\bme\b", text) else []) + named


def _take_places(text: str) -> tuple[str, list[str]]:
    """The text without its places, and the places."""
    places: list[str] = []

    def keep(found) -> str:
        kind = KINDS.get(found["kind"], found["kind"])
        if found["group"]:
            places.append(f"all {kind}s")
        else:
            places.extend(f"{kind} {number}" for number in _run(found["numbers"]))
        return " @ "

    kind = KIND.replace("(", "(?P<kind>", 1)
    numbers = r"(?P<numbers>\d+)"
    run = r"(?P<numbers>\d+(?:(?:, | and | to | )\d+)+)"
    text = re.sub(rf"(?P<group>any|all|every|whichever) {kind}s?\b(?P<numbers>)", keep, text)
    text = re.sub(rf"(?P<group>)?{kind}s {run}(?! ?[°%])", keep, text)
    text = re.sub(rf"(?P<group>)?{kind} (?:number |no\.? |with number )?{numbers}\b(?!\.\d)", keep, text)
    everywhere = r"\banything\b(?! but)|any unit|any of our units|some unit or other"
    if re.search(everywhere, text):
        places.append("everywhere")
        text = re.sub(everywhere, " @ ", text)
    return re.sub(r"@ +(and|or)( the)? +@", "@", text), places


def _run(said: str) -> list[int]:
    numbers = [int(number) for number in re.findall(r"\d+", said)]
    return list(range(numbers[0], numbers[1] + 1)) if " to " in said else numbers


def _conditions(text: str) -> list[dict] | str:
    """The conditions, or what has to be asked."""
    states = _states(text)
    clear = re.search(rf"(?:clear (?:below|above)|back (?:under|over)|once it is (?:below|above)) ({NUMBER})", text)
    limits = _limits(text.replace(clear[0], "") if clear else text)
    if re.search(r"\bor (the humidity|its door)", text):
        return "several"
    if isinstance(limits, str):
        return limits
    if re.search(r"open and closed", text):
        return "conflict"
    if clear and limits:
        limits[0]["clear"] = _number(clear[1])
    return limits + states or "limit"


def _states(text: str) -> list[dict]:
    found = []
    if re.search(r"door|left open", text):
        shut = re.search(r"closed|stays shut|door is shut", text)
        found.append({"of": "door", "is": "closed" if shut else "open"})
    if re.search(r"power|electricity", text):
        found.append({"of": "power", "is": "off"})
    if re.search(r"no data|stops? sending|silent|signal|offline|nothing is heard", text):
        found.append({"of": "signal", "is": "lost"})
    return found


def _limits(text: str) -> list[dict] | str:
    found = [(_number(m[1]), _unit(m[2])) for m in re.finditer(rf"(?<![@\d:.])({NUMBER}){UNIT}", text)]
    up, down, inverted = (
        re.search(UPWARD, text),
        re.search(DOWNWARD, text),
        re.search(r"\b(must|has to|should) (?!never|not|it)", text),
    )
    if not found:
        return [] if _states(text) else "limit"
    of, unit = ("humidity", "%") if found[-1][1] == "%" else ("temperature", found[-1][1] or "C")
    if unit == "K" or (not found[-1][1] and found[-1][0] > 25):
        return "unit"
    if len(found) == 2:
        return _pair(text, found, of, unit, up, down, inverted)
    if not (up or down):
        return "limit"
    rising = bool(up and not (down and down.start() < up.start()))
    return [{"of": of, "is": "above" if rising != bool(inverted) else "below", "value": found[0][0], "unit": unit}]


def _pair(text, found, of, unit, up, down, inverted) -> list[dict] | str:
    (low, _), (high, _) = found
    if text.count("@") > 1 or re.search(r"critical above", text):
        return "several"
    if up and down and re.search(r"\band\b", text) and not inverted and " or above" not in text:
        return "conflict"
    ranged = re.search(r"outside|range|not (between|in|stay)|anything but|or above|within|kept at", text)
    if not (ranged or inverted):
        return "limit"
    return [{"of": of, "is": "outside", "low": low, "high": high, "unit": unit}]


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _unit(text: str | None) -> str:
    if not text or text in ("degrees", "°"):
        return ""
    return "%" if text[0] in "%p" else {"c": "C", "f": "F", "k": "K"}[re.sub(r"degrees|[° ]", "", text)[0]]
