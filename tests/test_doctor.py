"""The doctor finds what is wrong and names its cure."""

from pathlib import Path

from workbench.front import doctor
from workbench.layout import Layout

BOOK = Layout(Path(__file__).resolve().parents[1])


def test_every_failure_has_a_cure(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))  # nothing is fetched here
    bad = [f for f in doctor.findings(BOOK) if f.ok is False]
    assert {"model minilm", "data set lee50"} <= {f.what for f in bad}
    assert all(f.cure for f in bad)


def test_an_altered_model_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    (tmp_path / "minilm").mkdir()
    (tmp_path / "minilm" / "model.safetensors").write_bytes(b"half a model")
    found = next(f for f in doctor.findings(BOOK) if f.what == "model minilm")
    assert found.ok is False
    assert "SHA-256" in found.found
    assert "workbench fetch" in found.cure


def test_a_package_of_another_version_is_named(tmp_path):
    (tmp_path / "constraints.txt").write_text("numpy==1.0.0\nrich==999\n")
    found = doctor._packages(Layout(tmp_path))
    assert found.ok is False
    assert "numpy" in found.found
    assert "≠ 1.0.0" in found.found
    assert "pip install" in found.cure


def test_a_full_disk_is_found(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1_000_000})())
    found = next(f for f in doctor.findings(BOOK) if f.what == "free disk")
    assert found.ok is False
    assert "free some disk" in found.cure
