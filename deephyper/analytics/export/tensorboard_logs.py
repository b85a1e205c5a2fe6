"""A search as TensorBoard's HParams, and curves."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deephyper.analytics.export.exported import ExportedEvaluation, read_search
from deephyper.analytics.export.targets import directory_to_fill
from deephyper.analytics.points import Column
from deephyper.errors import MissingExtra

_log = logging.getLogger("deephyper.analytics")


def to_tensorboard(
    results: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    on_notice: Callable[[str], None] = _log.warning,
) -> None:
    """Write a search as log files that ``tensorboard --logdir DIR`` shows.

    Each evaluation is a session of HParams, with the objective and other numbers as metrics, and
    what it reported as a curve.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        path: of the new directory.
        on_notice: called with one line for what is left out or guessed.

    Raises:
        ResultsError: if the results can't be read, or the directory can't be made or isn't empty.
        MissingExtra: if TensorBoard isn't installed.
    """
    try:
        from tensorboard.plugins.hparams import summary_v2
    except ImportError as error:
        raise MissingExtra("TensorBoard", "tensorboard") from error
    with directory_to_fill(path) as partial:
        search = read_search(results, None, on_notice)
        metrics = {name: None for each in search.evaluations for name in _numbers(each)}
        hparams = [summary_v2.HParam(c.name, _domain(c, summary_v2)) for c in search.columns]
        shown = [summary_v2.Metric(name) for name in ("objective", *metrics)]
        first = min(each.start for each in search.evaluations)
        config = summary_v2.hparams_config_pb(hparams, shown, time_created_secs=first)
        _write(partial, [(config, None, first)])
        width = len(str(len(search.evaluations)))
        for each in search.evaluations:
            name = each.id.rjust(width, "0") if each.id.isdecimal() else each.id
            _write(partial / name, _summaries(each, name, summary_v2))


def _summaries(
    each: ExportedEvaluation, name: str, summary_v2: Any
) -> list[tuple[Any, int | None, float]]:
    """Return what is to be written of an evaluation: summary, step, and time of each."""
    point = {
        k: v if isinstance(v, bool | int | float | str) else str(v) for k, v in each.point.items()
    }
    begin = summary_v2.hparams_pb(point, trial_id=name, start_time_secs=each.start)
    found: list[tuple[Any, int | None, float]] = [(begin, None, each.start)]
    reported = list(zip(each.steps, each.objectives, strict=True))
    for i, (step, value) in enumerate(reported):
        at = each.start + (each.end - each.start) * (i + 1) / len(reported)
        found.append((_scalar("objective", value), step, at))
    last = each.steps[-1] if each.steps else 0
    if each.objective is not None and (not reported or reported[-1][1] != each.objective):
        found.append((_scalar("objective", each.objective), last, each.end))
    found += [(_scalar(k, v), last, each.end) for k, v in _numbers(each).items()]
    found.append((_end(each), None, each.end))
    return found


def _numbers(each: ExportedEvaluation) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in each.metrics.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and name != "objective"
    }


def _domain(column: Column, summary_v2: Any) -> Any:
    if not column.values:
        if column.kind == "int":
            return summary_v2.IntInterval(int(column.lower), int(column.upper))
        return summary_v2.RealInterval(column.lower, column.upper)
    kinds = {type(value) for value in column.values}
    if len(kinds) == 1 and kinds <= {bool, int, float, str}:
        return summary_v2.Discrete(column.values)
    return None  # TensorBoard knows values of one type alone


def _scalar(tag: str, value: float) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=tag, simple_value=value)])


def _end(each: ExportedEvaluation) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    # There is no word for what ended early.
    status = api_pb2.STATUS_FAILURE if each.status == "failed" else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=each.end)
    data = plugin_data_pb2.HParamsPluginData(session_end_info=end)
    about = metadata.create_summary_metadata(data)
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR
    )
    return Summary(value=[value])


def _write(directory: Path, summaries: list[tuple[Any, int | None, float]]) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(directory))
    for summary, step, time in summaries:
        writer.add_event(Event(wall_time=time, step=step or 0, summary=summary))
    writer.close()
