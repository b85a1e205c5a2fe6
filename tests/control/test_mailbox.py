"""The directory of requests, where another session has taken the log directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.control.mailbox import Mailbox
from deephyper.control.requests import DIRECTORY, Request, encode, new_id
from deephyper.errors import ResultsError


def test_a_session_that_wakes_up_too_late_leaves_the_requests_to_its_successor(
    tmp_path: Path,
) -> None:
    def taken() -> None:
        raise ResultsError("another search has taken it over")

    late = Mailbox(tmp_path, "one", taken)
    (tmp_path / DIRECTORY).mkdir(mode=0o700)
    successor = Mailbox(tmp_path, "two", lambda: None)
    assert [*late.requests()] == []
    request = tmp_path / DIRECTORY / f"{new_id()}.request"
    request.write_bytes(encode(Request(action="pause", session="two")))
    with pytest.raises(ResultsError, match="taken it over"):
        [*late.requests()]
    (found,) = successor.requests()
    assert found[0] == request.stem
    request.unlink()
    late.close()
    assert (tmp_path / DIRECTORY).is_dir()
    successor.close()
    assert not (tmp_path / DIRECTORY).exists()
