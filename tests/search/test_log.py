"""deephyper.log says what a search did and why."""

from __future__ import annotations

import logging
import re
import signal
from pathlib import Path

import pytest

from deephyper.job import Failure, Job, Prediction, Proposal
from deephyper.optimizer import RandomOptimizer
from tests.search.virtual_search import VirtualSearch, raise_signal_at


class Expecting(RandomOptimizer):
    """Says what it expects of each point."""

    def ask(self, n_points: int | None = None) -> list[Proposal]:  # type: ignore[override]
        asked = super().ask(n_points or 1)
        assert isinstance(asked, list)
        return [Proposal(each.point, Prediction(0.25, 0.125, 1.0)) for each in asked]


def lines_of(log_dir: Path) -> list[str]:
    """The lines of the log without their times."""
    text = (log_dir / "deephyper.log").read_text(encoding="utf-8")
    return [
        re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ", "", line) for line in text.split("\n")
    ]


def run(job: Job) -> float | Failure:
    if job.id == "1":
        return Failure("exception", "ValueError: no", "Traceback:\nValueError: no\n")
    return 0.5


def test_the_log_tells_of_every_evaluation_and_of_both_sessions(tmp_path: Path) -> None:
    search = VirtualSearch(tmp_path, run=run, make_optimizer=Expecting, options={"seed": 1})
    raise_signal_at(search.time, (2.5, signal.SIGTERM))
    search.session(max_evals=4)
    search.session(max_evals=4)
    points = [job.point for job in _submitted(tmp_path)]
    assert lines_of(tmp_path) == [
        "INFO optimizer: random sampling",
        "INFO started: 0 evaluations known, 0 unfinished",
        f"INFO evaluation 0: objective 0.5, expected 0.25 ± 0.125, 1.000 s on worker 0, "
        f"point {points[0]}",
        f"WARNING evaluation 1 failed (exception: ValueError: no) after 1.000 s on worker 0, "
        f"point {points[1]}",
        "Traceback:",
        "ValueError: no",
        "INFO SIGTERM: no new evaluations; the 1 running ones have 30 s to end",
        f"INFO evaluation 2: objective 0.5, expected 0.25 ± 0.125, 1.000 s on worker 0, "
        f"point {points[2]}",
        "INFO ended: interrupted",
        "INFO optimizer: random sampling",
        "INFO resumed: 3 evaluations known, 0 unfinished",
        f"INFO evaluation 3: objective 0.5, expected 0.25 ± 0.125, 1.000 s on worker 0, "
        f"point {points[3]}",
        "INFO ended: max_evals",
        "",
    ]


def _submitted(log_dir: Path) -> list[Job]:
    from deephyper.search.replay import read_journal

    return [evaluation.job for evaluation in read_journal(log_dir).evaluations.values()]


def test_a_program_s_own_logging_is_left_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("deephyper")
    before = (logger.level, list(logger.handlers))
    VirtualSearch(tmp_path).session(max_evals=1)
    assert (logger.level, list(logger.handlers)) == before
