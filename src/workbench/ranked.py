"""The inside of one rank: `python -m workbench.ranked FOLDER`, started by torchrun for `workbench.ranks`.

It joins the group, then runs one job after the other, as they are put into the folder, until it is ended.
"""

import json
import os
import pickle
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from workbench.leash import die_with_parent

LOOK_S = 0.005


def main(folder: Path) -> None:
    """Join the group of ranks and work through FOLDER/0.job, 1.job, …"""
    die_with_parent()  # torchrun gives each rank a session of its own: a launcher that is killed would leave it behind
    rank = int(os.environ["RANK"])
    try:
        _join(json.loads((folder / "settings.json").read_text()))
        number = 0
        while True:
            function, args, options = _next(folder / f"{number}.job")
            put(function(*args, **options), folder / f"{number}.{rank}")
            number += 1
    except BaseException as error:
        line = " ".join(str(error).split())[:300]
        _whole(folder / f"error.{rank}", f"rank {rank} raised {type(error).__name__}: {line}".encode())
        raise


def _join(settings: dict) -> None:
    import torch
    import torch._dynamo  # the first optimizer or DDP would: seconds, better spent while nobody waits
    import torch.distributed as dist

    torch.set_num_threads(settings["threads"])
    dist.init_process_group("gloo", timeout=timedelta(seconds=settings["timeout_s"]))


def _next(job: Path) -> tuple[Callable, tuple, dict]:
    while not job.exists():
        time.sleep(LOOK_S)
    return pickle.loads(job.read_bytes())  # our owner's own functions; results go back as JSON and safetensors


def put(answer: object, stem: Path) -> None:
    """Write a job's answer: what JSON can say, and beside it the tensors among a dict's values.

    The JSON file comes last: when it is there, all is there.
    """
    import torch

    if not isinstance(answer, dict):
        return _whole(stem.with_name(stem.name + ".json"), json.dumps({"answer": answer}).encode())
    tensors = {name: value for name, value in answer.items() if isinstance(value, torch.Tensor)}
    if tensors:
        from safetensors.torch import save_file

        kept = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        save_file(kept, stem.with_name(stem.name + ".safetensors"))
    rest = {name: value for name, value in answer.items() if name not in tensors}
    _whole(stem.with_name(stem.name + ".json"), json.dumps({"fields": rest, "tensors": bool(tensors)}).encode())


def _whole(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
