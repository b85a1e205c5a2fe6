"""Many ask and tell at the same time: nothing is lost, and no point is proposed twice.

``python -m benchmarks.asking`` does it with 16 shells and 1,000 evaluations.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.asking import ask_and_tell, check


@pytest.mark.long
def test_shells(tmp_path: Path) -> None:
    ask_and_tell(tmp_path / "search", shells=3, each=2)


def test_processes(tmp_path: Path) -> None:
    ask_and_tell(tmp_path / "search", shells=8, each=13, kind="process")


def test_a_lost_evaluation_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ids are missing"):
        check(tmp_path, [], 1)
