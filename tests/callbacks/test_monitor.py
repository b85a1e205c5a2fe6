"""What the callbacks of all libraries have in common: which metric is reported, and its sign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deephyper.callbacks.checkpoint import Checkpoint, checked_name
from deephyper.callbacks.monitor import Monitor
from deephyper.errors import ResultsError, SettingsError
from deephyper.evaluator.current import evaluation
from deephyper.evaluator.run_function import call
from tests.callbacks.recorded import Recorded

FOUND = {"loss": 0.5, "accuracy": 0.75}


def monitor(name: str = "accuracy", **arguments: Any) -> Monitor:
    usual: dict[str, Any] = {"metrics": (), "negate": False, "every": 1}
    return Monitor(name, **(usual | arguments))


def test_the_metric_is_reported_as_it_is_or_with_the_other_sign(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        monitor().report(1, FOUND)
        monitor("loss", negate=True, metrics=["loss", "accuracy"]).report(2, FOUND)
    assert running.reports == [(1, 0.75, {}), (2, -0.5, FOUND)]


@pytest.mark.parametrize("arguments", [{"name": "acc"}, {"metrics": ["acc"]}])
def test_a_metric_that_is_not_there_is_told_what_is(arguments: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"no metric 'acc'; it has: loss, accuracy$"):
        monitor(**arguments).report(1, FOUND)
    with pytest.raises(SettingsError, match="it has: none at all"):
        monitor().report(1, {})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "monitor is ''"),
        ({"name": None}, "monitor is None"),
        ({"metrics": "loss"}, "metrics is 'loss'; give a list"),
        ({"metrics": [1]}, "metrics is"),
        ({"metrics": ["loss", "step"]}, "metrics has 'step'"),
        ({"metrics": ["objective"]}, "metrics has 'objective'"),
        ({"negate": 1}, "negate is 1"),
        ({"every": 0}, "every is 0"),
        ({"every": 1.5}, "every is 1.5"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        monitor(**arguments)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a b", "x" * 101, 3])
def test_the_name_of_a_training_is_that_of_a_file(name: Any) -> None:
    with pytest.raises(SettingsError, match="name is"):
        checked_name(name)


def test_a_checkpoint_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "training.checkpoint")
    assert checkpoint.load() is None
    checkpoint.save({"epoch": 1})
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save({"epoch": 2, "never": lambda: None})
    assert checkpoint.load() == {"epoch": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["training.checkpoint"]
    checkpoint.remove()
    checkpoint.remove()
    assert checkpoint.load() is None


def test_what_a_killed_process_has_left_is_removed(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "training.checkpoint")
    checkpoint.save(1)
    (tmp_path / ".training.checkpoint.0123456789abcdef.partial").write_bytes(b"half")
    (tmp_path / ".other.checkpoint.0123456789abcdef.partial").write_bytes(b"half")
    assert checkpoint.load() == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        ".other.checkpoint.0123456789abcdef.partial",
        "training.checkpoint",
    ]


@pytest.mark.parametrize("damage", [b"", b"half", b"\x80\x05cnowhere\nnothing\n."])
def test_a_damaged_checkpoint_is_told_what_to_do_with(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "training.checkpoint"
    path.write_bytes(damage)
    with pytest.raises(ResultsError, match=r"can't be read .* remove it"):
        Checkpoint(path).load()


def test_a_checkpoint_is_never_read_through_a_link(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "elsewhere").save(1)
    path = tmp_path / "training.checkpoint"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResultsError, match="symbolic link"):
        Checkpoint(path).load()


def raised(error: BaseException) -> Callable[[Any], float]:
    def run(point: Any) -> float:
        checkpoint = Checkpoint.of_training("training")
        assert checkpoint is not None
        checkpoint.save(1)
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (ValueError("the loss is nan"), False),
        (MemoryError(), False),
        (KeyboardInterrupt(), True),
        (SystemExit(1), True),
        (ResultsError("is of another model; remove it"), True),
    ],
)
def test_an_evaluation_that_has_failed_leaves_no_checkpoint(
    error: BaseException, stays: bool, tmp_path: Path
) -> None:
    (tmp_path / "other.checkpoint").touch()
    call(raised(error), {}, Recorded(tmp_path))
    there = {each.name for each in tmp_path.iterdir()}
    assert there == {"other.checkpoint", *(["training.checkpoint"] if stays else [])}


def test_a_failure_that_is_returned_leaves_no_checkpoint(tmp_path: Path) -> None:
    def run(point: Any) -> str:
        checkpoint = Checkpoint.of_training("training")
        assert checkpoint is not None
        checkpoint.save(1)
        return "F_diverged"

    call(run, {}, Recorded(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_an_evaluation_that_is_ended_early_keeps_its_checkpoint(tmp_path: Path) -> None:
    def run(point: Any) -> float:
        checkpoint = Checkpoint.of_training("training")
        assert checkpoint is not None
        checkpoint.save(1)
        evaluation.report(1.0)
        raise AssertionError

    assert call(run, {}, Recorded(tmp_path, stop_after=1)).pruned
    assert [each.name for each in tmp_path.iterdir()] == ["training.checkpoint"]


def test_two_trainings_of_an_evaluation_have_two_names(tmp_path: Path) -> None:
    assert Checkpoint.of_training("training") is None  # outside
    for _ in range(2):  # another attempt
        with Recorded(tmp_path):
            Checkpoint.of_training("fold-1")
            Checkpoint.of_training("fold-2")
            with pytest.raises(SettingsError, match=r"'fold-1.checkpoint'; give each a name"):
                Checkpoint.of_training("fold-1")
