from __future__ import annotations

import pytest

from tests.optimizer.mixed_space import Space, mixed_space


@pytest.fixture
def space() -> Space:
    """Features of a mixed space and of 40 points of it."""
    return mixed_space()
