"""Points: plain dictionaries on our side, configurations on ConfigSpace's."""

from __future__ import annotations

from typing import Any

Point = dict[str, Any]
"""Hyperparameter name -> None, bool, int, float or str; inactive hyperparameters are absent."""
