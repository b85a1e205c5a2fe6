from __future__ import annotations

from tests.cli.conftest import deephyper, deephyper_analytics

__all__ = ["deephyper", "deephyper_analytics"]
