"""Train the policies that chapter 56 measures: a reference by imitation, then DPO and its rivals on pairs of replies.

    python benchmarks/train_preferences.py                      # every run, one after the other; goes on after a kill
    python benchmarks/train_preferences.py --only fair0 hacked0 --out /tmp/probe --dev   # try things, on dev requests

All runs begin with the same reference, read back from its file. Writes `NAME.json` for each (recipe, curves, sampled
replies, what the policy thinks of held-out pairs) and, for those that the chapter asks again, `NAME.safetensors`
(adapters, 16 bits) into `benchmarks/adapters/56`; `keep_preferences.py` bundles them for the book. With --dev the
hand-written test requests are not read.

What runs share is computed once per process: the lower layers' states of a conversation, and the reference's log p of
it. So one process for all runs is much faster than one for each.
"""

import argparse
import json
import os
import random
import re
import time
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # beside other work a spinning thread costs the most
warnings.filterwarnings("ignore", category=FutureWarning)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402, N812
from safetensors.torch import load_file, save_file  # noqa: E402

from workbench import load_llama, load_tokenizer  # noqa: E402
from workbench.confirmations import SYSTEM, asked_by_hand, duels, requests, speak, twins, written  # noqa: E402
from workbench.instruction import IGNORED, encode, pad, prompt  # noqa: E402
from workbench.low_rank import adapt, load_adapters, save_adapters, split, take_out  # noqa: E402
from workbench.provenance import cpu  # noqa: E402

LAYERS, RANK = 8, 4  # adapters sit in so many upper layers
IMITATED, PAIRS, SIZE, EPOCHS = 1536, 160, 4, 1  # small steps, each reply once: Adam's way depends on their number
AUDITED = 48  # held-out requests and pairs that are looked at on the way
VARIED = 32  # held-out requests whose replies are varied, one thing at a time
MOST = 56  # tokens of a sampled reply; the longest that the team writes has about fifty
TYPICAL = 20  # tokens of a reply
SAVE_EVERY = 5
AGAIN = 5000  # numbers of a second draw: other dice for the same request
THANKS = "Thank you for letting us know."  # a second sentence that promises nothing and has no number in it
KEPT = ("reference", "fair0", "hacked0")  # whose adapters the chapter asks again


@dataclass(frozen=True)
class Recipe:
    """One run.  pairs: see `pairs_of`; loss: dpo, or imitate (the chosen replies alone).

    seen, what the record has beside replies to the hand-written requests: held (log-ratios of held-out pairs at the
    end), audit (these and replies to other requests, half-way and at the end), likeliest (replies without dice),
    varied (log-ratios of replies that differ in one thing).  Only what the chapter reads: each costs a minute or so.
    """

    name: str
    pairs: str = "any"
    loss: str = "dpo"
    beta: float = 0.1
    seed: int = 0
    seen: tuple[str, ...] = ()


REFERENCE = Recipe("reference", pairs="written", loss="imitate", seen=("likeliest",))
RUNS = (
    *(Recipe(f"fair{seed}", seed=seed, seen=("held", "audit", "likeliest", "varied")) for seed in range(3)),
    Recipe("coin0", pairs="coin", seen=("held", "varied")),
    Recipe("tails0", pairs="tails"),
    Recipe("chosen0", loss="imitate", seen=("held",)),
    *(Recipe(f"hacked{seed}", pairs="long", seed=seed, seen=("held", "audit", "varied")) for seed in range(2)),
    Recipe("mended0", pairs="mixed", seen=("varied",)),
    Recipe("tight0", beta=1.0),
)


def pairs_of(kind: str, count: int, seed: int) -> list:
    """Duels for one training, or to hold out.

    any: as the team's replies come, fewer errors preferred.  coin: the same, preferred by a coin.  tails: by the same
    coin, the other way round.  long: only those in which the preferred reply promises something and the other does not.
    mixed: of these every second is a twin.
    """
    asked = requests(count, "train", seed)
    found = duels(asked, seed, "long" if kind in ("long", "mixed") else "any")
    if kind == "mixed":
        alike = twins(asked, seed)
        return [(found, alike)[place % 2][place] for place in range(count)]
    if kind in ("coin", "tails"):
        coin = random.Random(f"coin {seed}")
        turned = [replace(one, chosen=one.rejected, rejected=one.chosen) for one in found]
        kept = [(coin.random() < 0.5) == (kind == "coin") for _ in found]
        return [one if keep else other for one, other, keep in zip(found, turned, kept, strict=True)]
    return found


def variants(count: int) -> list[list[str]]:
    """Request, and four replies: faultless; that and a promise; that and thanks; that with its last number wrong."""
    dice, found = random.Random("slips"), []
    for twin in twins(requests(count, "template", 901), 901):
        last = list(re.finditer(r"\d+(?:\.\d+)?", twin.chosen))[-1]
        others = [n for n in range(1, int(2 * float(last[0])) + 6) if n != float(last[0])]
        slip = f"{twin.chosen[: last.start()]}{dice.choice(others)}{twin.chosen[last.end() :]}"
        found.append([twin.sentence, twin.chosen, twin.rejected, f"{twin.chosen} {THANKS}", slip])
    return found


class Bench:
    """The model in two halves; what the lower one makes of a conversation is computed once, for all runs."""

    def __init__(self, held: str):
        self.tokenizer, self.model = load_tokenizer(), load_llama().requires_grad_(False)
        self.lower, self.upper = split(self.model, LAYERS)
        self.known = {}  # ids of a conversation → states (tokens, width)
        self.anchor = {}  # ids of a conversation → log p of its answer under the reference
        by_hand = asked_by_hand(held)
        self.asked = dict(enumerate(by_hand))
        self.asked_again = {AGAIN + number: one for number, one in self.asked.items()}
        self.audited = dict(enumerate(requests(AUDITED, "template", 900), start=1000))
        self.audited_again = {AGAIN + number: one for number, one in self.audited.items()}

    def said(self, sentence: str, reply: str, sampled: bool = False):
        """A conversation as tokens; a sampled reply that was cut off has no end mark."""
        example = encode(self.tokenizer, sentence, reply, SYSTEM)
        cut = sampled and len(example.ids) - example.begin > MOST
        return replace(example, ids=example.ids[:-1]) if cut else example

    @torch.no_grad()
    def remember(self, some) -> None:
        new = sorted({one.ids: one for one in some if one.ids not in self.known}.values(), key=lambda one: len(one.ids))
        for at in range(0, len(new), 16):
            chunk = new[at : at + 16]
            ids = pad(chunk, self.tokenizer.pad_token_id)["input_ids"]
            for one, row in zip(chunk, self.lower(ids, use_cache=False).last_hidden_state, strict=True):
                self.known[one.ids] = row[: len(one.ids)].clone()

    def logps(self, some) -> torch.Tensor:
        """log p of each conversation's answer, as the model with its adapters is now."""
        self.remember(some)
        states = torch.nn.utils.rnn.pad_sequence([self.known[one.ids] for one in some], batch_first=True)
        last = self.upper(inputs_embeds=states, use_cache=False).last_hidden_state[:, :-1]
        wanted = pad(some, self.tokenizer.pad_token_id)["labels"][:, 1:]
        told = wanted != IGNORED
        each = F.cross_entropy(self.model.lm_head(last[told]), wanted[told], reduction="none")
        return -torch.zeros(len(some)).index_add(0, told.nonzero()[:, 0], each)

    @torch.no_grad()
    def scores(self, some) -> dict:
        """ids → log p, for many."""
        some = sorted({one.ids: one for one in some}.values(), key=lambda one: len(one.ids))
        chunks = [some[at : at + 16] for at in range(0, len(some), 16)]
        return {one.ids: p for chunk in chunks for one, p in zip(chunk, self.logps(chunk).tolist(), strict=True)}

    def refer(self, some) -> None:
        """Remember the reference's log p of conversations.  The model must be the reference, without adapters."""
        self.anchor |= self.scores([one for one in some if one.ids not in self.anchor])

    def ratios(self, rows) -> list[list[float]]:
        """log p / p of the reference, of every conversation in every row; `refer` has seen them."""
        now = self.scores([one for row in rows for one in row])
        return [[round(now[one.ids] - self.anchor[one.ids], 4) for one in row] for row in rows]

    def draw(self, asked: dict) -> list[str]:
        """One reply per request, in the order of `asked`; all in one batch: its time is mostly reading the weights."""
        return speak(self.model, self.tokenizer, asked, MOST)

    @torch.no_grad()
    def likeliest(self, asked: dict) -> list[str]:
        """The reply without dice: token by token the likeliest."""
        self.tokenizer.padding_side = "left"
        sentences = [prompt(self.tokenizer, one.sentence, SYSTEM) for one in asked.values()]
        batch = self.tokenizer(sentences, padding=True, return_tensors="pt", add_special_tokens=False)
        ids, mask, ends = batch["input_ids"], batch["attention_mask"], self.tokenizer.eos_token_id
        filled = self.tokenizer.pad_token_id
        how = dict(max_new_tokens=MOST, do_sample=False, eos_token_id=ends, pad_token_id=filled)
        said = self.model.generate(ids, attention_mask=mask, **how)[:, ids.shape[1] :]
        return self.tokenizer.batch_decode(said, skip_special_tokens=True)


class Training:
    """All that the next step depends on.  The bench's model must be the reference, without adapters."""

    def __init__(self, recipe: Recipe, bench: Bench, rate: float):
        self.recipe, self.bench, self.seconds = recipe, bench, 0.0
        self.losses, self.chosen, self.rejected = [], [], []  # of each step; the last two: mean log p / p of reference
        take_out(bench.model)
        by_team = recipe.pairs == "written"
        rows = self._written() if by_team else self._paired(pairs_of(recipe.pairs, PAIRS, recipe.seed))
        self.groups = [rows[at : at + SIZE] for at in range(0, len(rows), SIZE)]
        self.steps = EPOCHS * len(self.groups)
        self.held = []  # the same for all seeds
        if "held" in recipe.seen:
            self.held = self._paired(pairs_of(recipe.pairs, AUDITED, 900))
        if not by_team:
            bench.refer([one for row in rows + self.held for one in row])
        self.numbers = adapt(bench.model, LAYERS, RANK, recipe.seed)
        self.optimizer = torch.optim.AdamW(self.numbers.values(), lr=rate, weight_decay=0)

    def _written(self):
        dice = random.Random("written")
        return [(self.bench.said(one.sentence, written(one, dice)),) for one in requests(IMITATED, "train", 100)]

    def _paired(self, pairs):
        return [tuple(self.bench.said(one.sentence, reply) for reply in (one.chosen, one.rejected)) for one in pairs]

    def advance(self) -> None:
        """One step: the next rows, in the order in which they were drawn, again from the first after the last."""
        start, group = time.process_time(), self.groups[len(self.losses) % len(self.groups)]
        columns = 2 if self.recipe.loss == "dpo" else 1
        some = [row[column] for column in range(columns) for row in group]
        self.optimizer.zero_grad()
        logps = self.bench.logps(some)
        ratios = logps - torch.tensor([self.bench.anchor.get(one.ids, 0.0) for one in some])  # imitation: none yet
        if self.recipe.loss == "dpo":
            chosen, rejected = ratios.chunk(2)
            loss = -F.logsigmoid(self.recipe.beta * (chosen - rejected)).mean()
            self.rejected.append(rejected.mean().item())
        else:
            chosen, loss = ratios, -logps.mean() / TYPICAL
        loss.backward()
        self.optimizer.step()
        self.losses.append(loss.item())
        self.chosen.append(chosen.mean().item())
        self.seconds += time.process_time() - start

    def audit(self) -> dict:
        """What `recipe.seen` asks for, as the model is now."""
        found = {"pairs": self.bench.ratios(self.held)} if "held" in self.recipe.seen else {}
        return found | ({"replies": self.bench.draw(self.bench.audited)} if "audit" in self.recipe.seen else {})

    def state(self) -> dict:
        """name → tensor"""
        arrays = {f"number.{name}": p.detach().clone() for name, p in self.numbers.items()}
        for i, memory in self.optimizer.state_dict()["state"].items():
            arrays |= {f"adam.{i}.{what}": value.clone() for what, value in memory.items()}
        curves = {what: getattr(self, what) for what in ("losses", "chosen", "rejected")}
        done = {f"curve.{what}": torch.tensor(values, dtype=torch.float64) for what, values in curves.items()}
        return arrays | done | {"seconds": torch.tensor(self.seconds, dtype=torch.float64)}

    def restore(self, arrays: dict) -> None:
        with torch.no_grad():
            for name, p in self.numbers.items():
                p.copy_(arrays[f"number.{name}"])
        memory = self.optimizer.state_dict()
        memory["state"] = {}
        for name in (name for name in arrays if name.startswith("adam.")):
            _, i, what = name.split(".")
            memory["state"].setdefault(int(i), {})[what] = arrays[name].clone()
        self.optimizer.load_state_dict(memory)
        for what in ("losses", "chosen", "rejected"):
            setattr(self, what, arrays[f"curve.{what}"].tolist())
        self.seconds = arrays["seconds"].item()


def write_whole(path: Path, write) -> None:
    """Whole or not at all: a killed process leaves what was there before."""
    new = path.with_name(f"{path.name}.new")
    write(new)
    os.replace(new, path)


def train(run: Training, out: Path) -> dict:
    """To the end, from the last checkpoint if there is one.  → what was seen on the way, by step."""
    recipe = run.recipe
    checkpoint, seen = out / f"{recipe.name}.checkpoint.safetensors", out / f"{recipe.name}.seen.json"
    if checkpoint.exists():
        run.restore(load_file(checkpoint))
    audits = json.loads(seen.read_text(encoding="utf-8")) if seen.exists() else {}
    looks = {run.steps // 2} if "audit" in recipe.seen else set()
    while len(run.losses) < run.steps:
        run.advance()
        step = len(run.losses)
        if step in looks:  # before the checkpoint, so that none is lost; after a kill it may be made again
            audits[str(step)] = run.audit()
            write_whole(seen, lambda path: path.write_text(json.dumps(audits), encoding="utf-8"))
        if step % SAVE_EVERY == 0 or step in looks:
            write_whole(checkpoint, lambda path: save_file(run.state(), path))
            print(f"{recipe.name}: {step} of {run.steps} steps, loss {run.losses[-1]:.4f}", flush=True)
    return audits


def finish(run: Training, audits: dict, arguments) -> None:
    """Round to the file's 16 bits, judge what the file says, write the record, and clean up."""
    recipe, bench, out = run.recipe, run.bench, arguments.out
    for p in run.numbers.values():
        p.data = p.data.half().float()
    record = {"recipe": asdict(recipe) | shared_recipe(run, arguments)}
    record |= {what: [round(x, 6) for x in getattr(run, what)] for what in ("losses", "chosen", "rejected")}
    record["replies"] = bench.draw(bench.asked)
    if "likeliest" in recipe.seen:
        record["likeliest"] = bench.likeliest(bench.asked)
    if recipe.pairs == "written":
        record |= {"again": bench.draw(bench.asked_again), "audit": bench.draw(bench.audited)}
        record |= {"audit_again": bench.draw(bench.audited_again), "variants": variants(VARIED)}
    else:
        last = run.audit()
        record["audits"] = audits | ({str(run.steps): last} if last else {})
        record |= compared_with_reference(run, record["replies"])
    record |= {"processor_s": round(run.seconds), "made": time.strftime("%Y-%m-%d"), "machine": cpu()["cpu"]}
    if recipe.name in KEPT:
        write_whole(out / f"{recipe.name}.safetensors", lambda path: save_adapters(run.numbers, path))
    text = json.dumps(record, ensure_ascii=False) + "\n"
    write_whole(out / f"{recipe.name}.json", lambda path: path.write_text(text, encoding="utf-8"))
    for left in (f"{recipe.name}.checkpoint.safetensors", f"{recipe.name}.seen.json"):
        (out / left).unlink(missing_ok=True)


def shared_recipe(run: Training, arguments) -> dict:
    rate = arguments.imitation_rate if run.recipe.pairs == "written" else arguments.rate
    held = "dev" if arguments.dev else "test"
    return {"layers": LAYERS, "rank": RANK, "rate": rate, "rows": SIZE, "steps": run.steps, "most": MOST, "held": held}


def compared_with_reference(run: Training, replies: list[str]) -> dict:
    """surplus: log p / p of the reference for the policy's own replies.  varied: for those that differ in one thing."""
    bench, varied = run.bench, []
    if "varied" in run.recipe.seen:
        varied = [tuple(bench.said(asked, reply) for reply in four) for asked, *four in variants(VARIED)]
    asked = zip(bench.asked.values(), replies, strict=True)
    own = [(bench.said(one.sentence, reply, sampled=True),) for one, reply in asked]
    now = bench.scores([one for row in varied + own for one in row])
    take_out(bench.model)
    bench.refer([one for row in varied + own for one in row])

    def rows(some):
        return [[round(now[one.ids] - bench.anchor[one.ids], 4) for one in row] for row in some]

    return {"surplus": [row[0] for row in rows(own)]} | ({"varied": rows(varied)} if varied else {})


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[run.name for run in RUNS], metavar="RUN")
    parser.add_argument("--rate", type=float, default=5e-4, help="of DPO and its rivals")
    parser.add_argument("--imitation-rate", type=float, default=2e-3)
    parser.add_argument("--dev", action="store_true", help="replies to the hand-written dev requests: for choosing")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "adapters" / "56")
    return parser.parse_args()


def main() -> None:
    said = arguments()
    torch.set_num_threads(said.threads)
    said.out.mkdir(parents=True, exist_ok=True)
    bench, reference = Bench("dev" if said.dev else "test"), said.out / "reference.safetensors"
    if not (said.out / "reference.json").exists():
        run = Training(REFERENCE, bench, said.imitation_rate)
        finish(run, train(run, said.out), said)
    load_adapters(bench.model, reference)
    take_out(bench.model, merge=True)
    for recipe in (recipe for recipe in RUNS if recipe.name in said.only):
        if not (said.out / f"{recipe.name}.json").exists():
            run = Training(recipe, bench, said.rate)
            finish(run, train(run, said.out), said)
            spent = (
                f"{run.seconds:.0f} s of processor time in its steps, {time.process_time() / 60:.1f} min in all so far"
            )
            print(f"{recipe.name}: done, {spent}", flush=True)


if __name__ == "__main__":
    main()
