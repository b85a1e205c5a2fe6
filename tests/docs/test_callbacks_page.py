"""The code of docs/callbacks.md runs where its library is installed; its facts are the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper import callbacks
from tests.callbacks.recorded import Recorded

TEXT = (Path(__file__).parents[2] / "docs" / "callbacks.md").read_text(encoding="utf-8")
TITLES = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)


def page(title: str, **names: Any) -> dict[str, Any]:
    """Run the code of a section, and return what it defines."""
    section = TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    exec(compile(code, "callbacks.md", "exec"), names)
    return names


RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.mark.tensorflow
def test_the_code_for_keras_runs(tmp_path: Path) -> None:
    def build(point: dict[str, Any]) -> tuple[Any, Any, Any]:
        import keras

        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model, (X, Y), (X, Y)

    running = Recorded(tmp_path)
    with running:
        assert page("Keras", build=build)["run"]({}) == running.objectives[-1]
    assert running.steps == [*range(1, 21)]


def test_the_code_for_scikit_learn_runs(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        assert page("scikit-learn")["run"]({"units": 4}) == running.objectives[-1]
    assert running.steps == [*range(1, 11)]


def test_the_code_for_xgboost_runs(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    data = xgboost.DMatrix(X, Y)
    run = page("XGBoost and LightGBM", train_data=data, valid_data=data)["run"]
    running = Recorded(tmp_path)
    with running:
        assert run({"max_depth": 2, "nthread": 1}) == running.objectives[-1]
    assert running.steps == [*range(10, 501, 10)]


def test_the_code_for_lightning_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lightning = pytest.importorskip("lightning.pytorch")
    import torch

    monkeypatch.chdir(tmp_path)

    class Module(lightning.LightningModule):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def training_step(self, batch: Any, number: int) -> Any:
            return self.layer(batch[0]).square().mean()

        def validation_step(self, batch: Any, number: int) -> None:
            self.log("val_acc", -self.layer(batch[0]).square().mean())

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    class Data(lightning.LightningDataModule):  # type: ignore[misc,name-defined,unused-ignore]
        def train_dataloader(self) -> Any:
            return torch.utils.data.DataLoader(
                torch.utils.data.TensorDataset(torch.tensor(X, dtype=torch.float32)), batch_size=20
            )

        val_dataloader = train_dataloader

    running = Recorded(tmp_path / "3")
    with running:
        page("PyTorch Lightning", build=lambda point: (Module(), Data()))["run"]({})
    assert running.steps == [*range(1, 21)]


def test_the_code_for_transformers_runs(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from tests.callbacks.test_transformers import DATA, Line

    running = Recorded(tmp_path)
    with running:
        run = page("Hugging Face Trainer", build=lambda point: (Line(), DATA, DATA))["run"]
        assert run({"learning_rate": 0.1}) == running.objectives[-1]
    assert running.steps == [1, 2, 3]


def test_it_names_every_callback_and_links_to_its_sections() -> None:
    assert [name for name in callbacks.__all__ if f"`{name}`" not in TEXT] == []
    anchors = {title.lower().replace(" ", "-") for title in TITLES}
    links = set(re.findall(r"\]\(#([\w-]+)\)", TEXT))
    assert links <= anchors
    assert len(links) == 5
