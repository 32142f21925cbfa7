"""The first cell of a chapter: sizes chosen, threads pinned, machine shown."""

import os
import sys

import pytest
from threadpoolctl import threadpool_info

from workbench import opening, provenance
from workbench.errors import UnknownNameError

SIZES = {"smoke": {"calls": 5, "rows": 2}, "cpu": {"calls": 400, "rows": 30}}
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    """What `prepare` displays; threads and provenance are put back afterwards."""
    found = []
    monkeypatch.setattr("IPython.display.display", found.append)
    for name in VARIABLES:
        monkeypatch.setenv(name, os.environ.get(name, "1"))
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    yield found
    while opening._limits:
        opening._limits.pop().restore_original_limits()
    if torch:
        torch.set_num_threads(before)
    provenance.set_current({})


@pytest.mark.parametrize("profile", SIZES)
def test_the_profile_chooses_its_row(profile):
    assert vars(opening.prepare(profile, SIZES)) == SIZES[profile]


def test_a_profile_without_its_own_row_takes_that_of_the_laptop():
    assert opening.prepare("gpu", SIZES).calls == 400


@pytest.mark.parametrize("row", [{"calls": 5}, {"rows": 2, "calls": 5}, {"calls": 5, "rows": 2, "more": 1}])
def test_uneven_sizes_are_refused(row, shown):
    with pytest.raises(ValueError, match="same sizes, in the same order"):
        opening.prepare("cpu", SIZES | {"gpu": row})
    assert not shown


def test_an_unknown_profile_is_refused_with_the_known_ones(shown):
    with pytest.raises(UnknownNameError, match=r"unknown profile 'cup'.*cpu"):
        opening.prepare("cup", SIZES)
    assert not shown


def test_the_compared_text_says_the_sizes_and_nothing_of_the_machine(shown, monkeypatch):
    opening.prepare("cpu", SIZES, seed=7, threads=1)
    here = repr(shown[0])
    assert here == "profile cpu, seed 7, threads 1: calls = 400, rows = 30"
    monkeypatch.setattr(provenance, "cpu", lambda: {"cpu": "Other Chip 9", "flags": ["asimd"]})
    monkeypatch.setattr(provenance, "cores", lambda: 96)
    opening.prepare("cpu", SIZES, seed=7, threads=1)
    assert repr(shown[1]) == here
    assert "Other Chip 9, 96 cores (asimd)" in shown[1]._html()


def test_claims_made_after_it_carry_profile_and_machine():
    opening.prepare("smoke", SIZES, seed=3)
    found = provenance.current()
    assert (found["profile"], found["seed"], found["machine"]) == ("smoke", 3, provenance.machine())


def test_the_record_travels_with_the_output(shown):
    opening.prepare("cpu", SIZES)
    bundle = shown[0]._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", provenance.MIME}
    assert bundle[provenance.MIME]["profile"] == "cpu"


def test_the_table_marks_the_chosen_row_and_escapes_the_rest(shown, monkeypatch):
    monkeypatch.setattr(provenance, "cpu", lambda: {"cpu": "<script>", "flags": []})
    opening.prepare("cpu", {"smoke": {"<b>": "<i>"}, "cpu": {"<b>": 2}})
    page = shown[0]._html()
    assert "<tr class=wb-chosen><th>cpu</th>" in page
    assert page.count("wb-chosen") == 1
    assert "<script>" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;" in page
    assert "&lt;i&gt;" in page


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_pinned_and_shown(threads, shown):
    import numpy as np

    assert np.__version__  # its BLAS is loaded
    opening.prepare("cpu", SIZES, threads=threads)
    assert {os.environ[name] for name in VARIABLES} == {str(threads)}
    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert pools
    assert max(pools) <= threads
    assert f"threads {threads}" in repr(shown[0])
    assert f", {threads} thread{'s' if threads > 1 else ''} on " in shown[0]._html()


def test_torch_is_pinned_where_it_is_loaded(monkeypatch):
    class Torch:
        asked = None

        def set_num_threads(self, threads):
            self.asked = threads

    fake = Torch()
    monkeypatch.setitem(sys.modules, "torch", fake)
    opening.pin_threads(1)
    assert fake.asked == 1
