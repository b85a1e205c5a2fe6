"""The examples do what their pages say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deephyper.loading import load_object

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def test_every_kind_of_digits_point_can_be_evaluated_and_again_with_the_same_objective() -> None:
    problem = load_object(str(EXAMPLES / "digits" / "problem.py"), "Problem")
    run = load_object(str(EXAMPLES / "digits" / "model_run.py"), "run")
    points = {
        "linear": {"scaling": "none", "components": 20, "C": 1.0},
        "rbf": {"scaling": "standard", "components": 20, "C": 10.0, "gamma": 0.01},
        "poly": {"scaling": "quantile", "components": 20, "C": 1.0, "gamma": 0.1, "degree": 2},
        "sigmoid": {"scaling": "none", "components": 20, "C": 1.0, "gamma": 0.001},
    }
    for kernel, rest in points.items():
        point = {"kernel": kernel, **rest}
        problem.check_configuration(point)
        assert 0.8 < run(point) < 1.0
    assert run(point) == run(dict(point))


@pytest.mark.tensorflow
@pytest.mark.timeout(300)
def test_the_configurations_of_polynome2_print_their_objective_and_save_a_curve(
    tmp_path: Path,
) -> None:
    best = {"activation": "identity", "lr": 0.02, "units": 8, "objective": 1.0, "id": 3}
    (tmp_path / "best.json").write_text(json.dumps({"0": best}))
    for words, picture in (
        (["default_config.py"], "default_val_r2.png"),
        (["best_config.py", "best.json"], "best_val_r2.png"),
    ):
        done = subprocess.run(
            [sys.executable, EXAMPLES / "polynome2" / words[0], *words[1:]],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        )
        assert float(done.stdout.removeprefix("objective: ")) < 1
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
