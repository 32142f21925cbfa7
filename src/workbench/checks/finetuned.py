"""Checks for chapter 52: an adapter's bytes, equal rules, a paired gain.  (`finetuned_release` decides what ships.)"""

import json
from collections.abc import Callable

import numpy as np

from workbench.checks.answers import NONE, number, parts
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 52.1

SMALL = {"hidden_size": 64, "intermediate_size": 160, "heads": 4, "kv_heads": 2, "layers": 6}
SMOLLM2 = {"hidden_size": 576, "intermediate_size": 1536, "heads": 9, "kv_heads": 3, "layers": 30}
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]


def _shapes(model: dict) -> dict[str, tuple[int, int]]:
    """Module → (out, in)."""
    wide, inner = model["hidden_size"], model["intermediate_size"]
    narrow = wide * model["kv_heads"] // model["heads"]
    shapes = {"q_proj": (wide, wide), "k_proj": (narrow, wide), "v_proj": (narrow, wide), "o_proj": (wide, wide)}
    return shapes | {"gate_proj": (inner, wide), "up_proj": (inner, wide), "down_proj": (wide, inner)}


def _numbers(config: dict, model: dict) -> int:
    shapes = _shapes(model)
    a_layer = sum(config["r"] * sum(shapes[module]) for module in config["target_modules"])
    return a_layer * len(config["layers_to_transform"])


@check("52.1")
def check_adapter_size(adapter_size: Callable) -> str:
    """adapter_size(config, model, bytes_each) → bytes of A and B of every module in every named layer."""
    every = [*ATTENTION, "gate_proj", "up_proj", "down_proj"]
    cases = [
        ({"r": 4, "target_modules": ["q_proj", "down_proj"], "layers_to_transform": [3, 4, 5]}, SMALL, 2),
        ({"r": 8, "target_modules": every, "layers_to_transform": list(range(30))}, SMOLLM2, 4),
        ({"r": 2, "target_modules": ["k_proj", "v_proj"], "layers_to_transform": [0]}, SMOLLM2, 2),
    ]
    for config, model, each in cases:
        wanted = each * _numbers(config, model)
        got = number(adapter_size(json.loads(json.dumps(config)), dict(model), each), "The bytes")
        if got == wanted:
            continue
        same_heads, all_layers = model | {"kv_heads": model["heads"]}, {"layers_to_transform": range(model["layers"])}
        shapes = [_shapes(model)[module] for module in config["target_modules"]]
        layers = len(config["layers_to_transform"])
        named = {
            wanted / each: "Those are numbers, not bytes.",
            each * _numbers(config | all_layers, model): "Only the layers in layers_to_transform have adapters.",
            wanted / layers: "That is one layer; layers_to_transform names more.",
            each * _numbers(config, same_heads): "k_proj and v_proj are narrower: they have kv_heads heads, not heads.",
            each
            * layers
            * sum(m * n for m, n in shapes): "Those are the frozen matrices. A is (r, in), B is (out, r).",
            each * layers * config["r"] * sum(n for _, n in shapes): "That is A alone: B has a column of `out` numbers "
            "for each of the r.",
        }
        hint = f"r = {config['r']}, {config['target_modules']}, {layers} layers: {wanted:,} bytes, you have {got:,.0f}."
        raise Hint(named.get(got, hint))
    return "A and B of every module, in the layers that have them"


# ------------------------------------------------------------------ 52.2

FRIDGE = '{"at":["fridge 1","fridge 2"],"for":"90 min","tell":["me","chef"]}'
EQUAL = [
    (FRIDGE, FRIDGE, True, "The same text twice is the same rule."),
    (
        '{"for":"90 min","tell":["me","chef"],"at":["fridge 1","fridge 2"]}',
        FRIDGE,
        True,
        "The order of keys says nothing: compare what is parsed, not the text.",
    ),
    ('{ "at": ["fridge 3"] }', '{"at":["fridge 3"]}', True, "Blanks say nothing: compare what is parsed."),
    (
        '{"at":["fridge 2","fridge 1"],"for":"90 min","tell":["chef","me"]}',
        FRIDGE,
        True,
        "The order in a list of places or people says nothing either.",
    ),
    (FRIDGE.replace("90 min", "5400 s"), FRIDGE, True, "90 min and 5400 s are the same duration: compare seconds."),
    ('{"at":["fridge 1"],"for":"2 h"}', '{"at":["fridge 1"],"for":"120 min"}', True, "2 h are 120 min."),
    (FRIDGE.replace("90 min", "90 s"), FRIDGE, False, "90 s are not 90 min: the unit counts."),
    ('{"at":["fridge 1"]}', '{"at":["fridge 1"],"for":"5 min"}', False, "A duration that is left out is an error."),
    (
        '{"at":["fridge 1"],"for":"5 min"}',
        '{"at":["fridge 1"]}',
        False,
        "A duration that nobody asked for is an error.",
    ),
    ('{"at":["fridge 1"],"tell":["me"]}', '{"at":["fridge 1"]}', False, "An extra key makes it another rule."),
    ("Here is your rule:", '{"at":["fridge 1"]}', False, "What is no JSON is no rule: it is wrong, it must not crash."),
    ('["fridge 1"]', '{"at":["fridge 1"]}', False, "JSON that is no object is wrong, it must not crash."),
    (
        '{"at":["fridge 1"],"for":"soon"}',
        '{"at":["fridge 1"],"for":"5 min"}',
        False,
        "A duration that is none is wrong.",
    ),
]


@check("52.2")
def check_same_rule(same_rule: Callable) -> str:
    """same_rule(answer, gold) → do the two texts mean the same?  Keys at, for, tell; gold is always sound."""
    for answer, gold, wanted, hint in EQUAL:
        try:
            got = same_rule(answer, gold)
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # what reading any text at all may raise
            raise Hint(f"{answer} raised {type(error).__name__}. {hint}") from None
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, bool | np.bool_):
            raise Hint(f"True or False is asked for, not {type(got).__name__}.")
        if bool(got) != wanted:
            raise Hint(f"{hint} ({answer} against {gold})")
    return "equal in meaning, whatever the form; and a model's nonsense is an answer like any other"


# ------------------------------------------------------------------ 52.3


def _contest(seed: int, seeds: int, sentences: int) -> tuple[np.ndarray, np.ndarray]:
    """Right or wrong of trainings (seeds, sentences) and of a prompt (sentences,); hard sentences are hard for all."""
    rng = np.random.default_rng(seed)
    ease = rng.random(sentences)
    old = ease > 0.55
    new = np.stack([ease + rng.normal(0, 0.03, sentences) > 0.3 for _ in range(seeds)])
    return new, old


@check("52.3")
def check_gain_interval(gain_interval: Callable) -> str:
    """gain_interval(new, old) → (gain, low, high) in points, of resampled sentences.  new: (seeds, n), old: (n,)."""
    for seed, seeds, sentences in ((0, 3, 160), (1, 4, 240)):
        new, old = _contest(seed, seeds, sentences)
        each = new.mean(axis=0) - old
        gain, step = 100 * each.mean(), 100 * each.std() / sentences**0.5
        answer = parts(gain_interval(new.copy(), old.copy()), ("gain", "low", "high"))
        if any(part.size != 1 for part in answer):
            raise Hint("Gain, low and high are one number each.")
        got, low, high = (float(part.reshape(())) for part in answer)
        if np.isclose(100 * got, gain):
            raise Hint("Points are asked for: a hundred of them make a whole.")
        if np.isclose(got, -gain):
            raise Hint("The sign is turned: gain is new minus old.")
        if not np.isclose(got, gain, atol=0.01):
            raise Hint(f"The gain is {gain:.2f} points, the mean over seeds and sentences; you have {got:.2f}.")
        if not low < got < high:
            raise Hint("low lies under the gain, high above it.")
        width = (high - low) / (2 * 1.96 * step)
        apart = 100 * np.sqrt((new.mean(axis=0).var() + old.var()) / sentences) / step
        named = {
            1 / 1.96: "That is one standard error to each side; 95 % needs almost two.",
            seeds**-0.5: "Too narrow: the answers of several seeds to one sentence are not independent. Resample "
            "sentences, with all seeds of each.",
            apart: "Too wide: new and old answered the same sentences. Draw sentences, and take both from each draw.",
        }
        if not 0.8 < width < 1.25:
            nearest = min(named, key=lambda factor: abs(np.log(width / factor)))
            close = abs(np.log(width / nearest)) < 0.12
            raise Hint(named[nearest] if close else f"Your interval is {width:.2f} times as wide as it should be.")
    return "the sentence is what was drawn, so the sentence is what is drawn again"
