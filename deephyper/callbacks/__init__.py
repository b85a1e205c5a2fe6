"""Ready callbacks: trainings of other libraries that report to the search as they run.

Each library has a file of its own, which is imported when its name is asked for: importing this
package imports none of them. Outside a search the callbacks do nothing but check their arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.callbacks.keras import KerasReport
    from deephyper.callbacks.lightgbm import LightGBMReport
    from deephyper.callbacks.lightning import LightningReport
    from deephyper.callbacks.sklearn import fit_by_partial_fit, fit_by_warm_start
    from deephyper.callbacks.transformers import TransformersReport
    from deephyper.callbacks.xgboost import XGBoostReport

__all__ = [
    "KerasReport",
    "LightGBMReport",
    "LightningReport",
    "TransformersReport",
    "XGBoostReport",
    "fit_by_partial_fit",
    "fit_by_warm_start",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "KerasReport": "deephyper.callbacks.keras",
        "LightGBMReport": "deephyper.callbacks.lightgbm",
        "LightningReport": "deephyper.callbacks.lightning",
        "TransformersReport": "deephyper.callbacks.transformers",
        "XGBoostReport": "deephyper.callbacks.xgboost",
        "fit_by_partial_fit": "deephyper.callbacks.sklearn",
        "fit_by_warm_start": "deephyper.callbacks.sklearn",
    },
)
