from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest

from deephyper.standard_streams import Output, tolerant_streams


def latin() -> tuple[TextIO, io.BytesIO]:
    held = io.BytesIO()
    return io.TextIOWrapper(held, encoding="latin-1", write_through=True), held


def test_characters_that_the_stream_does_not_have_are_escaped() -> None:
    stream, held = latin()
    Output(stream).print("é → \ud800")
    assert held.getvalue() == b"\xe9 \\u2192 \\ud800\n"


def test_a_closed_stream_loses_what_is_printed() -> None:
    stream = io.StringIO()
    output = Output(stream)
    stream.close()
    output.print("lost")
    assert isinstance(output.failure, OSError)


def test_a_full_disk_loses_what_is_printed() -> None:
    with open("/dev/full", "w") as full:
        output = Output(full)
        output.print("lost")
        assert output.failure is not None
        assert output.failure.strerror == "No space left on device"


def test_an_own_file_outlives_the_descriptor_and_the_stream(tmp_path: Path) -> None:
    path = tmp_path / "out"
    stream = path.open("w")
    output = Output(stream, own=True)
    print("before", file=stream)
    output.print("one")
    stream.close()
    output.print("two")
    output.close()
    output.print("three")
    assert path.read_text() == "before\none\ntwo\nthree\n"
    assert output.failure is None


def test_lines_of_ours_are_escaped_and_other_text_is_not() -> None:
    stream = io.StringIO()
    output = Output(stream)
    output.print("\x1b[31mred")
    output.write("\x1b[1A")
    assert stream.getvalue() == "\\x1b[31mred\n\x1b[1A"


def test_nothing_that_is_printed_in_between_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with tolerant_streams():
            print("lost" * 10_000)
            sys.stdout.close()
            print("lost as well", flush=True)
        assert sys.stdout is full


STANDARD_STREAMS_CLOSED = """
import os, sys
from deephyper.standard_streams import open_apart
directory = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
os.closerange(0, 3)
flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
fds = [open_apart(name, flags, dir_fd=directory) for name in "abcd"]
assert min(fds) > 2, fds
for fd, name in zip(fds, "abcd"):
    os.write(fd, name.encode())
for fd in (0, 1, 2):
    try:
        os.fstat(fd)
    except OSError:
        continue
    raise SystemExit(3)
"""


def test_no_file_of_ours_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    words = [sys.executable, "-c", STANDARD_STREAMS_CLOSED, str(tmp_path)]
    assert subprocess.run(words).returncode == 0
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {n: n for n in "abcd"}
