"""LightningReport with the real library, where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import SettingsError
from deephyper.evaluator.current import EvaluationPruned
from tests.callbacks.recorded import Recorded

torch = pytest.importorskip("torch")


@pytest.fixture(params=["lightning.pytorch", "pytorch_lightning"])
def lightning(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


def train(lightning: Any, callback: Any, directory: Path, **arguments: Any) -> list[float]:
    """Train a line; return its validation loss after each epoch."""
    data = torch.utils.data.TensorDataset(torch.linspace(0, 1, 32).reshape(-1, 1))
    losses: list[float] = []

    class Line(lightning.LightningModule):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def loss(self, batch: Any) -> Any:
            return ((self.layer(batch[0]) - 2 * batch[0]) ** 2).mean()

        def training_step(self, batch: Any, number: int) -> Any:
            loss = self.loss(batch)
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, number: int) -> None:
            self.log("val_loss", self.loss(batch))

        def on_validation_epoch_end(self) -> None:
            if not self.trainer.sanity_checking:
                losses.append(float(self.trainer.callback_metrics["val_loss"]))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    torch.manual_seed(0)
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    usual = {"max_epochs": 4, "enable_progress_bar": False, "enable_model_summary": False}
    lightning.Trainer(
        callbacks=callback if isinstance(callback, list) else [callback],
        accelerator="cpu",
        default_root_dir=directory,
        logger=False,
        **({"enable_checkpointing": False} | usual | arguments),
    ).fit(Line(), loader, loader, ckpt_path="last" if "enable_checkpointing" in arguments else None)
    return losses


def report(monitor: str = "val_loss", **arguments: Any) -> Any:
    from deephyper.callbacks import LightningReport

    return LightningReport(monitor, **arguments)


def test_each_epoch_is_reported(lightning: Any, tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        callback = report(negate=True, metrics=["train_loss"])
        losses = train(lightning, callback, tmp_path)
    assert running.steps == [1, 2, 3, 4]
    # One is in training precision, the other was rounded on its way to a float.
    assert running.objectives == pytest.approx([-loss for loss in losses], rel=1e-6)
    assert len({metrics["train_loss"] for _, _, metrics in running.reports}) == 4


def test_validations_at_some_epochs_are_reported_at_these(lightning: Any, tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        train(lightning, report(every=2), tmp_path, check_val_every_n_epoch=2)
    assert running.steps == [2, 4]


def test_an_evaluation_that_is_to_end_ends(lightning: Any, tmp_path: Path) -> None:
    running = Recorded(tmp_path, stop_after=2)
    with running, pytest.raises(EvaluationPruned):
        train(lightning, report(), tmp_path)
    assert running.steps == [1, 2]


def test_a_training_with_checkpoints_continues(lightning: Any, tmp_path: Path) -> None:
    def checkpoints() -> Any:
        return lightning.callbacks.ModelCheckpoint(tmp_path, save_last=True)

    def train_with_checkpoints() -> None:
        callback = report()
        train(lightning, [callback, checkpoints()], tmp_path, enable_checkpointing=True)

    whole = Recorded(tmp_path / "whole")
    with whole:
        train(lightning, report(), tmp_path / "whole")
    first, second = Recorded(tmp_path, stop_after=3), Recorded(tmp_path)
    with first, pytest.raises(EvaluationPruned):
        train_with_checkpoints()
    with second:
        train_with_checkpoints()
    assert first.steps == [1, 2, 3]
    assert second.steps == [4]
    assert first.objectives + second.objectives == whole.objectives


def test_a_metric_that_is_not_there_is_told_what_is(lightning: Any, tmp_path: Path) -> None:
    with (
        Recorded(tmp_path),
        pytest.raises(SettingsError, match="it has: val_loss, train_loss"),
    ):
        train(lightning, report("val_acc"), tmp_path)


def test_outside_a_search_nothing_happens(lightning: Any, tmp_path: Path) -> None:
    assert len(train(lightning, report(), tmp_path)) == 4
