"""Low-rank adapters in a model's upper layers, as chapter 51 builds them: put in, taken out, merged, kept in a file.

In a file names count from the lowest adapted layer, so that a model with fewer layers can hold the same adapters.
"""

from copy import copy
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

LINEAR = tuple(f"self_attn.{w}_proj" for w in "qkvo") + tuple(f"mlp.{w}_proj" for w in ("gate", "up", "down"))
SCALE = 2.0  # alpha / r


class LoRA(nn.Module):
    """x → W x + 2 B A x with W frozen.  A: (r, in), uniform; B: (out, r), zero at first."""

    def __init__(self, base: nn.Linear, r: int, dice: torch.Generator):
        super().__init__()
        rows, columns = base.weight.shape
        self.base = base
        self.lora_A = nn.Parameter((2 * torch.rand(r, columns, generator=dice) - 1) / columns**0.5)
        self.lora_B = nn.Parameter(torch.zeros(rows, r))

    def forward(self, x):
        return self.base(x) + SCALE * (x @ self.lora_A.T @ self.lora_B.T)


def adapt(model, layers: int, r: int, seed: int = 0) -> dict[str, nn.Parameter]:
    """Freeze the model, put fresh adapters beside all matrices of its upper layers.  → name → parameter

    They change nothing until B moves.  The same numbers for the same seed.
    """
    take_out(model)
    model.requires_grad_(False)
    dice, numbers, first = torch.Generator().manual_seed(seed), {}, len(model.model.layers) - layers
    for k, path in ((k, path) for k in range(layers) for path in LINEAR):
        name = f"model.layers.{first + k}.{path}"
        adapter = LoRA(model.get_submodule(name), r, dice)
        model.set_submodule(name, adapter)
        numbers |= {f"{k}.{path}.lora_A": adapter.lora_A, f"{k}.{path}.lora_B": adapter.lora_B}
    return numbers


def take_out(model, merge: bool = False) -> None:
    """Remove the adapters; with merge, add what they do to the matrices first."""
    for name, module in list(model.named_modules()):
        if isinstance(module, LoRA):
            if merge:
                module.base.weight.data += SCALE * (module.lora_B @ module.lora_A).detach()
            model.set_submodule(name, module.base)


def split(model, layers: int):
    """The model below its upper `layers` (its states, without the norm), and those; both share its modules.

    Lower states never change while only the upper layers learn: compute them once.
    """

    def part(kept, norm):
        inner = copy(model.model)
        inner._modules = {**model.model._modules, "layers": kept, "norm": norm}
        return inner

    first = len(model.model.layers) - layers
    return part(model.model.layers[:first], nn.Identity()), part(model.model.layers[first:], model.model.norm)


def save_adapters(numbers: dict, path: Path) -> None:
    """In 16 bits, as safetensors."""
    save_file({name: p.detach().half() for name, p in numbers.items()}, path)


def load_adapters(model, path: Path) -> dict[str, nn.Parameter]:
    """Put a file's adapters into the upper layers.  → name → parameter.  A pickle raises SafetensorError."""
    kept = load_file(path)
    layers = 1 + max(int(name.split(".")[0]) for name in kept)
    numbers = adapt(model, layers, r=next(p.shape[0] for name, p in kept.items() if name.endswith("lora_A")))
    for name, p in numbers.items():
        p.data = kept[name].float()
    return numbers
