"""Three profiles, and one clear line for any other name."""

import pytest

from workbench.errors import UnknownNameError
from workbench.profiles import DEFAULT, PROFILES, get_profile


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
