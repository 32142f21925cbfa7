"""Train the adapters that chapter 54 compares with those of chapter 52: other ranks, and alarm rules with rehearsal.

    python benchmarks/train_forgetting.py                                # every arm; resumes where it was killed
    python benchmarks/train_forgetting.py --only rank1_seed0             # one of them
    python benchmarks/train_forgetting.py --only rank1_seed0 --rate 3e-3   # what is not known here goes to chapter 52's

Every arm but the "after" ones sees the first 2,048 pairs of chapter 52's training and its schedule; its `seed*_2048`
are the arms without a change.  Rehearsal is added to these pairs, it replaces none: prompts of
`book/data/ordinary_requests`, none of which is judged, with what the *untouched* model replied to them
(`answer_ordinary.py rehearse` asks it first), under the model's own system prompt.  The "strangers" arm has the same
prompts and the same replies, dealt anew.  The "after" arms begin where chapter 52's largest training ended and see
nothing but rehearsal: is what seems lost still there?

Writes `benchmarks/adapters/54/NAME.safetensors` and `NAME.json`.  Never reads a judged request or a test sentence.
"""

import argparse
import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

import train_alarm_rules  # it tells OpenMP to wait quietly, before it imports torch
from train_alarm_rules import Training, branch, branches_at, in_pools, load_file, torch, training_set

from workbench import load_tokenizer
from workbench.instruction import encode
from workbench.ordinary import DEFAULT

FOLDER = Path(__file__).parent / "adapters" / "54"
LARGEST = FOLDER.with_name("52")  # what the "after" arms begin with: its seed*_8192
TASK = 2048  # pairs of sentence and rule, in every arm


@dataclass(frozen=True)
class Arm:
    """One training.  rehearsed: ordinary pairs added; strangers: with each other's replies; after: and nothing else."""

    seed: int
    rank: int = 8
    rehearsed: int = 0
    strangers: bool = False
    after: bool = False

    @property
    def name(self) -> str:
        kind = f"strangers{self.rehearsed}" if self.strangers else f"rehearsed{self.rehearsed}"
        kind = f"after_{kind}" if self.after else kind
        return f"{kind if self.rehearsed else f'rank{self.rank}'}_seed{self.seed}"


ARMS = (  # what the chapter needs most comes first
    Arm(0, rehearsed=256),
    Arm(0, rehearsed=256, strangers=True),
    Arm(0, rank=1),
    Arm(0, rank=64),
    Arm(1, rehearsed=256),
    Arm(2, rehearsed=256),
    Arm(0, rehearsed=64),
    Arm(0, rehearsed=256, after=True),
    Arm(0, rehearsed=256, strangers=True, after=True),
)


def rehearsal_examples(tokenizer, arm: Arm, folder: Path) -> list:
    """The first prompts of the rehearsal with the untouched model's replies, or with each other's."""
    lines = (folder / "rehearsal.jsonl").read_text(encoding="utf-8").splitlines()[: arm.rehearsed]
    pairs = [json.loads(line) for line in lines]
    if len(pairs) < arm.rehearsed:
        raise SystemExit(f"{len(pairs)} replies of {arm.rehearsed}: run answer_ordinary.py rehearse first")
    replies = [pair["reply"] for pair in pairs]
    if arm.strangers:
        random.Random(arm.seed).shuffle(replies)
    return [
        encode(tokenizer, pair["prompt"], reply, DEFAULT) for pair, reply in zip(pairs, replies, strict=True) if reply
    ]


def spread(lessons: list, others: list, seed: int) -> list:
    """Both lists in one, each in its own order, the others at random places: no block of either."""
    total = len(lessons) + len(others)
    places = set(random.Random(seed).sample(range(total), len(others)))
    first, second = iter(lessons), iter(others)
    return [next(second) if place in places else next(first) for place in range(total)]


class Mixed(Training):
    """Chapter 52's training on alarm rules and rehearsal; or, from an adapter of chapter 52, on rehearsal alone."""

    def __init__(self, recipe, tokenizer, others: list, begin: Path | None = None):
        super().__init__(recipe, tokenizer)
        if begin:
            found = load_file(begin)
            with torch.no_grad():
                for name, number in self.numbers.items():
                    number.copy_(found[name.replace(".default", "")])
        if others:
            some = others if begin else spread(training_set(tokenizer, recipe), others, recipe.seed)
            self.batches = list(in_pools(some, recipe.size, tokenizer.pad_token_id, recipe.seed))


def recipe_of(arm: Arm, folder: Path, more: list[str]):
    """Chapter 52's recipe with this arm's rank and seed, and whatever else was asked for.

    Only dev is judged after the training, no generated sentences: the chapter judges answers that the engine gave.
    """
    told = ["train", "--seed", arm.seed, "--rank", arm.rank, "--counts", TASK, "--held", 0, "--out", folder, *more]
    with mock.patch.object(sys, "argv", list(map(str, told))):
        return train_alarm_rules.arguments()


def train(arm: Arm, tokenizer, folder: Path, more: list[str]) -> None:
    """Train one arm to the end of its schedule, or go on where it was killed."""
    recipe = recipe_of(arm, folder, more)
    others = rehearsal_examples(tokenizer, arm, folder) if arm.rehearsed else []
    begin = LARGEST / f"seed{arm.seed}_8192.safetensors" if arm.after else None
    run, checkpoint = Mixed(recipe, tokenizer, others, begin), folder / f"{arm.name}.checkpoint.safetensors"
    if checkpoint.exists():
        run.restore(load_file(checkpoint))
    task = 0 if arm.after else TASK
    count = (task + len(others)) // recipe.size * recipe.size
    while len(run.losses) < branches_at(count // recipe.size):
        run.advance()
        if len(run.losses) % train_alarm_rules.SAVE_EVERY == 0:
            run.save(checkpoint)
            print(f"{arm.name}: {len(run.losses)} steps, loss {sum(run.losses[-20:]) / 20:.3f}", flush=True)
    run.save(checkpoint)
    branch(run, count, tokenizer, arm.name)
    path = folder / f"{arm.name}.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["recipe"] |= asdict(arm) | {"task": task, "others": len(others)}
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    checkpoint.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=[arm.name for arm in ARMS], help="these arms alone")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--threads", type=int, default=2)
    wish, more = parser.parse_known_args()
    torch.set_num_threads(wish.threads)
    wish.folder.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer()
    for arm in ARMS:
        if (not wish.only or arm.name in wish.only) and not (wish.folder / f"{arm.name}.json").exists():
            train(arm, tokenizer, wish.folder, more)


if __name__ == "__main__":
    main()
