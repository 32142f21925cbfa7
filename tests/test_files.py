"""A file is there whole, or as it was: also when two write it, and when writing fails."""

import threading

import pytest

from workbench.errors import WorkbenchError
from workbench.files import at_once, write_bytes, write_text


def test_folders_are_made_and_bytes_and_text_arrive(tmp_path):
    write_text("é\n", tmp_path / "a" / "b" / "text.txt")
    write_bytes(b"\x00\xff", tmp_path / "bytes")
    assert (tmp_path / "a" / "b" / "text.txt").read_bytes() == "é\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"


def write_half(path, problem):
    with at_once(path) as file:
        file.write(b"new and half")
        raise problem


@pytest.mark.parametrize("problem", [RuntimeError, KeyboardInterrupt])
def test_what_fails_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path, problem):
    path = tmp_path / "x"
    write_text("old", path)
    with pytest.raises(problem):
        write_half(path, problem)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_reads_half_of_it_while_it_is_written(tmp_path):
    path = tmp_path / "x"
    write_text("old", path)
    with at_once(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_two_writers_leave_the_whole_file_of_one_of_them(tmp_path):
    path, size = tmp_path / "x", 200_000
    contents = [letter * size for letter in "ab"]
    writers = [threading.Thread(target=lambda c=c: [write_text(c, path) for _ in range(20)]) for c in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert not path.exists() or path.read_text() in contents
    assert path.read_text() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_does_not_take_it_is_one_line_that_says_so(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(WorkbenchError, match=r"cannot write file/x: .*what was there is untouched"):
        write_text("new", tmp_path / "file" / "x")
    assert (tmp_path / "file").read_text() == "here"
