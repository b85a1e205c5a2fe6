"""Deciding which evaluations to end early, by what they report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.stopper.settings import (
        AshaSettings,
        CurveSettings,
        MedianSettings,
        StopperSettings,
    )
    from deephyper.stopper.stopper import Stopper

__all__ = ["AshaSettings", "CurveSettings", "MedianSettings", "Stopper", "StopperSettings"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AshaSettings": "deephyper.stopper.settings",
        "CurveSettings": "deephyper.stopper.settings",
        "MedianSettings": "deephyper.stopper.settings",
        "Stopper": "deephyper.stopper.stopper",
        "StopperSettings": "deephyper.stopper.settings",
    },
)
