from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.real_search import RealSearch


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealSearch]:
    """A folder to search in by real command lines; what they started is ended."""
    search = RealSearch(tmp_path / "task", tmp_path / "log")
    yield search
    search.stop_all()
