"""The lines of a stream, however they are cut, and where all of it goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from deephyper.command.stream import Stream


class Pipe:
    """A stream, and the end of its pipe that a program would have."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.stream = Stream(self.reading, "stdout")

    def lines(self, data: bytes, size: int = 1 << 16) -> list[str]:
        os.write(self.writing, data)
        lines, is_over = self.stream.read(size)
        assert not is_over
        return lines

    def end(self) -> list[str]:
        os.close(self.writing)
        lines, is_over = self.stream.read(1 << 16)
        assert is_over
        return lines + self.stream.end()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    os.close(made.reading)


def test_lines_end_as_they_are_written_on_any_system(pipe: Pipe) -> None:
    assert pipe.lines(b"a\nb\rc\r\nd") == ["a", "b", "c", ""]
    assert pipe.lines(b"e\n") == ["de"]
    assert pipe.end() == []


def test_a_line_and_a_character_may_come_in_parts(pipe: Pipe) -> None:
    assert pipe.lines(b"\xc3") == []
    assert pipe.lines(b"\xbc=") == []
    assert pipe.lines(b"2\n\xc3") == ["ü=2"]
    assert pipe.end() == ["\ufffd"]


def test_a_last_line_needs_no_end(pipe: Pipe) -> None:
    assert pipe.lines(b"1\n2") == ["1"]
    assert pipe.end() == ["2"]


def test_no_more_is_read_at_once_than_asked_for(pipe: Pipe) -> None:
    assert pipe.lines(b"1\n2\n3\n", size=4) == ["1", "2"]
    assert pipe.lines(b"") == ["3"]


def test_a_line_without_an_end_is_not_kept_for_ever(pipe: Pipe) -> None:
    lines: list[str] = []
    for _ in range(40):
        lines += pipe.lines(b"x" * (1 << 15))
    assert len(lines) == 1
    assert len(lines[0]) > 1 << 20
    assert lines + pipe.end() == ["x" * len(lines[0]), "x" * ((40 << 15) - len(lines[0]))]


def test_the_last_lines_with_something_in_them_are_kept(pipe: Pipe) -> None:
    pipe.lines(b"1\n2\n3\n4\n  ~~^~~\n\n")
    assert list(pipe.stream.last_lines) == ["2", "3", "4"]
    pipe.lines(b"5\n" + b"x" * 1000 + b"\n")
    assert list(pipe.stream.last_lines) == ["4", "5", "x" * 300]


def test_all_goes_on_as_it_is(pipe: Pipe, tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "output")
    pipe.stream.output = os.open(path, os.O_WRONLY | os.O_CREAT)
    pipe.lines(b"\xff\r\n\xc3")
    pipe.end()
    os.close(pipe.stream.output)
    with open(path, "rb") as file:
        assert file.read() == b"\xff\r\n\xc3"


def test_without_a_file_it_goes_to_our_own_stream(
    pipe: Pipe, capsys: pytest.CaptureFixture[str]
) -> None:
    own = Stream(os.dup(pipe.reading), "stdout")
    os.write(pipe.writing, b"a\xc3")
    own.read(1 << 16)
    own.end()
    os.close(own.descriptor)
    assert capsys.readouterr().out == "a\ufffd"


def test_our_own_stream_may_be_anything(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", object())
    own = Stream(os.dup(pipe.reading), "stdout")
    os.write(pipe.writing, b"1\n")
    assert own.read(1 << 16) == (["1"], False)
    os.close(own.descriptor)
