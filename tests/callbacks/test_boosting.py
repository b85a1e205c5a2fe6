"""XGBoostReport and LightGBMReport with the real libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper.errors import SettingsError
from deephyper.evaluator.current import EvaluationPruned
from tests.callbacks.recorded import Recorded

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 3))
Y = (X.sum(axis=1) + RANDOM.normal(size=120) > 0).astype(int)
ROUNDS = 6


class XGBoost:
    """Trainings of XGBoost."""

    monitor = "valid-logloss"

    def __init__(self) -> None:
        self.package = pytest.importorskip("xgboost")
        self.recorded: dict[str, Any] = {}

    def report(self, monitor: str = monitor, **arguments: Any) -> Any:
        from deephyper.callbacks import XGBoostReport

        return XGBoostReport(monitor, **arguments)

    def train(self, callback: Any, rounds: int = ROUNDS, model: Any = None) -> Any:
        data = self.package.DMatrix(X, Y)
        return self.package.train(
            {"objective": "binary:logistic", "max_depth": 2, "nthread": 1},
            data,
            rounds,
            evals=[(data, "train"), (data, "valid")],
            evals_result=self.recorded,
            verbose_eval=False,
            xgb_model=model,
            callbacks=[callback],
        )

    def curve(self) -> list[float]:
        return list(self.recorded["valid"]["logloss"])

    def cross_validate(self, callback: Any) -> list[float]:
        table = self.package.cv(
            {"objective": "binary:logistic", "nthread": 1},
            self.package.DMatrix(X, Y),
            ROUNDS,
            callbacks=[callback],
            as_pandas=False,
        )
        return list(table["test-logloss-mean"])

    cross_validated = "test-logloss"

    def fit(self, callback: Any) -> list[float]:
        model = self.package.XGBClassifier(n_estimators=ROUNDS, n_jobs=1, callbacks=[callback])
        model.fit(X, Y, eval_set=[(X, Y)], verbose=False)
        return list(model.evals_result()["validation_0"]["logloss"])

    fitted = "validation_0-logloss"


class LightGBM:
    """Trainings of LightGBM."""

    monitor = "valid-binary_logloss"

    def __init__(self) -> None:
        self.parameters = {"objective": "binary", "num_leaves": 4, "num_threads": 1, "verbose": -1}
        self.package = pytest.importorskip("lightgbm")
        self.recorded: dict[str, Any] = {}

    def report(self, monitor: str = monitor, **arguments: Any) -> Any:
        from deephyper.callbacks import LightGBMReport

        return LightGBMReport(monitor, **arguments)

    def train(self, callback: Any, rounds: int = ROUNDS, model: Any = None) -> Any:
        data = self.package.Dataset(X, Y, free_raw_data=False)
        record = self.package.record_evaluation(self.recorded)
        return self.package.train(
            self.parameters,
            data,
            rounds,
            valid_sets=[data, self.package.Dataset(X, Y, reference=data, free_raw_data=False)],
            valid_names=["train", "valid"],
            init_model=model,
            callbacks=[callback, record, self.package.early_stopping(3, verbose=False)],
        )

    def curve(self) -> list[float]:
        return list(self.recorded["valid"]["binary_logloss"])

    def cross_validate(self, callback: Any) -> list[float]:
        table = self.package.cv(
            self.parameters, self.package.Dataset(X, Y), ROUNDS, callbacks=[callback]
        )
        return list(table["valid binary_logloss-mean"])

    cross_validated = "valid-binary_logloss"

    def fit(self, callback: Any) -> list[float]:
        model = self.package.LGBMClassifier(n_estimators=ROUNDS, n_jobs=1, verbose=-1)
        model.fit(X, Y, eval_set=[(X[60:], Y[60:])], callbacks=[callback])
        return list(model.evals_result_["valid_0"]["binary_logloss"])

    fitted = "valid_0-binary_logloss"


Library = XGBoost | LightGBM


@pytest.fixture(params=[XGBoost, LightGBM])
def library(request: pytest.FixtureRequest) -> Library:
    made: Library = request.param()
    return made


def test_each_round_is_reported(library: Library, tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        other = library.monitor.replace("valid", "train")
        library.train(library.report(negate=True, metrics=[other]))
    assert running.steps == list(range(1, ROUNDS + 1))
    assert running.objectives == [-loss for loss in library.curve()]
    assert [list(metrics) for _, _, metrics in running.reports] == [[other]] * ROUNDS


def test_some_rounds_are_reported(library: Library, tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        library.train(library.report(every=4))
    assert running.reports == [(4, library.curve()[3], {})]


def test_an_evaluation_that_is_to_end_ends(library: Library, tmp_path: Path) -> None:
    running = Recorded(tmp_path, stop_after=2)
    with running, pytest.raises(EvaluationPruned):
        library.train(library.report())
    assert running.steps == [1, 2]


def test_a_model_that_is_continued_is_reported_from_there(library: Library, tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        model = library.train(library.report(), rounds=2)
        library.train(library.report(), rounds=2, model=model)
    assert running.steps == [1, 2, 3, 4]


def test_cross_validation_reports_means(library: Library, tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        means = library.cross_validate(library.report(library.cross_validated))
    assert running.steps == list(range(1, ROUNDS + 1))
    assert running.objectives == means


def test_the_classes_of_scikit_learn_report(library: Library, tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        losses = library.fit(library.report(library.fitted))
    assert running.steps == list(range(1, ROUNDS + 1))
    assert running.objectives == losses


def test_outside_a_search_nothing_happens(library: Library) -> None:
    library.train(library.report())
    assert len(library.curve()) == ROUNDS


def test_a_metric_that_is_not_there_is_told_what_is(library: Library, tmp_path: Path) -> None:
    there = f"{library.monitor.replace('valid', 'train')}, {library.monitor}"
    with Recorded(tmp_path), pytest.raises(SettingsError, match=f"'valid-auc'; it has: {there}$"):
        library.train(library.report("valid-auc"))
