"""``deephyper nas show`` and ``ensemble``."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deephyper.core.cli import analytics, main
from deephyper.job import Job, Outcome, Status
from deephyper.nas.kept_models import OnlyBest
from tests.cli.command_line import Ended, Run
from tests.nas.small_problem import load_data

PROBLEM = Path(__file__).with_name("small_problem.py")
pytestmark = pytest.mark.tensorflow


@pytest.fixture
def deephyper(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str | Path | int) -> Ended:
        capsys.readouterr()
        status = main.main([str(word) for word in words])
        return Ended(status, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("keras")
    log_dir = tmp_path_factory.mktemp("searched") / "log"
    words = ["nas", "random", "-p", str(PROBLEM), "--evaluator", "thread", "--max-evals", "6"]
    assert main.main([*words, "--seed", "3", "--log-dir", str(log_dir)]) == 0
    return log_dir


def test_the_best_networks_are_shown_with_what_leads_to_their_nodes(
    deephyper: Run, searched: Path, tmp_path: Path
) -> None:
    ended = deephyper("nas", "show", searched / "results.csv", "-o", tmp_path / "best.svg")
    assert (ended.status, ended.err) == (0, "")
    first, *nodes = ended.out.splitlines()
    assert first.startswith("objective ")
    assert [line.split()[0] for line in nodes[:3]] == ["input", "a", "output"]
    assert nodes[1].endswith("<- input")
    assert nodes[2].endswith("<- a")
    assert any(re.fullmatch(r"    num_parameters: \d+", line) for line in nodes)
    assert any(re.fullmatch(r"    training_seconds: [\d.e-]{1,11}", line) for line in nodes)
    assert ended.out.endswith(f"Saved a drawing in {tmp_path / 'best.svg'}.\n")
    assert ElementTree.parse(tmp_path / "best.svg").getroot().tag.endswith("svg")


def test_several_as_json_with_a_drawing_of_each(
    deephyper: Run, searched: Path, tmp_path: Path
) -> None:
    ended = deephyper("nas", "show", searched, "-k", 2, "--json", "-o", tmp_path / "n.svg")
    networks = json.loads(ended.out)
    assert [each["objective"] for each in networks] == sorted(
        (each["objective"] for each in networks), reverse=True
    )
    assert networks[0]["nodes"][0] == {"node": "input", "operation": "(3,)", "sources": []}
    assert networks[0]["point"]["a"] == networks[0]["nodes"][1]["operation"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["n-0.svg", "n-1.svg"]


def test_an_ensemble_is_made_and_told(deephyper: Run, searched: Path, tmp_path: Path) -> None:
    ended = deephyper("nas", "ensemble", searched, "-k", 2, "-o", tmp_path / "made")
    assert ended.status == 0, ended.err
    assert "networks: loss " in ended.out.splitlines()[0]
    assert "r2: " in ended.out
    assert ended.out.endswith(f"Saved it in {tmp_path / 'made'}.\n")
    again = deephyper(
        *(
            "nas",
            "ensemble",
            searched / "results.csv",
            "-k",
            2,
            "-o",
            tmp_path / "made",
            "--force",
            "--json",
        )
    )
    assert json.loads(again.out) == {
        **json.loads((tmp_path / "made" / "ensemble.json").read_text()),
        "directory": str(tmp_path / "made"),
    }


def test_bad_input_is_one_line(deephyper: Run, searched: Path, tmp_path: Path) -> None:
    results = searched / "results.csv"
    alone = shutil.copy(results, tmp_path / "alone.csv")
    plain = tmp_path / "plain.py"
    plain.write_text(
        "from deephyper import HpProblem\nProblem = HpProblem()\n"
        "Problem.add_hyperparameter((0.0, 1.0), 'x')\n"
    )
    other = tmp_path / "other.py"
    other.write_text(
        "from tests.nas.small_problem import *\n"
        "def longer():\n"
        "    space = build()\n"
        "    space.connect('a', space.variable('b', [Identity, op('Dense', 4)]))\n"
        "    return space\n"
        "Problem = problem_of(search_space=longer)\n"
    )
    made = tmp_path / "made"
    made.mkdir()
    (made / "ensemble.json").touch()
    (tmp_path / "there.svg").touch()
    for words, said in (
        (("show", tmp_path / "absent.csv"), "absent"),
        (("show", alone), "give --problem"),
        (("show", results, "-o", tmp_path / "best.png"), "ends in .svg"),
        (("show", results, "-o", tmp_path / "there.svg"), "exists already"),
        (("show", results, "-p", plain), "no networks to train"),
        (("show", results, "-p", other), "no column 'b'"),
        (("show", results, "-k", 0), "-k"),
        (("ensemble", tmp_path), "results.csv"),
        (("ensemble", tmp_path, "-p", PROBLEM), "results.csv"),
        (("ensemble", searched, "-o", made), "exists already"),
        (("ensemble", searched, "-o", plain), "not a directory"),
    ):
        ended = deephyper("nas", *words)
        assert ended.status == 2, words
        assert said in ended.err, words
        assert len(ended.err.splitlines()) == 1, ended.err
        assert ended.out == ""


def test_what_cannot_be_trained_is_not_confirmed(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, said in (
        ("num_epoch=5", "no training uses 'num_epoch': did you mean 'num_epochs'"),
        ("num_epochs=0", "num_epochs has 0: give whole numbers from 1"),
        ("a=Dense(5)", "'a' is 'Dense(5)': did you mean 'Dense(4)'"),
    ):
        words = ["confirm", str(searched), "-k", "1", "--set", given]
        assert analytics.main([*words, "--log-dir", str(tmp_path / "log")]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "log").exists()


def test_a_search_that_minimizes_keeps_the_network_of_the_lowest_epoch(
    deephyper: Run, tmp_path: Path
) -> None:
    keras = pytest.importorskip("keras")
    problem = tmp_path / "problem.py"
    problem.write_text(
        "from tests.nas.small_problem import *\n"
        "Problem = problem_of(objective='val_loss', optimizer='sgd', learning_rate=0.05)\n"
        "Problem.add_starting_point(a='Dense(4)')\n"
    )
    words = ("nas", "random", "-p", problem, "--evaluator", "thread", "--log-dir", tmp_path / "log")
    assert deephyper(*words, "--max-evals", 1, "--minimize").status == 0
    place = tmp_path / "log" / "evaluations" / "0"
    losses = json.loads((place / "history.json").read_text())["val_loss"]
    assert min(losses) < max(losses)
    loss = keras.models.load_model(place / "best_model.keras").evaluate(*load_data()[1], verbose=0)
    assert loss[0] == pytest.approx(min(losses), rel=1e-3)


@pytest.mark.parametrize("which", ["best", "none"])
def test_which_models_are_kept(deephyper: Run, tmp_path: Path, which: str) -> None:
    pytest.importorskip("keras")
    words = ("nas", "random", "-p", PROBLEM, "--evaluator", "thread", "--seed", 3)
    log_dir = ("--log-dir", tmp_path / "log", "--keep-models", which)
    assert deephyper(*words, *log_dir, "--max-evals", 3).status == 0
    if which == "best":  # as a session that was killed may leave it
        best = json.loads(deephyper("nas", "show", tmp_path / "log", "--json").out)[0]["id"]
        for loser in {"0", "1", "2"} - {best}:
            (tmp_path / "log" / "evaluations" / loser).mkdir(exist_ok=True)
            (tmp_path / "log" / "evaluations" / loser / "best_model.keras").touch()
    again = deephyper("nas", "random", "--resume", tmp_path / "log", "--max-evals", 6)
    assert again.status == 0, again.err
    shown = json.loads(deephyper("nas", "show", tmp_path / "log", "--json").out)
    kept = {path.parent.name for path in tmp_path.glob("log/evaluations/*/best_model.keras")}
    assert kept == ({shown[0]["id"]} if which == "best" else set())
    confirmed = tmp_path / "confirmed"
    confirm = ("confirm", tmp_path / "log", "-k", 1, "-n", 2, "--log-dir", confirmed)
    assert analytics.main([str(word) for word in confirm]) == 0
    assert len([*confirmed.rglob("best_model.keras")]) == (which == "best")


@pytest.mark.parametrize("pauses", [False, True])
def test_what_was_ended_early_keeps_its_model_where_it_may_continue(
    pauses: bool, tmp_path: Path
) -> None:
    only_best = OnlyBest(tmp_path, "maximize", None, pauses=pauses)
    ended: list[tuple[str, Status, float]] = [("0", "finished", 1.0), ("1", "pruned", 2.0)]
    for id_, status, objective in ended:
        (tmp_path / id_).mkdir()
        for name in ("best_model.keras", "training.checkpoint"):
            (tmp_path / id_ / name).touch()
        only_best(Outcome(Job(id_, {}), status, objective, None, 0.0, 1.0, "worker"))
    assert (tmp_path / "0" / "best_model.keras").exists()
    left = {each.name for each in (tmp_path / "1").iterdir()}
    assert left == ({"best_model.keras", "training.checkpoint"} if pauses else set())


def test_models_of_another_run_function_are_its_own(deephyper: Run, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("def run(point):\n    return 1.0\n")
    words = ("nas", "random", "-p", PROBLEM, "-r", tmp_path / "code.py", "--keep-models", "best")
    ended = deephyper(*words, "--log-dir", tmp_path / "log")
    assert ended.status == 2
    assert "--keep-models is for deephyper.nas.run" in ended.err
