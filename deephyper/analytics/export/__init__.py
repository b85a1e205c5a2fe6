"""Searches in the forms of other tools, each written by that tool's own library.

- ``parquet``: a table for pandas, Polars, DuckDB
- ``optuna``: a study, for Optuna and its dashboard
- ``mlflow``: an experiment of MLflow
- ``tensorboard``: HParams and curves of TensorBoard
- ``wandb``: offline runs of Weights & Biases
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.analytics.export.mlflow_runs import to_mlflow
    from deephyper.analytics.export.optuna_study import to_optuna
    from deephyper.analytics.export.parquet_file import to_parquet
    from deephyper.analytics.export.tensorboard_logs import to_tensorboard
    from deephyper.analytics.export.wandb_runs import to_wandb

__all__ = ["to_mlflow", "to_optuna", "to_parquet", "to_tensorboard", "to_wandb"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "to_mlflow": "deephyper.analytics.export.mlflow_runs",
        "to_optuna": "deephyper.analytics.export.optuna_study",
        "to_parquet": "deephyper.analytics.export.parquet_file",
        "to_tensorboard": "deephyper.analytics.export.tensorboard_logs",
        "to_wandb": "deephyper.analytics.export.wandb_runs",
    },
)
