"""Train the adapters that chapter 52 measures: LoRA on SmolLM2 for alarm rules, one pass over generated pairs.

    python benchmarks/train_alarm_rules.py --seed 0   # resumes where it was killed
    python benchmarks/train_alarm_rules.py --seed 0 --counts 2048 --shuffled   # control: answers of other sentences

Every example is seen once. One trunk runs at a constant rate; for each count a branch leaves it, whose rate falls to
nothing over the last quarter of the count, so that each size of data has a finished training of its own. Writes
`benchmarks/adapters/52/NAME.safetensors` (peft's names, fp16) and `NAME.json` (recipe, loss of every step, scores on
what may be chosen on, machine, date). Never reads the hand-written test sentences.
"""

import argparse
import json
import os
import random
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # beside other work a spinning thread costs the most
warnings.filterwarnings("ignore", category=FutureWarning)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402, N812
from peft import LoraConfig, get_peft_model  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from torch import nn  # noqa: E402

from workbench import load_llama, load_tokenizer  # noqa: E402
from workbench.alarm_data import hand_written  # noqa: E402
from workbench.alarm_generator import generate  # noqa: E402
from workbench.alarm_rules import write  # noqa: E402
from workbench.files import write_text  # noqa: E402
from workbench.instruction import IGNORED, batches, encode, examples, pad  # noqa: E402
from workbench.provenance import cpu  # noqa: E402

SYSTEM = "Alarm rule:"  # short: its tokens are read at every step
MATRICES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
WARM_UP = 10
TYPICAL = 37  # tokens of an answer, the mean over the generator's
SAVE_EVERY = 20
SAID = ("seed", "rank", "first_layer", "size", "rate", "shuffled", "mean", "scattered")  # of the recipe, in the record


class Half(nn.Linear):
    """A frozen layer that multiplies in bf16: half the time where the processor can, the same losses to 0.01."""

    def forward(self, x):
        return F.linear(x.bfloat16(), self.weight).float()


def build(recipe):
    """The model with fresh adapters in its upper layers.  → model, the numbers that move."""
    model = load_llama().requires_grad_(False)
    torch.manual_seed(recipe.seed)
    layers = list(range(recipe.first_layer, model.config.num_hidden_layers))
    config = LoraConfig(r=recipe.rank, lora_alpha=2 * recipe.rank, target_modules=MATRICES, layers_to_transform=layers)
    peft = get_peft_model(model, config)
    frozen = [one for one in model.modules() if type(one) is nn.Linear and not one.weight.requires_grad]
    model.lm_head.weight = nn.Parameter(model.lm_head.weight.data.clone(), requires_grad=False)  # the embedding's own
    for one in frozen:
        one.__class__, one.weight.data = Half, one.weight.data.bfloat16()
    return model, {name: p for name, p in peft.named_parameters() if p.requires_grad}


def answers_loss(model, batch, mean=False):
    """Surprise of the answers' tokens, in nats per TYPICAL tokens; the head reads no other place.

    mean: per token of this batch instead.  Then a batch of short answers weighs as much as one of long ones, its tokens
    several times as much; in batches alike in length that teaches a model to give short answers.
    """
    states = model.model(batch["input_ids"], use_cache=False).last_hidden_state[:, :-1]
    wanted = batch["labels"][:, 1:]
    learnt = wanted != IGNORED
    total = F.cross_entropy(model.lm_head(states[learnt]), wanted[learnt], reduction="sum")
    return total / (learnt.sum() if mean else len(wanted) * TYPICAL)


@torch.no_grad()
def would_write(model, some, pad_id, size=16):
    """For each example: is every token of its answer the likeliest one?  Then greedy decoding writes exactly it."""
    order, right = sorted(range(len(some)), key=lambda i: len(some[i].ids)), [False] * len(some)
    for at in range(0, len(order), size):
        batch = pad([some[i] for i in order[at : at + size]], pad_id)
        states = model.model(batch["input_ids"], use_cache=False).last_hidden_state[:, :-1]
        wanted = batch["labels"][:, 1:]
        missed = torch.zeros(wanted.shape, dtype=torch.bool)
        learnt = wanted != IGNORED
        missed[learnt] = model.lm_head(states[learnt]).argmax(-1) != wanted[learnt]
        for i, row in zip(order[at : at + size], missed, strict=True):
            right[i] = not row.any().item()
    return right


def training_set(tokenizer, recipe):
    """Pairs in the generator's order; shuffled: with the answers of other sentences, the same tokens in all."""
    pairs = generate(max(recipe.counts), "train", recipe.seed)
    if not recipe.shuffled:
        return examples(tokenizer, pairs, SYSTEM)
    answers = [write(pair.rule) for pair in pairs]
    random.Random(recipe.seed).shuffle(answers)
    return [encode(tokenizer, pair.sentence, answer, SYSTEM) for pair, answer in zip(pairs, answers, strict=True)]


def in_pools(some, size, pad_id, seed, pool=4):
    """Batches of `size`, alike in length within pools of `pool` batches, the pools in the order given; 1: not."""
    for start in range(0, len(some), size * pool):
        yield from batches(some[start : start + size * pool], size, pad_id, seed + start, pool)


def rate_at(step, steps, rate):
    """Up in WARM_UP steps, level, down to nothing over the last quarter.  steps None: the trunk, which never ends."""
    falling = 1 if steps is None else (steps - step) / (steps - branches_at(steps))
    return rate * min((step + 1) / WARM_UP, falling, 1)


def branches_at(steps):
    return steps * 3 // 4


class Training:
    """All that the next step depends on."""

    def __init__(self, recipe, tokenizer):
        self.recipe, self.losses, self.seconds = recipe, [], 0.0
        self.model, self.numbers = build(recipe)
        self.optimizer = torch.optim.AdamW(self.numbers.values(), lr=recipe.rate, weight_decay=0)
        some = training_set(tokenizer, recipe)
        pool = 1 if recipe.scattered else 4
        self.batches = list(in_pools(some, recipe.size, tokenizer.pad_token_id, recipe.seed, pool))

    def advance(self, steps=None):
        """One step.  steps: of the branch that this step belongs to, or None for the trunk."""
        start, step = time.process_time(), len(self.losses)
        self.optimizer.param_groups[0]["lr"] = rate_at(step, steps, self.recipe.rate)
        self.optimizer.zero_grad()
        loss = answers_loss(self.model, self.batches[step], self.recipe.mean)
        loss.backward()
        nn.utils.clip_grad_norm_(self.numbers.values(), 1.0)
        self.optimizer.step()
        self.losses.append(loss.item())
        self.seconds += time.process_time() - start

    def state(self):
        """name → tensor"""
        arrays = {f"number.{name}": p.detach().clone() for name, p in self.numbers.items()}
        for i, memory in self.optimizer.state_dict()["state"].items():
            arrays |= {f"adam.{i}.{what}": value.clone() for what, value in memory.items()}
        done = {"losses": torch.tensor(self.losses, dtype=torch.float64), "seconds": torch.tensor(self.seconds)}
        return arrays | done

    def restore(self, arrays):
        with torch.no_grad():
            for name, p in self.numbers.items():
                p.copy_(arrays[f"number.{name}"])
        memory = self.optimizer.state_dict()
        memory["state"] = {}
        for name in (name for name in arrays if name.startswith("adam.")):
            _, i, what = name.split(".")
            memory["state"].setdefault(int(i), {})[what] = arrays[name].clone()
        self.optimizer.load_state_dict(memory)
        self.losses, self.seconds = arrays["losses"].tolist(), arrays["seconds"].item()

    def save(self, path):
        """Whole or not at all: a killed process leaves the last checkpoint."""
        save_file(self.state(), f"{path}.new")
        os.replace(f"{path}.new", path)


def judge(model, tokenizer, held):
    """Shares of answers that come out letter for letter, on what may be chosen on; never on the test sentences."""
    sets = {"dev": hand_written("dev")}
    sets |= {kind: generate(held, kind, 1000) for kind in ("template", "value")}
    scores = {}
    for kind, some in sets.items():
        right = would_write(model, examples(tokenizer, some, SYSTEM), tokenizer.pad_token_id)
        scores[kind] = {"right": sum(right), "of": len(right)}
    return scores


def branch(run, count, tokenizer, name):
    """Leave the trunk, let the rate fall, judge, write the adapter and its record, and go back to the trunk."""
    trunk, recipe = run.state(), run.recipe
    steps = count // recipe.size
    while len(run.losses) < steps:
        run.advance(steps)
    scores = judge(run.model, tokenizer, recipe.held)
    arrays = {key.replace(".default", ""): p.detach().half() for key, p in run.numbers.items()}
    save_file(arrays, recipe.out / f"{name}.safetensors", metadata={"format": "pt"})
    said = {key: getattr(recipe, key) for key in SAID}
    record = {"recipe": said | {"count": count, "system": SYSTEM}, "scores": scores, "processor_s": round(run.seconds)}
    record |= {"made": time.strftime("%Y-%m-%d"), "machine": cpu()["cpu"], "losses": [round(x, 4) for x in run.losses]}
    write_text(json.dumps(record) + "\n", recipe.out / f"{name}.json")  # whole: its being there says "finished"
    print(name, scores, f"{run.seconds:.0f} s of processor time", flush=True)
    run.restore(trunk)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    numbers = {"seed": 0, "rank": 8, "first-layer": 15, "size": 4, "held": 60, "threads": 2}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--counts", type=int, nargs="+", default=[512, 2048, 8192])
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--shuffled", action="store_true", help="control: every sentence gets another one's answer")
    parser.add_argument("--mean", action="store_true", help="control: the loss is a mean over the batch's own tokens")
    parser.add_argument("--scattered", action="store_true", help="control: batches are not alike in length")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "adapters" / "52")
    return parser.parse_args()


def main():
    recipe, tokenizer = arguments(), load_tokenizer()
    torch.set_num_threads(recipe.threads)
    recipe.out.mkdir(parents=True, exist_ok=True)
    kind = next((name for name in ("scattered", "shuffled", "mean") if getattr(recipe, name)), "seed")
    run, checkpoint = Training(recipe, tokenizer), recipe.out / f"{kind}{recipe.seed}.checkpoint.safetensors"
    if checkpoint.exists():
        run.restore(load_file(checkpoint))
    for count in sorted(recipe.counts):
        name = f"{kind}{recipe.seed}_{count}"
        if (recipe.out / f"{name}.json").exists():
            continue
        while len(run.losses) < branches_at(count // recipe.size):
            run.advance()
            if len(run.losses) % SAVE_EVERY == 0:
                run.save(checkpoint)
                print(
                    f"{kind}{recipe.seed}: {len(run.losses)} steps, loss {sum(run.losses[-20:]) / 20:.3f}", flush=True
                )
        run.save(checkpoint)
        branch(run, count, tokenizer, name)


if __name__ == "__main__":
    main()
