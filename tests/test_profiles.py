"""Three profiles, and one clear line for any other name."""

import pytest
from rich.console import Console

from workbench.errors import CheckFailedError, UnknownNameError
from workbench.front.tables import hold_to_budget
from workbench.profiles import DEFAULT, PROFILES, get_profile
from workbench.runner.store import RunResult


def test_a_profile_answers_to_its_own_name():
    assert list(PROFILES) == ["smoke", "cpu", "gpu"]
    assert all(get_profile(name).name == name for name in PROFILES)


def test_smoke_claims_nothing_and_the_others_do():
    assert {name for name, profile in PROFILES.items() if profile.claims} == {"cpu", "gpu"}


def test_the_default_runs_on_a_laptop():
    assert get_profile(DEFAULT).device == "cpu"
    assert get_profile("gpu").device == "cuda"
    assert get_profile("smoke").budget_s < get_profile(DEFAULT).budget_s


@pytest.mark.parametrize("name", ["CPU", "cpus", "", None, 3])
def test_another_name_is_refused_with_the_known_ones(name):
    with pytest.raises(UnknownNameError, match="unknown profile") as refused:
        get_profile(name)
    assert set(PROFILES) & set(refused.value.cure.removeprefix("known: ").split(", "))
    assert refused.value.exit_code == 2


def test_a_profile_cannot_be_altered():
    with pytest.raises(AttributeError):
        get_profile("cpu").budget_s = 1e9


def within(console, **used):
    hold_to_budget(
        [RunResult("01_a", "smoke", "ok"), RunResult("02_b", "smoke", "ok", **used)], get_profile("smoke"), console
    )


def test_a_notebook_within_its_budget_is_not_mentioned(console):
    within(console, seconds=15.0, peak_mb=4096.0)
    assert console.export_text() == ""


def test_a_notebook_over_its_time_is_named_and_the_run_goes_on(console):
    within(console, seconds=17.4)
    assert console.export_text() == "over its time: 02_b: 17 s of 15 s\n"


def test_a_notebook_over_its_memory_fails_the_run(console):
    with pytest.raises(CheckFailedError, match="02_b needs too much memory: 5,000 MB of 4,096 MB"):
        within(console, peak_mb=5000.0)


@pytest.fixture
def console():
    return Console(record=True, quiet=False, width=100)
