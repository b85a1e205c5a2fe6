"""Exports are read back by the libraries of the tools that they are for."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deephyper import AMBS, HpProblem, evaluation
from deephyper.analytics import export
from deephyper.core.cli import analytics
from deephyper.errors import DeepHyperError
from deephyper.evaluator import Evaluator
from deephyper.problem import config_space as cs
from deephyper.search.results import Row, read_results
from deephyper.stopper import Stopper

pytest.importorskip("optuna")
pytest.importorskip("mlflow")
pytest.importorskip("wandb")
pytest.importorskip("tensorboard")
pytest.importorskip("pyarrow")

FORMS = {
    "parquet": "results.parquet",
    "optuna": "study.db",
    "mlflow": "mlflow.db",
    "tensorboard": "tensorboard",
    "wandb": "wandb-runs",
}


def is_poor(value: float, step: int) -> bool:
    return step == 3 and value < 0.8


class PoorOnes(Stopper):
    def report(self, id: str, step: int, objective: float) -> bool:
        return is_poor(objective, step)


def run(point: dict[str, Any]) -> dict[str, Any]:
    if point["x"] > 0.95:
        raise ValueError("too large: é")
    value = 0.0
    for step in range(1, 10):
        value = (1.0 - (point["x"] - 0.3) ** 2 - 0.01 * point["units"]) * (1.0 - 0.5**step)
        evaluation.report(value, step=step)
        while is_poor(value, step) and not evaluation.should_stop():
            time.sleep(0.001)
    return {"objective": value, "params": 100 * point["units"]}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the log directory of a search with conditions, failures, metrics and curves."""
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    problem.add_hyperparameter((1e-4, 1.0, "log-uniform"), "lr")
    problem.add_hyperparameter((1, 8), "units")
    opt = problem.add_hyperparameter(["sgd", "adam, w"], "opt")
    momentum = problem.add_hyperparameter((0.0, 0.9), "momentum")
    problem.add_condition(cs.EqualsCondition(momentum, opt, "sgd"))
    problem.add_hyperparameter([True, False], "flag")
    problem.add_starting_point(x=0.99)
    log_dir = tmp_path_factory.mktemp("searched") / "my search"
    with Evaluator.create(run, "thread", 2) as evaluator:
        search = AMBS(problem, evaluator, log_dir=log_dir, seed=1, stopper=PoorOnes())
        search.search(max_evals=25)
    return log_dir


@pytest.fixture(scope="module")
def rows(searched: Path) -> dict[str, Row]:
    found = {str(row.columns["id"]): row for row in read_results(searched)}
    assert {row.status for row in found.values()} == {"finished", "failed", "pruned"}
    return found


def test_a_parquet_file_has_the_columns_and_their_types(
    searched: Path, rows: dict[str, Row], tmp_path: Path
) -> None:
    import pandas as pd
    import pyarrow.parquet

    export.to_parquet(searched, tmp_path / "a.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert types["x"] == types["objective"] == "double"
    assert types["units"] == types["id"] == "int64"
    assert types["flag"] == "bool"
    assert "string" in types["opt"]
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert len(frame) == len(rows)
    for record in frame.to_dict("records"):
        row = rows[str(record["id"])]
        for name, value in {**row.point, "objective": row.objective}.items():
            assert record[name] == value or (value is None and pd.isna(record[name]))
        if "momentum" not in row.point:
            assert pd.isna(record["momentum"])


@pytest.mark.parametrize("ending", [".db", ".log"])
def test_a_study_is_read_by_optuna(
    searched: Path, rows: dict[str, Row], tmp_path: Path, ending: str
) -> None:
    import optuna

    path = tmp_path / f"a{ending}"
    export.to_optuna(searched, path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    backend: Any = optuna.storages
    storage = (
        f"sqlite:///{path}"
        if ending == ".db"
        else backend.JournalStorage(backend.journal.JournalFileBackend(str(path)))
    )
    study = optuna.load_study(study_name="my search", storage=storage)
    assert study.direction.name == "MAXIMIZE"
    states = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
    assert len(study.trials) == len(rows)
    for trial in study.trials:
        row = rows[trial.user_attrs["id"]]
        assert states[trial.state.name] == row.status
        assert trial.params == row.point
        assert trial.value == row.objective
        if row.status == "failed":
            assert "too large: é" in trial.user_attrs["failure"]
        if row.status == "finished":
            assert sorted(trial.intermediate_values) == [*range(1, 10)]
            assert trial.user_attrs["params"] == 100 * row.point["units"]
        assert trial.datetime_start is not None
        assert trial.datetime_start.timestamp() == pytest.approx(row.columns["start"], abs=0.01)
    best = max((r for r in rows.values() if r.status == "finished"), key=lambda r: r.objective or 0)
    assert study.best_params == best.point
    found: dict[str, Any] = {**study.trials[0].distributions}
    assert (found["lr"].low, found["lr"].high, found["lr"].log) == (1e-4, 1.0, True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=1)  # it continues


def test_the_study_is_shown_by_the_dashboard(searched: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard")
    export.to_optuna(searched, tmp_path / "a.db")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    program = "import sys; from optuna_dashboard._cli import main; sys.exit(main())"
    words = [f"sqlite:///{tmp_path / 'a.db'}", "--port", str(port), "--host", "127.0.0.1"]
    with subprocess.Popen([sys.executable, "-c", program, *words]) as dashboard:
        try:
            studies = json.loads(_page(f"http://127.0.0.1:{port}/api/studies", dashboard))
            (study,) = studies["study_summaries"]
            assert study["study_name"] == "my search"
            url = f"http://127.0.0.1:{port}/api/studies/{study['study_id']}?after=0"
            assert len(json.loads(_page(url, dashboard))["trials"]) == 25
        finally:
            dashboard.kill()


def _page(url: str, server: subprocess.Popen[bytes]) -> bytes:
    """Return what a server answers, once it does."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(url) as answer:
                return bytes(answer.read())
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server has ended")


def test_an_experiment_is_read_by_mlflow(
    searched: Path, rows: dict[str, Row], tmp_path: Path
) -> None:
    from mlflow.tracking import MlflowClient

    export.to_mlflow(searched, tmp_path / "a.db", name="mine")
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'a.db'}")
    experiment = client.get_experiment_by_name("mine")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == len(rows)
    states = {"FINISHED": "finished", "KILLED": "pruned", "FAILED": "failed"}
    for each in runs:
        row = rows[each.data.tags["deephyper.id"]]
        assert states[each.info.status] == row.status
        assert {k: v for k, v in each.data.params.items() if k != "opt"} == {
            k: repr(v) for k, v in row.point.items() if k != "opt"
        }
        if row.objective is None:
            assert "too large: é" in each.data.tags["deephyper.failure"]
        else:
            assert each.data.metrics["objective"] == pytest.approx(row.objective)
        if row.status == "finished":
            assert each.data.metrics["params"] == 100 * row.point["units"]
            history = client.get_metric_history(each.info.run_id, "objective")
            assert sorted({m.step for m in history}) == [*range(1, 10)]


def test_sessions_are_read_by_tensorboard(
    searched: Path, rows: dict[str, Row], tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.plugins.hparams import metadata

    export.to_tensorboard(searched, tmp_path / "logs")
    root = event_accumulator.EventAccumulator(str(tmp_path / "logs")).Reload()
    content = root.PluginTagToContent(metadata.PLUGIN_NAME)
    config = metadata.parse_experiment_plugin_data(content[metadata.EXPERIMENT_TAG])
    assert [h.name for h in config.hparam_infos] == ["flag", "lr", "opt", "units", "x", "momentum"]
    directories = [each for each in (tmp_path / "logs").iterdir() if each.is_dir()]
    assert len(directories) == len(rows)
    for each in directories:
        read = event_accumulator.EventAccumulator(str(each)).Reload()
        content = read.PluginTagToContent(metadata.PLUGIN_NAME)
        begin = metadata.parse_session_start_info_plugin_data(
            content[metadata.SESSION_START_INFO_TAG]
        )
        end = metadata.parse_session_end_info_plugin_data(content[metadata.SESSION_END_INFO_TAG])
        row = rows[str(int(each.name))]
        assert (end.status == 2) == (row.status == "failed")
        assert begin.hparams["x"].number_value == row.point["x"]
        assert begin.hparams["opt"].string_value == row.point["opt"]
        assert ("momentum" in begin.hparams) == ("momentum" in row.point)
        if row.status == "finished":
            curve = [(event.step, event.value) for event in read.Scalars("objective")]
            assert [step for step, _ in curve] == [*range(1, 10)]
            assert curve[-1][1] == pytest.approx(row.objective, rel=1e-6)


def test_offline_runs_are_read_by_wandb(
    searched: Path, rows: dict[str, Row], tmp_path: Path
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    lines = (searched / "results.csv").read_text().splitlines()
    states = (",finished,", ",failed,")
    chosen = [next(i for i, line in enumerate(lines) if state in line) for state in states]
    (few / "results.csv").write_text("\n".join([lines[0], *(lines[i] for i in chosen), ""]))
    export.to_wandb(few, tmp_path / "runs", name="mine")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["few", "runs"]
    texts = b"".join(path.read_bytes() for path in (tmp_path / "runs").rglob("run-*.wandb"))
    assert len([*(tmp_path / "runs").rglob("run-*.wandb")]) == 2
    for row in (r for r in rows.values() if str(r.columns["id"]) in _ids(lines, chosen)):
        assert f"evaluation {row.columns['id']}".encode() in texts
        assert repr(row.point["x"]).encode() in texts
    assert b"mine" in texts


def _ids(lines: list[str], chosen: list[int]) -> set[str]:
    import csv

    at = next(csv.reader([lines[0]])).index("id")
    return {next(csv.reader([lines[i]]))[at] for i in chosen}


@pytest.mark.parametrize("form", [form for form in FORMS if form != "wandb"])
def test_a_plain_table_of_another_tool_is_exported(tmp_path: Path, form: str) -> None:
    path = tmp_path / "results.csv"
    path.write_text("x,kind,objective\n1,a,2.0\n2,b,F\n3,a,1.5\n")
    assert analytics.main(["export", form, str(path), "-o", str(tmp_path / FORMS[form])]) == 0
    assert (tmp_path / FORMS[form]).exists()


def test_a_search_that_minimizes_is_one_there(tmp_path: Path) -> None:
    import optuna

    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    with Evaluator.create(lambda point: point["x"], "thread", 1) as evaluator:
        AMBS(problem, evaluator, log_dir=tmp_path / "s", seed=1, direction="minimize").search(
            max_evals=3
        )
    export.to_optuna(tmp_path / "s", tmp_path / "a.db")
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{tmp_path / 'a.db'}")
    assert study.direction.name == "MINIMIZE"
    assert study.best_value == min(t.value or math.inf for t in study.trials)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_there_is_kept_and_half_an_export_is_nothing(
    searched: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / FORMS[form]
    if target.suffix:
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").touch()
    assert analytics.main(["export", form, str(searched), "-o", str(target)]) == 2
    error = capsys.readouterr().err
    assert "exists already" in error
    assert len(error.splitlines()) == 1
    assert [each.name for each in tmp_path.iterdir()] == [FORMS[form]]
    assert (
        analytics.main(["export", form, "nowhere", "-o", str(tmp_path / f"n-{FORMS[form]}")]) == 2
    )
    assert "nowhere" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == [FORMS[form]]


@pytest.mark.parametrize("form", ["parquet", "optuna", "mlflow"])
def test_a_file_is_replaced_by_force(searched: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / FORMS[form]
    target.write_text("mine")
    words = ["export", form, str(searched), "-o", str(target), "--force"]
    assert analytics.main(words) == 0
    assert target.stat().st_size > 100
    assert [each.name for each in tmp_path.iterdir()] == [FORMS[form]]


@pytest.mark.parametrize(
    ("module", "extra", "write"),
    [
        ("pyarrow", "parquet", export.to_parquet),
        ("optuna", "optuna", export.to_optuna),
        ("mlflow.tracking", "mlflow", export.to_mlflow),
        ("tensorboard.plugins.hparams", "tensorboard", export.to_tensorboard),
        ("wandb", "wandb", export.to_wandb),
    ],
)
def test_without_the_library_is_said_how_to_install_it(
    searched: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    extra: str,
    write: Callable[..., None],
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DeepHyperError, match=rf"'\.\[{extra}\]'"):
        write(searched, tmp_path / FORMS[extra])
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["optuna", "{}", "-o", "a.txt"], ".db or .log"),
        (["parquet", "{}", "-o", "no/a.parquet"], "no directory"),
        (["tensorboard", "{}", "-o", "no/logs"], "no directory"),
        (["optun", "{}"], "optuna"),
        (["optuna", "empty.csv"], "nothing to export"),
    ],
)
def test_bad_command_lines(
    searched: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.csv").write_text("x,objective\n")
    assert analytics.main(["export", *(word.format(searched) for word in words)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["empty.csv"]


def test_a_file_of_another_name_has_no_curves_of_the_journal_beside_it(
    searched: Path, tmp_path: Path
) -> None:
    import optuna

    copy = searched.with_name("copy")
    copy.mkdir()
    (copy / "journal.jsonl").write_bytes((searched / "journal.jsonl").read_bytes())
    (copy / "other.csv").write_bytes((searched / "results.csv").read_bytes())
    export.to_optuna(copy / "other.csv", tmp_path / "a.db")
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{tmp_path / 'a.db'}")
    assert not any(trial.intermediate_values for trial in study.trials)
