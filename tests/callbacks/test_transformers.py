"""TransformersReport with the real library, where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import SettingsError
from deephyper.evaluator.current import EvaluationPruned
from tests.callbacks.recorded import Recorded

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

DATA = [{"x": torch.tensor([i / 32]), "labels": torch.tensor([2.0 * i / 32])} for i in range(32)]


class Line(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
    """A line as a model: its loss, and what it predicts."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x: Any, labels: Any) -> Any:
        found = self.layer(x)
        return {"loss": ((found - labels) ** 2).mean(), "logits": found}


def train(callback: Any, directory: Path, *, data: Any = DATA, **arguments: Any) -> Any:
    settings = {"eval_strategy": "epoch", "save_strategy": "no", "num_train_epochs": 4}
    trainer = transformers.Trainer(
        model=Line(),
        args=transformers.TrainingArguments(
            output_dir=str(directory),
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
            per_device_train_batch_size=8,
            learning_rate=0.1,
            **(settings | arguments),
        ),
        train_dataset=DATA,
        eval_dataset=data,
        callbacks=[callback],
    )
    last = None
    if arguments.get("save_strategy") == "epoch":
        from transformers.trainer_utils import get_last_checkpoint

        last = get_last_checkpoint(str(directory))  # type: ignore[no-untyped-call,unused-ignore]
    trainer.train(resume_from_checkpoint=last)
    return trainer


def report(monitor: str = "eval_loss", **arguments: Any) -> Any:
    from deephyper.callbacks import TransformersReport

    return TransformersReport(monitor, **arguments)


def losses(trainer: Any) -> list[float]:
    return [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]


def test_each_epoch_is_reported(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        trainer = train(report(negate=True), tmp_path)
    assert running.steps == [1, 2, 3, 4]
    assert running.objectives == [-loss for loss in losses(trainer)]


def test_evaluations_between_epochs_are_reported_with_their_steps(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        train(report(), tmp_path, eval_strategy="steps", eval_steps=8)
    assert running.steps == [8, 16]


def test_several_sets_of_data_are_one_report(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        data = {"near": DATA[:16], "far": DATA[16:]}
        train(report("eval_far_loss", metrics=["eval_near_loss"]), tmp_path, data=data)
    assert running.steps == [1, 2, 3, 4]
    assert [list(metrics) for _, _, metrics in running.reports] == [["eval_near_loss"]] * 4


def test_an_evaluation_after_the_training_is_not_reported(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        train(report(), tmp_path).evaluate(DATA, metric_key_prefix="test")
    assert running.steps == [1, 2, 3, 4]


def test_an_evaluation_that_is_to_end_ends(tmp_path: Path) -> None:
    running = Recorded(tmp_path, stop_after=2)
    with running, pytest.raises(EvaluationPruned):
        train(report(), tmp_path)
    assert running.steps == [1, 2]


def test_a_training_with_checkpoints_continues(tmp_path: Path) -> None:
    whole = Recorded(tmp_path / "whole")
    with whole:
        train(report(), tmp_path / "whole")
    first, second = Recorded(tmp_path / "3", stop_after=3), Recorded(tmp_path / "3")
    with first, pytest.raises(EvaluationPruned):
        train(report(), tmp_path / "3", save_strategy="epoch")
    with second:
        train(report(), tmp_path / "3", save_strategy="epoch")
    assert first.steps == [1, 2, 3]
    assert second.steps == [4]
    assert second.objectives == whole.objectives[3:]


def test_a_metric_that_is_not_there_is_told_what_is(tmp_path: Path) -> None:
    with Recorded(tmp_path), pytest.raises(SettingsError, match=r"'loss'; it has: .*eval_loss"):
        train(report("loss"), tmp_path)


def test_outside_a_search_nothing_happens(tmp_path: Path) -> None:
    assert len(losses(train(report(), tmp_path))) == 4
