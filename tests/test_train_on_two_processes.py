"""What chapter 55 proves, on a model of a few hundred numbers: equal to one process, and whole after a kill."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "55_train_on_two_processes.ipynb"
SIZES = SimpleNamespace(
    drawn=80, width=8, layers=1, batch=4, steps=3, shape=(8, 1), tokens=(8, 16), rounds=2, kills=True
)  # fmt: skip
ALONE = [
    "imports", "libraries", "instruments", "block", "gpt", "fresh", "rows-code", "rows", "gradient-code",
    "apart-code", "mean-of-means", "ring-code", "boss-code", "network", "played", "plan-code", "share-code",
    "train-code", "order", "alive-code",
]  # fmt: skip
PROGRAM = [
    "script-head", "script-save", "script-loop", "torchrun-code", "watch-code", "kill", "kill-claims",
    "orphans", "resumed",
]  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")


class Chapter:
    """The chapter's cells, run here by their ids; claims are kept instead of shown."""

    def __init__(self):
        self.cells = {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells if cell.cell_type == "code"}
        self.claims: dict[str, float] = {}
        self.names = {"sizes": SIZES, "seed": 0}

    def run(self, *ids: str) -> dict:
        for id in ids:
            head, _, body = self.cells[id].partition("\n")
            if head.startswith("%%writefile"):
                with Path(head.split()[-1]).open("a" if "-a" in head else "w") as file:
                    file.write(body + "\n")
            else:
                exec(self.cells[id], self.names)
            self.names["claim"] = self._keep
        return self.names

    def _keep(self, id: str, value, **_) -> None:
        self.claims[id.split(".")[1]] = float(value)


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chapter")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.delitem(sys.modules, "alarm_gpt", raising=False)
        made = Chapter()
        made.run(*ALONE)
        yield made


@pytest.mark.parametrize("pieces", [1, 3, 7])
def test_accumulation_is_the_large_batch_whatever_the_pieces(chapter, pieces):
    names = chapter.names
    model, rows = names["fresh"](), torch.arange(14)
    large = names["gradient"](model, [rows])
    assert names["apart"](names["gradient"](model, rows.chunk(pieces)), large) < 1e-13
    wrong = names["apart"](names["gradient"](model, rows.chunk(pieces), names["mean_of_means"]), large)
    assert wrong < 1e-13 if pieces == 1 else wrong > 1e-3


@pytest.mark.parametrize("world", [1, 2, 5])
@pytest.mark.parametrize("size", [1, 5, 23])
def test_the_ring_adds_up_also_where_parts_are_uneven_or_empty(chapter, world, size):
    error, busiest = chapter.names["play"](chapter.names["ring_sum"], world, size)
    assert error < 1e-12
    assert world == 1 or busiest <= 4 * (world - 1) * -(-size // world) / size


def test_the_shares_of_the_ranks_are_the_batch(chapter):
    names = chapter.names
    whole = names["plan"](0, 1, names["order"], 4)
    shares = [names["plan"](rank, 3, names["order"], 4) for rank in range(3)]
    for (rows, total), *each in zip(whole, *shares, strict=True):
        assert sorted(torch.cat([mine for mine, _ in each]).tolist()) == sorted(rows.tolist())
        assert {count for _, count in each} == {total}


def test_a_killed_training_is_noticed_resumes_and_its_orphans_end(chapter):
    chapter.run(*PROGRAM)
    assert chapter.claims["kill_left"] == 0
    assert chapter.claims["kill_noticed"] < 15
    assert chapter.claims["orphans"] == 2
    assert chapter.claims["resumed"] < 1e-9
