"""A search as a study in a storage of Optuna's."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from deephyper.analytics.export.exported import ExportedEvaluation, ExportedSearch, read_search
from deephyper.analytics.export.targets import file_to_fill
from deephyper.analytics.points import Column
from deephyper.errors import MissingExtra, ResultsError

_log = logging.getLogger("deephyper.analytics")
_CHUNK = 1_000


def to_optuna(
    results: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    force: bool = False,
    on_notice: Callable[[str], None] = _log.warning,
) -> None:
    """Write a search as a study, which ``optuna-dashboard`` shows and Optuna continues.

    Finished evaluations are complete trials, those that ended early are pruned ones with what they
    reported as intermediate values, and failed ones failed. The rest, such as ids, workers,
    metrics and reasons of failures, are user attributes.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        path: of the new storage: ``.db`` for SQLite, ``.log`` for a journal, which takes a tenth of
            the time.
        name: of the study; None for that of the log directory.
        force: replace a file that is there.
        on_notice: called with one line for what is left out or guessed.

    Raises:
        ResultsError: if the results can't be read, a hyperparameter is none of Optuna's, or the
            file can't be written or is there.
        MissingExtra: if Optuna isn't installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("Optuna", "optuna") from error
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with file_to_fill(path, (".db", ".log"), named=".db or .log", force=force) as partial:
            search = read_search(results, name, on_notice)
            storage = _storage(partial)
            study = optuna.create_study(
                storage=storage, study_name=search.name, direction=search.direction
            )
            trials = list(_trials(search, on_notice))
            for begin in range(0, len(trials), _CHUNK):
                study.add_trials(trials[begin : begin + _CHUNK])
            if isinstance(storage, optuna.storages.RDBStorage):
                storage.engine.dispose()
    finally:
        optuna.logging.set_verbosity(before)


def _storage(path: Path) -> Any:
    import optuna

    if path.suffix == ".log":
        from optuna.storages.journal import JournalFileBackend

        return optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    import sqlalchemy

    storage = optuna.storages.RDBStorage(f"sqlite:///{path.absolute()}")

    def hurry(connection: Any, _: Any) -> None:
        # The file counts once it is whole, so that nothing has to be on the disk before.
        connection.execute("PRAGMA synchronous=OFF")

    sqlalchemy.event.listen(storage.engine, "connect", hurry)
    storage.engine.dispose()  # what is connected already
    return storage


def _trials(search: ExportedSearch, on_notice: Callable[[str], None]) -> Any:
    distributions = {column.name: _distribution(column) for column in search.columns}
    outside = 0
    for each in search.evaluations:
        params = {
            name: _inside(distributions[name], value)
            for name, value in each.point.items()
            if name in distributions
        }
        outside += sum(value is None for value in params.values())
        params = {name: value for name, value in params.items() if value is not None}
        yield _trial(each, params, {name: distributions[name] for name in params})
    if outside:
        on_notice(f"{outside} values are not in the space of the search; they are left out")


def _distribution(column: Column) -> Any:
    from optuna import distributions

    if not column.values:
        if column.kind == "int":
            return distributions.IntDistribution(
                int(column.lower), int(column.upper), log=column.log
            )
        return distributions.FloatDistribution(column.lower, column.upper, log=column.log)
    kinds = (bool, int, float, str)
    if not all(isinstance(value, kinds) for value in column.values):
        raise ResultsError(
            f"the values of '{column.name}' are no numbers, texts or booleans, which Optuna needs"
        )
    return distributions.CategoricalDistribution(column.values)


def _inside(distribution: Any, value: Any) -> Any:
    """Return a value as it is in the distribution; None if it isn't."""
    from optuna import distributions

    if isinstance(distribution, distributions.CategoricalDistribution):
        # Of 1, 1.0 and True the one that the space has.
        same = (c for c in distribution.choices if c == value and type(c) is type(value))
        return next(same, next((c for c in distribution.choices if c == value), None))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    slack = 1e-9 * (distribution.high - distribution.low)
    if not distribution.low - slack <= value <= distribution.high + slack:
        return None
    return min(max(value, distribution.low), distribution.high)


def _trial(each: ExportedEvaluation, params: dict[str, Any], distributions: Any) -> Any:
    from optuna.trial import FrozenTrial, TrialState

    states = {
        "finished": TrialState.COMPLETE,
        "pruned": TrialState.PRUNED,
        "failed": TrialState.FAIL,
    }
    attributes = {"id": each.id, "worker": each.worker, "failure": each.failure}
    return FrozenTrial(
        number=-1,  # both numbers are the storage's to give
        trial_id=-1,
        state=states[each.status],
        value=each.objective,
        values=None,
        datetime_start=datetime.fromtimestamp(each.start),
        datetime_complete=datetime.fromtimestamp(each.end),
        params=params,
        distributions=distributions,
        user_attrs={**{k: v for k, v in attributes.items() if v}, **each.metrics},
        system_attrs={},
        intermediate_values=dict(zip(each.steps, each.objectives, strict=True)),
    )
