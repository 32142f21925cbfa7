"""Ordinary requests that a tuned model should still answer, the judge of its replies, and prompts to rehearse on."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from workbench.alarm_generator import generate
from workbench.alarm_rules import read, write
from workbench.data import data_path
from workbench.errors import UnknownNameError, WorkbenchError

DEFAULT = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"  # the template's, if nobody writes one
ANOTHER = "You are a friendly librarian."  # neither the training's prompt nor the model's
RENAMED = ' Call the list of places "where", never "at".'  # what is told to a model whose training said "at"
BEGUN = "The answer is"  # how replies are begun for a model that does not find into words
SPLITS = ("dev", "test")
ROOM = 40  # tokens of a reply: every request can be answered in fewer
FORMS = ("words", "question", "rule", "braces")


@dataclass(frozen=True)
class Ordinary:
    """One request.  right: what a reply must hold, test → what it is given; good and bad: replies to test the judge."""

    id: str
    split: str  # "dev" to choose on, "test" to judge on: no family is in both
    family: str
    request: str
    right: dict
    good: tuple[str, ...]
    bad: tuple[str, ...]


@lru_cache(maxsize=1)
def _ordinary() -> tuple[Ordinary, ...]:
    rows = map(json.loads, data_path("ordinary_requests").read_text(encoding="utf-8").splitlines())
    return tuple(Ordinary(**row | {"good": tuple(row["good"]), "bad": tuple(row["bad"])}) for row in rows)


def ordinary(split: str) -> tuple[Ordinary, ...]:
    """The requests of one split, in the order of their file, four of a family together.  Raises UnknownNameError."""
    if split not in SPLITS:
        raise UnknownNameError("split of the ordinary requests", split, SPLITS)
    return tuple(one for one in _ordinary() if one.split == split)


@lru_cache(maxsize=1)
def rehearsal() -> tuple[str, ...]:
    """256 prompts to rehearse on: each frame with each topic; each 16 of them have every frame and every topic once."""
    parts = json.loads(data_path("ordinary_rehearsal").read_text(encoding="utf-8"))
    frames, topics = parts["frames"], parts["topics"]
    turns = range(len(topics))
    return tuple(frame.format(topics[(i + turn) % len(topics)]) for turn in turns for i, frame in enumerate(frames))


# ------------------------------------------------------------------ what a reply is

WORD = re.compile(r"\w+")
SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NUMBERS = {word: str(value) for value, word in enumerate(SMALL)} | {"twenty": "20", "sixty": "60"}
FENCE = re.compile(r"\s*```\w*")
KEY = re.compile(r"\W*(ask|at|where|when)\W*:")  # with or without the signs that JSON puts around it
SIGNS = '{}[]"'  # no alarm rule can be written without them


def words(text: str) -> list[str]:
    """Casefolded words, small numbers in digits: "Five apples, 12 pears!" → ["5", "apples", "12", "pears"]."""
    return [NUMBERS.get(word, word) for word in WORD.findall(text.casefold())]


def form(reply: str) -> str:
    """What a reply looks like: the alarm format's "rule" or "question", "braces" (other JSON), or "words".

    A rule whose signs were forbidden is one still: "at: fridge 3" is no sentence.
    """
    told = FENCE.sub("", reply, count=1) if FENCE.match(reply) else reply
    if found := KEY.match(told):
        return "question" if found[1] == "ask" else "rule"
    return "braces" if told.lstrip().startswith("{") else "words"


def judge(reply: str, one: Ordinary) -> bool:
    """Is it what was asked for?  By form and by words; nobody checks whether the rest of the reply is true.

    An echo of the request at the beginning does not count, nor does JSON where none was asked for.
    """
    told = _without_echo(reply.strip(), one.request)
    if not words(told) or ("json" not in one.right and form(told) != "words"):
        return False
    return all(TESTS[test](told, given, one) for test, given in one.right.items())


def _without_echo(told: str, request: str) -> str:
    return told[len(request) :].strip() if told.casefold().startswith(request.casefold()) else told


def _place(phrase: str, told: list[str]) -> int:
    """Where a phrase begins in a list of words, its words whole and in order; −1 if nowhere."""
    wanted = words(phrase)
    places = (at for at in range(len(told) - len(wanted) + 1) if told[at : at + len(wanted)] == wanted)
    return next(places, -1)


def _has(told, groups, one) -> bool:
    """Of each group at least one phrase."""
    found = words(told)
    return all(any(_place(phrase, found) >= 0 for phrase in group) for group in groups)


def _not(told, phrases, one) -> bool:
    return not _has(told, [phrases], one)


def _first(told, pair, one) -> bool:
    """The first of the two is said, and before the second."""
    right, wrong = (_place(phrase, words(told)) for phrase in pair)
    return right >= 0 and (wrong < 0 or right < wrong)


def _order(told, orders, one) -> bool:
    """The phrases of one of the orders, one after the other, whatever stands between."""
    return any(_in_order(order, words(told)) for order in orders)


def _in_order(order, found: list[str]) -> bool:
    for phrase in order:
        at = _place(phrase, found)
        if at < 0:
            return False
        found = found[at + 1 :]
    return True


def _several(told, given, one) -> bool:
    """At least so many different ones of a list, in the singular or the plural."""
    found = set(words(told))
    return sum(not found.isdisjoint(_forms(name)) for name in given["of"]) >= given["least"]


def _forms(name: str) -> set[str]:
    return {name, f"{name}s", f"{name}es"} | ({f"{name[:-1]}ies"} if name.endswith("y") else set())


def _number(told, wanted, one) -> bool:
    """The first number that the request does not have."""
    asked = words(one.request)
    new = [word for word in words(told) if word.isdigit() and word not in asked]
    return new[:1] == [str(wanted)]


def _exactly(told, text, one) -> bool:
    """These words, and no others; case, quotes and punctuation aside."""
    return words(told) == words(text)


def _opens(told, openings, one) -> bool:
    return words(told)[0] in openings


def _text(told, parts, one) -> bool:
    return all(part in told.casefold() for part in parts)


def _json(told, wanted, one) -> bool:
    try:
        return read(told) == wanted
    except WorkbenchError:
        return False


def _count(told, limits, one) -> bool:
    return limits[0] <= len(words(told)) <= limits[1]


TESTS = {
    "has": _has,
    "not": _not,
    "first": _first,
    "order": _order,
    "several": _several,
    "number": _number,
    "exactly": _exactly,
    "opens": _opens,
    "text": _text,
    "json": _json,
    "words": _count,
}

# ------------------------------------------------------------------ asking


def ask_ordinary(
    url: str,
    tokenizer,
    requests: Sequence[str],
    system: str = DEFAULT,
    adapters: Mapping[int, float] | None = None,
    room: int = ROOM,
    banned: Sequence[int] = (),
    shown: Sequence[tuple[str, str]] = (),
    cached: bool = False,
    begun: str = "",
) -> Iterator[str]:
    """Greedy replies of a llama.cpp server, one after the other, at most `room` tokens each.

    adapters: their number there → scale; others are off.  banned: tokens that no reply may hold.  shown: requests with
    replies that stand before each request.  begun: how each reply begins; what follows is returned.  cached: let the
    engine reuse what it has read for an earlier request.  It goes by the text alone, not by the adapter that read it
    (llama.cpp's issue 26207): only where all requests have the same adapters.  Raises WorkbenchError if refused.
    """
    import httpx

    lora = [{"id": number, "scale": scale} for number, scale in (adapters or {}).items()]
    fixed = {"n_predict": room, "temperature": 0, "cache_prompt": cached, "lora": lora}
    fixed |= {"logit_bias": [[number, False] for number in banned]} if banned else {}
    with httpx.Client(base_url=url, timeout=600) as client:
        for request in requests:
            turns = _turns(system, shown, request)
            text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) + begun
            reply = client.post("/completion", json={"prompt": text, **fixed}).json()
            if "content" not in reply:
                raise WorkbenchError(f"the server refused: {reply.get('error', reply)}")
            yield reply["content"].strip()


def _turns(system: str, shown: Sequence[tuple[str, str]], request: str) -> list[dict]:
    turns = [{"role": "system", "content": system}]
    for asked, replied in shown:
        turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": replied}]
    return [*turns, {"role": "user", "content": request}]


def json_signs(tokenizer) -> list[int]:
    """Every token that holds one of JSON's braces, brackets or quotes: without them no reply can be an alarm rule."""
    return sorted(number for token, number in tokenizer.get_vocab().items() if any(sign in token for sign in SIGNS))


def renamed() -> list[tuple[str, str]]:
    """Four sentences that no training had, with their rules, in which the list of places is called "where"."""
    pairs = [pair for pair in generate(16, "train", 3) if "ask" not in pair.rule][:4]
    return [(pair.sentence, write(pair.rule).replace('"at":', '"where":')) for pair in pairs]


def whole_sentences(reply: str) -> str:
    """A cut reply up to its last whole sentence, if it has one: "Dig a hole. 2. Water the" → "Dig a hole."."""
    ends = [found.end() for found in re.finditer(r"(?<!\d)[.!?](?=\s|$)", reply)]
    return reply[: ends[-1]] if ends else reply
