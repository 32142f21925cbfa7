"""Where a number comes from: enough to judge it, nothing about whose machine it was."""

import getpass
import json
import re
import socket
import subprocess
from pathlib import Path

import pytest

from workbench import provenance
from workbench.errors import UnknownNameError

LISTING = Path("/proc/cpuinfo")
X86 = "processor\t: 0\nmodel name\t: AMD EPYC 7B13\nflags\t\t: fpu avx2 avx512_vnni\n\nprocessor\t: 1\n"
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd asimddp i8mm\nCPU part\t: 0xd40\n"


def known(flags):
    """Those of FLAGS among `flags`, as `cpu` finds them."""
    names = {flag.replace("-", "_").lower() for flag in flags}
    names |= {"avx512_vnni"} if "avx512vnni" in names else set()
    return names & set(provenance.FLAGS)


def test_the_short_way_agrees_with_the_long_one():
    short = provenance._linux_cpu(LISTING)
    if short is None:
        pytest.skip("no x86 listing on this machine")
    name, flags = provenance._any_cpu()
    assert short[0] == name
    assert known(short[1]) == known(flags)


def test_a_listing_of_x86_is_read(tmp_path):
    listing = tmp_path / "cpuinfo"
    listing.write_text(X86)
    assert provenance._linux_cpu(listing) == ("AMD EPYC 7B13", ["fpu", "avx2", "avx512_vnni"])


@pytest.mark.parametrize("text", [ARM, "", "model name\t: AMD EPYC\n", "flags\t: avx2\n"])
def test_another_listing_is_left_to_the_long_way(text, tmp_path):
    listing = tmp_path / "cpuinfo"
    listing.write_text(text)
    assert provenance._linux_cpu(listing) is None
    assert provenance._linux_cpu(tmp_path / "missing") is None
    assert provenance._linux_cpu(tmp_path) is None


@pytest.mark.parametrize(("flags", "found"), [(["AVX512VNNI", "sse"], ["avx512_vnni"]), (["avx-vnni"], ["avx_vnni"])])
def test_other_spellings_of_a_flag_are_one(flags, found, monkeypatch):
    monkeypatch.setattr(provenance, "_linux_cpu", lambda listing: ("chip", flags))
    assert provenance.cpu.__wrapped__() == {"cpu": "chip", "flags": found}


@pytest.mark.parametrize(
    ("cpu", "cores", "flags", "name"),
    [
        ("AMD EPYC 7B13 64-Core", 2, ["avx2"], "amd-epyc-7b13-2c-avx2"),
        ("AMD EPYC 9754 128-Core Processor", 8, ["avx2", "avx512f"], "amd-epyc-9754-8c-avx512"),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", 4, ["avx512_vnni"], "intel-xeon-4c-vnni"),
        ("Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz", 8, ["avx2"], "intel-core-i7-8650u-8c-avx2"),
        ("Apple M2", 8, ["asimd", "i8mm"], "apple-m2-8c-i8mm"),
        ("", 1, [], "1c-base"),
    ],
)
def test_a_machine_has_a_short_name(cpu, cores, flags, name):
    assert provenance.machine_name(cpu, cores, flags) == name


@pytest.mark.parametrize(
    ("flags", "tier"),
    [
        (["avx2", "avx512f", "avx512_vnni", "amx_int8"], "amx"),
        (["avx2", "avx512f", "avx512_vnni"], "vnni"),
        (["avx2", "avx_vnni"], "vnni"),
        (["avx2", "avx512f"], "avx512"),
        (["avx2"], "avx2"),
        (["asimd", "asimddp", "i8mm"], "i8mm"),
        (["asimd", "asimddp"], "neon"),
        (["amx_bf16", "avx512_bf16"], "base"),
        ([], "base"),
    ],
)
def test_the_widest_instruction_set_names_the_tier(flags, tier):
    assert provenance.instruction_tier(flags) == tier


def test_the_gpu_profile_is_named_after_its_card(monkeypatch):
    monkeypatch.setattr(provenance, "gpu", lambda: "NVIDIA H200")
    assert provenance.machine("gpu") == f"nvidia-h200-on-{provenance.machine('cpu')}"
    assert "nvidia" not in provenance.machine("cpu")
    monkeypatch.setattr(provenance, "gpu", lambda: None)
    assert provenance.machine("gpu") == provenance.machine("cpu")


def test_the_record_holds_nothing_private(monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "secret-host")
    monkeypatch.setenv("USER", "secret-user")
    text = json.dumps(provenance.record("cpu", seed=1, threads=1))
    words = set(re.findall(r"[\w.-]+", text))
    private = {socket.gethostname(), getpass.getuser(), "secret-host", "secret-user"}
    assert not private & words
    assert str(Path.home()) not in text
    assert "/" not in text


def test_the_record_says_what_was_run_on_what():
    found = provenance.record("smoke", seed=5, threads=2)
    assert (found["profile"], found["seed"], found["threads"]) == ("smoke", 5, 2)
    assert found["cores"] >= 1
    assert found["memory_gb"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"])
    assert found["machine"].endswith(provenance.instruction_tier(found["flags"]))
    assert found["packages"]["numpy"]


def test_a_package_that_is_not_installed_is_left_out():
    assert list(provenance.packages(["numpy", "no-such-package-here"])) == ["numpy"]


def test_a_machine_without_a_driver_has_no_card(monkeypatch):
    def fail(*args, **kwargs):
        raise FileNotFoundError("nvidia-smi")

    monkeypatch.setattr(subprocess, "run", fail)
    assert provenance.gpu.__wrapped__() is None
    assert provenance.commit() == "unknown"


def test_a_folder_outside_a_checkout_has_no_commit(tmp_path):
    assert provenance.commit(tmp_path) == "unknown"


def test_a_change_is_marked_on_the_commit(tmp_path):
    def git(*words):
        config = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", tmp_path, *config, *words], check=True, capture_output=True)

    (tmp_path / "file").write_text("1")
    git("init")
    git("add", "file")
    git("commit", "-m", "x")
    clean = provenance.commit(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{7,}", clean)
    (tmp_path / "file").write_text("2")
    assert provenance.commit(tmp_path) == clean + "+"


@pytest.mark.parametrize("has", [True, False])
def test_a_condition_is_true_on_the_right_machines_only(has, monkeypatch):
    monkeypatch.setattr(provenance, "cpu", lambda: {"cpu": "chip", "flags": ["avx2"] if has else []})
    assert bool(provenance.cpu_has("avx2")) is has
    assert bool(provenance.cpu_lacks("avx2")) is not has
    assert "avx2" in provenance.cpu_has("avx2").words
    assert "without avx2" in provenance.cpu_lacks("avx2").words


@pytest.mark.parametrize(
    ("chip", "amd"), [("AMD EPYC 9B45", True), ("Intel(R) Xeon(R) Processor", False), ("M4", False)]
)
def test_a_makers_claims_are_judged_on_its_processors_only(chip, amd, monkeypatch):
    monkeypatch.setattr(provenance, "cpu", lambda: {"cpu": chip, "flags": []})
    assert bool(provenance.made_by("AMD")) is amd
    assert bool(provenance.not_made_by("Intel")) is ("Intel" not in chip)
    assert "other than Intel's" in provenance.not_made_by("Intel").words


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_both_conditions_are_needed_and_the_one_that_fails_says_why(first, second):
    both = provenance.Condition(first, "one") & provenance.Condition(second, "two")
    assert bool(both) is (first and second)
    assert both or both.words == ("two" if first else "one")


@pytest.mark.parametrize("ask", [provenance.cpu_has, provenance.cpu_lacks])
@pytest.mark.parametrize("flag", ["avx3", "AVX2", ""])
def test_a_misspelt_flag_is_refused(ask, flag):
    with pytest.raises(UnknownNameError, match="unknown instruction set"):
        ask(flag)


@pytest.mark.parametrize(
    ("profile", "found", "wanted", "true"),
    [
        ("gpu", 9.0, 0.0, True),
        ("gpu", 9.0, 8.9, True),
        ("gpu", 8.6, 8.9, False),
        ("gpu", 10.3, 8.9, True),
        ("gpu", None, 0.0, False),
        ("cpu", 9.0, 0.0, False),
        ("smoke", 9.0, 0.0, False),
    ],
)
def test_a_card_counts_under_its_profile_and_from_its_capability_on(profile, found, wanted, true, monkeypatch):
    monkeypatch.setattr(provenance, "card_capability", lambda: found)
    provenance.set_current({"profile": profile})
    condition = provenance.on_card(wanted)
    provenance.set_current({})
    assert bool(condition) is true
    assert ("8.9" in condition.words) is (wanted == 8.9)


@pytest.mark.parametrize(("capability", "number"), [((9, 0), 9.0), ((8, 9), 8.9), ((12, 1), 12.1), (None, None)])
def test_a_cards_capability_is_one_number(capability, number, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: capability is not None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert provenance.card_capability() == number


def test_what_is_remembered_cannot_be_altered_from_outside():
    provenance.set_current({"profile": "cpu"})
    provenance.current()["profile"] = "gpu"
    assert provenance.current() == {"profile": "cpu"}
    provenance.set_current({})
    assert provenance.current() == {}
