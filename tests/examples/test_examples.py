"""The examples do what their pages say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deephyper.loading import load_object
from tests.search.real_search import RealSearch

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


@pytest.mark.long
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


# As examples/digits_network, but for fewer epochs, and its second evaluation waits in the middle of
# its fourth one if it is told to.
WAITING = """
import os, time
import keras
import model_run
from deephyper import evaluation

model_run.EPOCHS = 6

class Waiting(model_run.KerasReport):
    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 3 and batch == 2 and evaluation.id == "1":
            open("waiting", "w").close()
            time.sleep(600)

if "WAIT" in os.environ:
    model_run.KerasReport = Waiting

run = model_run.run
"""


def search_for_a_network(folder: Path, log_dir: Path, kill: bool) -> RealSearch:
    """Search the example to its end, if so after a kill in the middle of a training."""
    example = EXAMPLES / "digits_network"
    search = RealSearch(folder, log_dir)
    search.write(WAITING, (example / "problem.py").read_text())
    (folder / "model_run.py").write_text((example / "model_run.py").read_text())
    options = "--max-evals 2 --num-workers 1 --seed 3"
    try:
        if kill:
            process = search.start(options, WAIT="yes")
            search.until((folder / "waiting").exists)
            search.until(lambda: search.count("reported") == 9)
            process.kill()
            process.wait()
            search.none_left()
            kept = [path.name for path in (log_dir / "evaluations" / "1").iterdir()]
            assert kept == ["training.checkpoint"]
        assert search.run(options, resume=kill).status == 0, search.err
    finally:
        search.stop_all()
    return search


def reports_of(search: RealSearch) -> list[tuple[Any, ...]]:
    return [
        (event["id"], event["step"], event["objective"], event["metrics"])
        for event in search.events()
        if event["event"] == "reported"
    ]


@pytest.mark.long
@pytest.mark.tensorflow
@pytest.mark.timeout(300)
def test_a_search_for_a_network_that_is_killed_in_mid_training_continues_it_exactly(
    tmp_path: Path,
) -> None:
    whole = search_for_a_network(tmp_path / "task", tmp_path / "whole", kill=False)
    killed = search_for_a_network(tmp_path / "task", tmp_path / "killed", kill=True)
    # No epoch was trained twice, and those after the kill are those of a search without one.
    assert [step for id, step, *_ in reports_of(killed) if id == "1"] == [1, 2, 3, 4, 5, 6]
    assert reports_of(killed) == reports_of(whole)
    for row, expected in zip(killed.rows(), whole.rows(), strict=True):
        assert row["objective"] == expected["objective"]
        assert row["val_loss"] == expected["val_loss"]
