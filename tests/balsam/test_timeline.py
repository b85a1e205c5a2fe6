"""The state histories of a Balsam workflow, parsed and shown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from deephyper.balsam.timeline.report import as_table, plot
from deephyper.balsam.timeline.workflow import parse_workflow
from deephyper.errors import ResultsError


def history(*changes: str) -> str:
    """``"0 CREATED"``: seconds, state and, if there is one, a message."""
    text = ""
    for change in changes:
        seconds, state, *message = change.split(" ", 2)
        line = f"\n[11-24-2026 16:00:{float(seconds):09.6f} {state}] "
        text += line.rjust(46) + " ".join(message)
    return text


FINISHED = history("0 PREPROCESSED made", "2 RUNNING", "12 RUN_DONE", "13 JOB_FINISHED")
OTHER = history("0 PREPROCESSED made", "2 RUNNING", "7 RUN_DONE", "8 JOB_FINISHED")
FAILED = history(
    "1 PREPROCESSED made", "7 RUNNING", "10 RUN_ERROR tail\n    exception: no memory", "11 FAILED"
)
STOPPED = history("3 PREPROCESSED made", "9 USER_KILLED Stopped by the search")
ALL = {"a": FINISHED, "b": OTHER, "c": FAILED, "d": STOPPED}


def test_counts_states_and_reasons() -> None:
    workflow = parse_workflow(ALL)
    assert workflow.states == {"JOB_FINISHED": 2, "FAILED": 1, "USER_KILLED": 1}
    assert workflow.failures == {"c": "exception: no memory"}


def test_the_reason_is_not_what_a_launcher_of_ranks_prints() -> None:
    text = history(
        "1 PREPROCESSED made",
        "7 RUNNING",
        "10 RUN_ERROR exception: ValueError: odd n"
        "\n    srun: error: n3: task 0: Exited with exit code 3"
        "\n    slurmstepd: error: *** STEP 1.2 ON n3 CANCELLED ***",
    )
    assert parse_workflow({"a": text}).failures == {"a": "exception: ValueError: odd n"}


def test_the_search_knows_better_how_an_evaluation_ended() -> None:
    cut = history(
        "1 PREPROCESSED made", "7 RUNNING", "10 RUN_ERROR srun: error: task 0: Terminated"
    )
    late = history("1 PREPROCESSED made", "7 RUNNING", "20 USER_KILLED Left by an earlier session")
    ends = {"a": ("stopped", ""), "b": ("failed", "exception: ValueError: odd n")}
    workflow = parse_workflow({"a": cut, "b": late}, ends)
    assert workflow.failures == {"b": "exception: ValueError: odd n"}
    _, counts = workflow.timeline()[-1]
    assert (counts["stopped"], counts["failed"]) == (1, 1)
    assert workflow.states == {"stopped": 1, "failed": 1}


def test_a_pause_between_sessions_is_not_counted() -> None:
    begin = datetime(2026, 11, 24, 16, tzinfo=UTC).timestamp()
    first = history("0 PREPROCESSED made", "2 RUNNING", "12 RUN_DONE")
    # The launcher was killed at 12, which is noticed by the next session.
    cut = history("0 PREPROCESSED made", "2 RUNNING", "42 USER_KILLED Left by an earlier session")
    second = history("40 PREPROCESSED made", "42 RUNNING", "52 RUN_DONE")
    sessions = [(begin, begin + 12), (begin + 40, begin + 53)]
    workflow = parse_workflow({"a": first, "b": cut, "c": second}, {}, sessions)
    assert workflow.runs == [10, 10, 10]
    assert workflow.utilization == pytest.approx(30 / (2 * (50 - 28)))


def test_the_time_in_run_is_told_from_start_up_and_imports() -> None:
    # 8 s of the 18 s that evaluations ran, and of 2 workers for 10 s, were spent in run.
    workflow = parse_workflow(ALL, in_run={"a": 4.0, "b": 2.5, "c": 1.5, "foreign": 100.0})
    assert workflow.utilization == pytest.approx(18 / 20)
    assert workflow.utilization_in_run == pytest.approx(8 / 20)
    shown = as_table(workflow)
    assert "utilization   90% of that, start-up and imports included\n" in shown
    assert "in run        40% of that\n" in shown
    assert parse_workflow(ALL).utilization_in_run is None
    assert "in run" not in as_table(parse_workflow(ALL))


def test_measures_waits_and_runs() -> None:
    workflow = parse_workflow(ALL)
    assert sorted(workflow.waits) == [2, 2, 6]
    assert sorted(workflow.runs) == [3, 5, 10]


def test_utilization_is_the_share_of_busy_workers() -> None:
    workflow = parse_workflow(ALL)
    assert workflow.peak == 2
    assert workflow.utilization == pytest.approx((10 + 5 + 3) / (2 * 10))


def test_nothing_has_run_yet() -> None:
    workflow = parse_workflow({"d": history("3 PREPROCESSED made")})
    assert workflow.utilization == 0
    assert workflow.runs == []
    assert "ran           -" in as_table(workflow)


def test_a_job_that_was_started_again_ran_twice() -> None:
    text = history(
        "0 CREATED", "1 RUNNING", "4 RUN_TIMEOUT", "5 RESTART_READY", "6 RUNNING", "8 RUN_DONE"
    )
    assert parse_workflow({"a": text}).runs == [3, 2]


def test_the_timeline_ends_with_what_is_now() -> None:
    _, counts = parse_workflow(ALL).timeline()[-1]
    assert counts == {"waiting": 0, "running": 0, "finished": 2, "failed": 1, "stopped": 1}


def test_the_table_lists_failures() -> None:
    table = as_table(parse_workflow(ALL))
    assert "evaluations   4" in table
    assert "  c: exception: no memory" in table


def test_text_that_is_not_a_history_is_refused() -> None:
    with pytest.raises(ResultsError, match="'a' can't be read"):
        parse_workflow({"a": "nothing"})


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot(parse_workflow(ALL), tmp_path / "states.png")
    assert (tmp_path / "states.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ResultsError, match="can't be written"):
        plot(parse_workflow(ALL), tmp_path / "no" / "such.png")
