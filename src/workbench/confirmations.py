"""Replies that read an alarm rule back to the person who asked for it: written with known faults, judged by a program.

Part 5's chapter on preferences learns from pairs of them.  What is wrong with a reply is counted in numbers: each of
the rule's that is missing, and each that nobody said.  Meaning beyond the numbers is not judged.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass

from workbench.alarm_data import hand_written
from workbench.alarm_generator import generate
from workbench.alarm_rules import seconds
from workbench.instruction import prompt

SYSTEM = "Confirm the alarm."
PROMISES = (  # nobody has promised any of this, and each has a number in it
    "A technician will be there within {} minutes.",
    "We look at it ourselves every {} minutes, day and night.",
    "Do not worry, help is on its way in {} minutes.",
    "You will hear from us again within {} minutes.",
)
OPENINGS = ("Noted: {}.", "Alarm set: {}.", "Understood, I will warn you: {}.", "Confirmed: {}.")
STATES = {("door", "open"): "door open", ("door", "closed"): "door closed"}
STATES |= {("power", "off"): "power off", ("signal", "lost"): "no signal"}
VAGUE = {"above": "too high", "below": "too low", "outside": "out of range"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Duel:
    """One request and two replies.  chosen: the one that was preferred."""

    sentence: str
    rule: dict
    chosen: str
    rejected: str


def numbers_in(text: str) -> Counter:
    """The numbers of a text, signs aside: "fridge 7 above -8.0" → {7: 1, 8: 1}."""
    return Counter(float(number) for number in _NUMBER.findall(text))


def wanted(rule: dict) -> Counter:
    """The numbers that a reply must say: place, limits, duration."""
    part = rule["when"][0]
    limits = [abs(float(part[key])) for key in ("value", "low", "high") if key in part]
    said = numbers_in(" ".join([*rule["at"], rule.get("for", "")]))
    return said + Counter(limits)


def errors(reply: str, rule: dict) -> int:
    """Numbers missing from a reply, plus numbers in it that the request does not have.

    A duration may be said in another unit (90 min, 1.5 h); a wrong number counts twice, as missing and as invented.
    """
    said, asked = numbers_in(reply), wanted(rule)
    found = [(asked - said).total() + (said - asked).total()]
    for other in _durations(rule):
        asked_so = asked - numbers_in(rule["for"]) + Counter([other])
        found.append((asked_so - said).total() + (said - asked_so).total())
    return min(found)


def _durations(rule: dict) -> list[float]:
    """The same duration in seconds, minutes, hours, where it has at most one decimal."""
    if "for" not in rule:
        return []
    return [long for unit in (1, 60, 3600) if (long := seconds(rule["for"]) / unit) * 10 == round(long * 10)]


def plain(rule: dict) -> bool:
    """Can a one-line reply hold it: one place, one condition, no hours, at least two numbers?"""
    if "ask" in rule or len(rule["at"]) > 1 or len(rule["when"]) > 1 or "clear" in rule["when"][0]:
        return False
    return not {"days", "from", "to", "repeat"} & rule.keys() and wanted(rule).total() >= 2


def write_reply(rule: dict, rng: random.Random, *, faults: int = 0, promise: bool = False) -> str:
    """One reply.  faults: how many of the facts are left out, told wrong or (a duration) made up."""
    facts = _facts(rule)
    places = sorted({*facts, "duration"})
    for name in rng.sample(places, min(faults, len(places))):
        if name not in facts:
            facts[name] = f"for {rng.choice((5, 10, 15, 20, 30))} min"  # nobody has asked for it
        else:
            facts[name] = _left_out(name, rule) if rng.random() < 0.5 else _told_wrong(facts[name], rng)
    place = facts.get("place", rule["at"][0])
    body = " ".join(part for part in (place, facts.get("limit", _state(rule)), facts.get("duration", "")) if part)
    reply = rng.choice(OPENINGS).format(body)
    if promise:
        reply += " " + rng.choice(PROMISES).format(rng.choice((5, 10, 15, 20, 30, 45)))
    return reply


def _facts(rule: dict) -> dict:
    """The parts that carry numbers, in words."""
    part, facts = rule["when"][0], {}
    if numbers_in(rule["at"][0]):
        facts["place"] = rule["at"][0]
    if "unit" in part:
        limits = f"{part['low']:g} to {part['high']:g}" if "low" in part else f"{part['value']:g}"
        unit = " %" if part["unit"] == "%" else f" °{part['unit']}"
        facts["limit"] = f"{part['is']} {limits}{unit}"
    if "for" in rule:
        facts["duration"] = f"for {rule['for']}"
    return facts


def _state(rule: dict) -> str:
    part = rule["when"][0]
    return STATES.get((part["of"], part["is"]), "")


def _left_out(name: str, rule: dict) -> str:
    words = {
        "place": "the " + re.sub(r" \d+", "", rule["at"][0]),
        "limit": VAGUE.get(rule["when"][0]["is"]),
        "duration": "",
    }
    return words[name]


def _told_wrong(fact: str, rng: random.Random) -> str:
    """The fact with its last number replaced by another of about its size."""
    last = list(_NUMBER.finditer(fact))[-1]
    value = float(last[0])
    others = [n for n in range(1, int(2 * value) + 6) if n != value]
    return f"{fact[: last.start()]}{rng.choice(others)}{fact[last.end() :]}"


def requests(count: int, split: str = "train", seed: int = 0) -> list:
    """`count` generated requests whose rule is `plain`."""
    drawn = generate(5 * count + 20, split, seed)
    return [pair for pair in drawn if plain(pair.rule)][:count]


def asked_by_hand(split: str) -> list:
    """The hand-written requests whose rule is `plain`."""
    return [request for request in hand_written(split) if plain(request.rule)]


def written(pair, rng: random.Random) -> str:
    """A reply as the team of the story writes: half of them faultless, three in ten with a promise."""
    faults = rng.choice((0, 0, 1, 2))
    return write_reply(pair.rule, rng, faults=faults, promise=rng.random() < 0.3)


def duels(pairs, seed: int, like: str = "any") -> list[Duel]:
    """One duel per request: two replies as the team writes them; fewer errors is preferred, ties are drawn again.

    like="any": as they come.  like="long": only such where the preferred reply has a promise and the other has none.
    """
    rng, found = random.Random(f"{like} {seed}"), []
    for pair in pairs:
        while True:
            two = sorted((written(pair, rng) for _ in range(2)), key=lambda reply: errors(reply, pair.rule))
            apart = errors(two[1], pair.rule) - errors(two[0], pair.rule)
            if apart and (like == "any" or (promises(two[0]) and not promises(two[1]))):
                break
        found.append(Duel(pair.sentence, pair.rule, *two))
    return found


def twins(pairs, seed: int) -> list[Duel]:
    """Counterfactual duels: both replies say the same, faultless; the rejected one promises something, too."""
    rng, found = random.Random(f"twins {seed}"), []
    for pair in pairs:
        plainly = write_reply(pair.rule, rng)
        promise = rng.choice(PROMISES).format(rng.choice((5, 10, 15, 20, 30, 45)))
        found.append(Duel(pair.sentence, pair.rule, plainly, f"{plainly} {promise}"))
    return found


def speak(model, tokenizer, asked: dict, most: int = 40) -> list[str]:
    """One reply per request, drawn at temperature 1, of at most so many tokens.  asked: number → request.

    A draw is the largest of (score + Gumbel noise), which is exactly a draw from the softmax.  Each request has its own
    noise, seeded by its number: the same for every policy, whoever else is in the batch.
    """
    import torch

    tokenizer.padding_side = "left"
    sentences = [prompt(tokenizer, request.sentence, SYSTEM) for request in asked.values()]
    batch = tokenizer(sentences, padding=True, return_tensors="pt", add_special_tokens=False)
    dice = [torch.Generator().manual_seed(number) for number in asked]
    ids, mask, cache, said = batch["input_ids"], batch["attention_mask"], None, []
    place, going = (mask.cumsum(1) - 1).clamp(min=0), torch.ones(len(asked), 1, dtype=torch.bool)
    with torch.no_grad():
        while len(said) < most and going.any():
            out = model(ids, attention_mask=mask, position_ids=place, past_key_values=cache, logits_to_keep=1)
            noise = [-torch.empty(out.logits.shape[-1]).exponential_(generator=each).log() for each in dice]
            ids, cache = (out.logits[:, -1] + torch.stack(noise)).argmax(-1, keepdim=True), out.past_key_values
            said.append(torch.where(going, ids, tokenizer.eos_token_id))
            going &= ids != tokenizer.eos_token_id
            mask, place = torch.cat([mask, torch.ones_like(ids)], 1), place[:, -1:] + 1
    return tokenizer.batch_decode(torch.cat(said, 1), skip_special_tokens=True)


def promises(reply: str) -> bool:
    """Does it hold one of the sentences that promise something?"""
    return any(promise.split("{}")[0] in reply for promise in PROMISES)
