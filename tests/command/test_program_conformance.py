"""Programs are evaluated as functions are: the tests of every evaluator that programs can take."""

# ruff: noqa: F401

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deephyper.command import Command
from deephyper.evaluator import Evaluator
from tests.evaluator.conftest import BEHAVE, Create
from tests.evaluator.test_conformance import (
    test_a_closed_evaluator_takes_no_jobs,
    test_a_metric_that_is_not_returned_is_the_last_reported_one,
    test_an_id_is_taken_until_its_job_has_ended,
    test_cancel_ends_what_runs_and_what_waits,
    test_cancel_of_one_job_leaves_the_others,
    test_close_does_not_wait_for_what_runs,
    test_evaluates_more_points_than_workers,
    test_gather_returns_at_its_timeout,
    test_gather_without_jobs_returns_at_once,
    test_gathers_what_has_finished_without_waiting_for_the_rest,
    test_jobs_keep_their_ids_and_attempts,
)
from tests.evaluator.test_conformance_events import (
    test_a_bad_report_is_an_exception_of_run,
    test_a_job_that_is_asked_to_end_does_so_when_it_reports,
    test_a_job_that_never_reports_again_is_ended_after_the_grace,
    test_each_job_is_started_and_ended,
    test_metrics_come_with_a_report,
    test_no_event_follows_a_stop,
    test_nothing_runs_any_more_of_a_job_that_was_ended_unless_it_says_so,
    test_prune_ends_a_job_with_its_last_report,
    test_prune_leaves_alone_what_has_ended,
    test_prune_without_a_report_stops,
    test_reports_come_between_start_and_end,
)

ROOT = Path(__file__).parents[2]
NAMES = (
    "do",
    "file",
    "held",
    "objective",
    "objectives",
    "seconds",
    "step",
    "then_wait_for",
    "x",
)


@pytest.fixture
def method() -> str:
    return "program"


@pytest.fixture
def calling_method() -> str:
    return "program"


@pytest.fixture
def create() -> Iterator[Create]:
    made: list[Evaluator] = []

    def make(
        method: str,
        num_workers: int = 2,
        *,
        run: str | Callable[[dict[str, Any]], Any] = BEHAVE,
        **options: Any,
    ) -> Evaluator:
        assert run == BEHAVE
        words = [sys.executable, "-m", "tests.command.behave"]
        command = Command(words, NAMES, directory=str(ROOT))
        made.append(Evaluator.create(command, "process", num_workers, **options))
        return made[-1]

    yield make
    for evaluator in made:
        evaluator.close()
