"""The same problem on the other backends of Keras."""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROBLEM = Path(__file__).with_name("small_problem.py")
REPOSITORY = Path(__file__).resolve().parents[2]
BACKENDS = ("jax", "torch")


@pytest.mark.long
@pytest.mark.tensorflow
@pytest.mark.parametrize("backend", BACKENDS)
def test_networks_are_searched_and_combined(backend: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} isn't installed")
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(REPOSITORY)}

    def deephyper(*words: str | Path) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "deephyper", "nas", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    deephyper("random", "-p", PROBLEM, "--max-evals", "4", "--seed", "3", "--evaluator", "thread")
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert any(row["objective"] for row in rows)
    # A convolution doesn't fit these data.
    assert {row["a"] for row in rows if row["failure"]} <= {"Conv1D(4, 3)"}
    assert "networks: loss " in deephyper("ensemble", ".", "-k", "2")
    program = (
        "import keras; from tests.nas.small_problem import load_data; "
        "model = keras.models.load_model('ensemble/ensemble.keras'); "
        f"assert keras.backend.backend() == {backend!r}; "
        "print(model.predict(load_data()[1][0], verbose=0).shape)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert loaded.stdout == "(32, 1)\n", loaded.stderr
