from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
import yaml

import deephyper
from deephyper.analytics.ranked import as_yaml, save
from deephyper.analytics.topk import best_evaluations, best_points
from deephyper.cell import format_cell
from deephyper.core.cli import analytics
from deephyper.errors import ResultsError, SettingsError
from deephyper.printable import printable

POINTS = [
    {"units": 66, "lr": 0.0030462747, "activation": "relu", "bias": True, "decay": None},
    {"units": 10, "lr": 1.0, "activation": "identity", "bias": False, "decay": 1e-05},
    {"units": 1, "lr": 1e-12, "activation": "1", "bias": True},
    {"units": 7, "lr": 0.5, "activation": 'a, "b": c\n- d', "bias": True, "decay": "None"},
]
OBJECTIVES: list[float | None] = [0.98, -3.0, None, 0.99]
NAMES = ["activation", "bias", "decay", "lr", "units"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*NAMES, "objective", "id", "elapsed_sec", "status", "worker", "failure"])
        for number, (point, objective) in enumerate(zip(POINTS, OBJECTIVES, strict=True)):
            cells = [format_cell(point[n]) if n in point else "" for n in NAMES]
            failed = ["", str(number), "1.5", "failed", "w0", "nan: run returned NaN"]
            finished = [repr(objective), str(number), "1.5", "finished", "w0", ""]
            rows.writerow([*cells, *(failed if objective is None else finished)])
    return path


def without_columns(evaluation: dict[str, object]) -> dict[str, object]:
    return {k: v for k, v in evaluation.items() if k in NAMES}


def typed(point: dict[str, object]) -> dict[str, tuple[type, object]]:
    return {name: (type(value), value) for name, value in point.items()}


def test_prints_the_form_of_the_tutorial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.csv"
    path.write_text(
        "activation,lr,units,objective,id,elapsed_sec,status\n"
        "relu,0.0030462747,66,0.9863986373,10db0a10-dfc3-11eb-abab-acde48001122,555.1225,finished\n"
        "tanh,0.1,5,0.1,20db0a10-dfc3-11eb-abab-acde48001122,5.5,finished\n"
    )
    assert analytics.main(["topk", str(path)]) == 0
    assert capsys.readouterr().out == (
        "'0':\n"
        "    activation: relu\n"
        "    elapsed_sec: 555.1225\n"
        "    id: 10db0a10-dfc3-11eb-abab-acde48001122\n"
        "    lr: 0.0030462747\n"
        "    objective: 0.9863986373\n"
        "    units: 66\n"
    )


WITH_METRICS = (
    "loss,units,objective,id,elapsed_sec,status,worker,start,end,failure,predicted,predicted_std,"
    "direction,step,m:loss,size\n"
    "hinge,5,0.25,0,1.0,finished,w0,0,1,,,,minimize,,0.5,7\n"
    "log,6,0.125,1,1.0,pruned,w0,0,1,,,,minimize,3,0.25,8\n"
    "log,7,0.5,2,1.0,finished,w0,0,1,,,,minimize,,,9\n"
)


def test_metrics_come_last_and_apart_from_hyperparameters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.csv"
    path.write_text(WITH_METRICS)
    assert analytics.main(["topk", str(path)]) == 0
    assert capsys.readouterr().out == (
        "'0':\n"
        "    elapsed_sec: 1.0\n"
        "    id: 0\n"
        "    loss: hinge\n"
        "    objective: 0.25\n"
        "    units: 5\n"
        "    metrics:\n"
        "        loss: 0.5\n"
        "        size: 7\n"
    )
    assert best_points(path, k=3) == [{"loss": "hinge", "units": 5}, {"loss": "log", "units": 7}]


def test_metrics_survive_every_form(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(WITH_METRICS)
    best = best_evaluations(path, k=3)
    assert [evaluation["metrics"] for evaluation in best] == [{"loss": 0.5, "size": 7}, {"size": 9}]
    save(best, tmp_path / "best.json")
    assert [*json.loads((tmp_path / "best.json").read_text()).values()] == best
    save(best, tmp_path / "best.csv")
    assert (tmp_path / "best.csv").read_text().splitlines() == [
        "loss,units,objective,m:loss,m:size,id,elapsed_sec",
        "hinge,5,0.25,0.5,7,0,1.0",
        "log,7,0.5,,9,2,1.0",
    ]
    again = best_evaluations(tmp_path / "best.csv", k=3)
    assert sorted(again, key=lambda each: int(each["id"])) == best


def test_a_hyperparameter_may_be_called_metrics(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(WITH_METRICS.replace("units,", "metrics,", 1))
    best = best_evaluations(path)[0]
    assert (best["metrics"], best["m:metrics"]) == (5, {"loss": 0.5, "size": 7})


def test_the_best_come_first_and_failures_are_left_out(results: Path) -> None:
    assert [e["objective"] for e in best_evaluations(results, k=10)] == [0.99, 0.98, -3.0]
    assert [e["objective"] for e in best_evaluations(results, k=2)] == [0.99, 0.98]


def test_of_equal_evaluations_the_earlier_is_first(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("x,objective\n1,2.0\n2,3.0\n3,3.0\n")
    assert [e["x"] for e in best_evaluations(path, k=3)] == [2, 3, 1]


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml", ".csv"])
def test_types_survive_every_form(results: Path, tmp_path: Path, suffix: str) -> None:
    saved = tmp_path / f"best{suffix}"
    save(best_evaluations(results, k=10), saved)
    if suffix == ".csv":
        points = best_evaluations(saved, k=10)
    else:
        text = saved.read_text(encoding="utf-8")
        points = list((json.loads(text) if suffix == ".json" else yaml.safe_load(text)).values())
    expected = [POINTS[3], POINTS[0], POINTS[1]]
    assert [typed(without_columns(p)) for p in points] == [typed(p) for p in expected]


def test_what_is_printed_is_the_same_as_what_is_returned(results: Path) -> None:
    evaluations = best_evaluations(results, k=10)
    assert list(yaml.safe_load(as_yaml(evaluations)).values()) == evaluations


def test_an_inactive_hyperparameter_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("degree,kernel,objective\n,rbf,2.0\n3,poly,1.0\n")
    best, second = best_evaluations(path, k=2)
    assert "degree" not in best
    assert second["degree"] == 3


def test_a_saved_file_is_replaced_only_on_request(results: Path, tmp_path: Path) -> None:
    saved = tmp_path / "best.json"
    saved.write_text("mine")
    with pytest.raises(ResultsError, match="exists already"):
        save(best_evaluations(results), saved)
    assert saved.read_text() == "mine"
    save(best_evaluations(results), saved, force=True)
    assert json.loads(saved.read_text())["0"]["units"] == 7


def test_the_command_saves_and_says_where(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "best.yaml"
    assert analytics.main(["topk", str(results), "-k", "2", "-o", str(saved)]) == 0
    assert str(saved) in capsys.readouterr().out
    assert list(yaml.safe_load(saved.read_text())) == ["0", "1"]


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".csv"])
def test_points_are_hyperparameters_alone(results: Path, tmp_path: Path, suffix: str) -> None:
    saved = tmp_path / f"best{suffix}"
    status = analytics.main(["topk", str(results), "-k", "2", "--points", "-o", str(saved)])
    assert status == 0
    if suffix == ".csv":
        with saved.open(newline="") as file:
            assert next(csv.reader(file)) == NAMES
    else:
        text = saved.read_text()
        ranked = json.loads(text) if suffix == ".json" else yaml.safe_load(text)
        assert [typed(ranked["0"]), typed(ranked["1"])] == [typed(POINTS[3]), typed(POINTS[0])]


def test_the_best_point_can_be_given_to_run(results: Path) -> None:
    def run(activation: str, bias: bool, decay: object, lr: float, units: int) -> float:
        return lr * units

    assert run(**deephyper.best_point(results)) == 3.5


def test_k_below_1_is_refused(results: Path) -> None:
    with pytest.raises(SettingsError, match="at least 1"):
        best_evaluations(results, k=0)


def test_no_finished_evaluation_is_told(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("x,objective,failure\n1,,oops\n")
    with pytest.raises(ResultsError, match="no finished evaluation"):
        best_evaluations(path)


def test_rows_that_are_left_out_are_said_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.csv"
    path.write_text('x,objective\n1,2.0\n2,"0,97"\n3,95%\n4,1,5\n')
    assert analytics.main(["topk", str(path)]) == 0
    out, err = capsys.readouterr()
    assert yaml.safe_load(out)["0"] == {"objective": 2.0, "x": 1}
    assert err == (
        f"deephyper: of the 4 rows of '{path}', 3 left out "
        "(line 3: its objective is '0,97', not a finite number)\n"
    )


def test_nothing_is_said_where_every_row_counts(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert analytics.main(["topk", str(results)]) == 0
    assert capsys.readouterr().err == ""


def test_python_hears_of_rows_that_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "results.csv"
    path.write_text("x,objective\n1,2.0\n3,95%\n")
    assert best_evaluations(path)[0]["x"] == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "1 left out (line 3" in caplog.text


def test_the_best_of_a_trimmed_file_is_the_best(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("x,objective,status,failure,predicted\n1,2.0,finished,,0.5\n2,3.0,finished\n")
    assert best_evaluations(path)[0]["x"] == 2


HOSTILE = ["\ud800", "a\udfffb", "\x00", "\x85", "\u2028", "=1+1", "\x1b[31m", "'", '"', "\\ud800"]


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".csv"])
def test_what_no_file_can_hold_is_escaped_and_reads_back(tmp_path: Path, suffix: str) -> None:
    saved = tmp_path / f"best{suffix}"
    save([{"x": text, "objective": 1.0} for text in HOSTILE], saved)
    if suffix == ".csv":
        read = [each["x"] for each in best_evaluations(saved, k=99)]
    else:
        text = saved.read_text(encoding="utf-8")
        read = [
            each["x"]
            for each in (json.loads(text) if suffix == ".json" else yaml.safe_load(text)).values()
        ]
    assert read == HOSTILE


@pytest.mark.parametrize(
    "text", ["a b" * 100_000, "é 🙂" * 50_000, "\x1b\u202e" * 60_000, "\ud800"]
)
def test_a_long_text_is_printed_as_any_other(text: str) -> None:
    long = text if len(text) > 1 else text * 110_000
    printed = as_yaml([{"x": long, "objective": 1.0}])
    assert printable(printed, lines=True) == printed
    assert yaml.safe_load(printed)["0"]["x"] == long


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_an_encoding_does_not_have_is_escaped_and_reads_back(encoding: str) -> None:
    printed = as_yaml([{"x": "é → 🙂", "objective": 1.0}], encoding)
    assert yaml.safe_load(printed.encode(encoding))["0"]["x"] == "é → 🙂"


def test_a_lone_surrogate_is_printed_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.csv"
    path.write_text('x,objective\n"""\\ud800""",2.0\n')
    assert analytics.main(["topk", str(path)]) == 0
    assert "\\uD800" in capsys.readouterr().out


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, force: bool) -> None:
    saved = tmp_path / "best.yaml"
    if force:
        saved.write_text("mine")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(yaml.representer.RepresenterError):
        save([{"x": 1, "objective": 1.0}, {"x": object()}], saved, force=force)
    assert sorted(tmp_path.iterdir()) == before
    assert not force or saved.read_text() == "mine"


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="can't be written"):
        save([{"x": 1, "objective": 1.0}], tmp_path / ("b" * 300 + ".json"), force=True)
    assert [*tmp_path.iterdir()] == []


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "best.json"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        save([{"x": 1, "objective": 1.0}], pipe, force=True)
        assert json.loads(os.read(reader, 1000))["0"]["x"] == 1
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "best.json").symlink_to("real.json")
    save([{"x": 1, "objective": 1.0}], tmp_path / "best.json", force=True)
    assert (tmp_path / "best.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["0"]["x"] == 1
    assert len([*tmp_path.iterdir()]) == 2


def test_paths_may_begin_with_the_home_directory(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert best_evaluations("~/results.csv")[0]["units"] == 7
    assert analytics.main(["topk", "~/results.csv", "--output=~/best.json"]) == 0
    assert (tmp_path / "best.json").is_file()
