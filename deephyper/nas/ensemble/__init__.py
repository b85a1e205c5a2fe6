"""Ensembles of the networks that a search has kept, and how sure they are of what they predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.nas.ensemble.ensemble import Ensemble, Member, build_ensemble
    from deephyper.nas.ensemble.uncertainty import Uncertainty

__all__ = ["Ensemble", "Member", "Uncertainty", "build_ensemble"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Ensemble": "deephyper.nas.ensemble.ensemble",
        "Member": "deephyper.nas.ensemble.ensemble",
        "Uncertainty": "deephyper.nas.ensemble.uncertainty",
        "build_ensemble": "deephyper.nas.ensemble.ensemble",
    },
)
