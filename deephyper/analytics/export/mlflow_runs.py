"""A search as an experiment of MLflow's."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from itertools import islice
from typing import Any

from deephyper.analytics.export.exported import ExportedEvaluation, read_search
from deephyper.analytics.export.targets import file_to_fill
from deephyper.cell import format_cell
from deephyper.errors import MissingExtra

_log = logging.getLogger("deephyper.analytics")
_LONGEST = 500
"""Characters of a parameter or a tag, which MLflow limits."""
_AT_ONCE = 1_000
_STATES = {"finished": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


def to_mlflow(
    results: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    force: bool = False,
    on_notice: Callable[[str], None] = _log.warning,
) -> None:
    """Write a search as an experiment with a run for each evaluation.

    Hyperparameters are parameters; the objective, step by step where it was reported, and numbers
    beside it are metrics; what ended early is killed. ``mlflow ui --backend-store-uri
    sqlite:///FILE`` shows it.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        path: of the new SQLite database, which ends in .db.
        name: of the experiment; None for that of the log directory.
        force: replace a file that is there.
        on_notice: called with one line for what is left out or guessed.

    Raises:
        ResultsError: if the results can't be read, or the file can't be written or is there.
        MissingExtra: if MLflow isn't installed.
    """
    level = logging.getLogger("mlflow").level
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of the tables that it makes
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        try:
            import sqlalchemy  # noqa: F401
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise MissingExtra("MLflow", "mlflow") from error
        with file_to_fill(path, (".db",), named=".db", force=force) as partial:
            search = read_search(results, name, on_notice)
            client = MlflowClient(tracking_uri=f"sqlite:///{partial.absolute()}")
            tags = {"direction": search.direction}
            # Where a run would leave files, of which it has none: beside the database.
            artifacts = partial.absolute().parent.joinpath("mlartifacts").as_uri()
            experiment = client.create_experiment(search.name, artifacts, tags)
            for each in search.evaluations:
                _add(client, experiment, each)
    finally:
        logging.getLogger("mlflow").setLevel(level)


def _add(client: Any, experiment: str, each: ExportedEvaluation) -> None:
    from mlflow.entities import Metric, Param, RunTag

    begin, end = round(1000 * each.start), round(1000 * each.end)
    run = client.create_run(experiment, begin, run_name=f"evaluation {each.id}")
    metrics = []
    reported = list(zip(each.steps, each.objectives, strict=True))
    for i, (step, value) in enumerate(reported):
        at = begin + round((end - begin) * (i + 1) / len(reported))
        metrics.append(Metric("objective", value, at, step))
    if each.objective is not None:
        last = each.steps[-1] if each.steps else 0
        metrics.append(Metric("objective", each.objective, end, last))
    numbers = {
        _key(k): float(v)
        for k, v in each.metrics.items()
        if isinstance(v, (int, float)) and not isinstance(v, bool)
    }
    metrics += [Metric(k, v, end, 0) for k, v in numbers.items()]
    params = [Param(_key(k), format_cell(v)[:_LONGEST]) for k, v in each.point.items()]
    words = {"id": each.id, "worker": each.worker, "failure": each.failure}
    words |= {k: str(v) for k, v in each.metrics.items() if _key(k) not in numbers}
    tags = [RunTag(f"deephyper.{_key(k)}", v[:_LONGEST]) for k, v in words.items() if v]
    left = iter(metrics)
    client.log_batch(run.info.run_id, list(islice(left, _AT_ONCE - 200)), params[:100], tags[:100])
    for more in range(100, len(params), 100):
        client.log_batch(run.info.run_id, params=params[more : more + 100])
    while some := list(islice(left, _AT_ONCE)):
        client.log_batch(run.info.run_id, some)
    client.set_terminated(run.info.run_id, _STATES[each.status], end)


def _key(name: str) -> str:
    """Return a name with the characters alone that MLflow takes, and no longer than it takes."""
    return "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in name)[:250]
