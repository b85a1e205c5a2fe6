"""Whatever is typed ends in a status, and a mistake in one line."""

from __future__ import annotations

import os
import random
from pathlib import Path

import click
import pytest

from deephyper.core.cli import analytics, groups, main

TASK = """\
from deephyper.problem import HpProblem
Problem = HpProblem()
Problem.add_hyperparameter((1, 10), "x")
def run(point):
    return point["x"]
"""
RESULTS = "x,objective,id,elapsed_sec,status\n1,1.0,0,0.1,finished\n2,2.0,1,0.1,finished\n"
# None of them asks for more than a moment, or names a place outside of the test's own.
WORDS = [
    *("", "-", "--", "---", "-p", "-r", "-k", "-o", "-x", "=", "--=", "--max-evals=", "-p="),
    *("0", "1", "2", "-1", "1.5", "1e1", "nan", "inf", "-inf", "0x10", "1_0", "٣", "½", "True"),
    *("None", "1s", "0s", "5 m", "1h2m", "good.py", "good.py::run", "good.py::nothing", "::run"),
    *("good.py::", "good.Problem", "good:run", ".", "..", "...", "~", "~nobody", "*", "a b"),
    *("results.csv", "out.json", "out.yaml", "out.csv", "out", "log", "log/deeper", "thread"),
    *("results.csv/log", "threadPool", "random", "bayesian", "RF", "EI", "uuid", "to_dict"),
    *("$(id)", "`id`", "; id", "'", '"', "\\", "\n", "\t", "\x1b[31m", "\x1b]0;x\x07", "\u202e"),
    *("\udcff", "\ud800", "é", "日本語", "🙂", "x" * 5000, "{}", "{0}", "%s", "%(x)s", "@good.py"),
    *("\ue000a\ue001b\ue002c\ue003", "&", "nul\0byte", "-pgood.py", "sklearn", "keras"),
]
LINES = int(os.environ.get("DEEPHYPER_COMMAND_LINES", "300"))
"""More of them by hand: 5000 take two minutes."""
LONG = {"--evaluator", "--backend", "--ray-address", "--help"}


def options(group: click.Group) -> list[str]:
    found: set[str] = set()
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= set(options(command))
        found |= {o for p in command.params if isinstance(p, click.Option) for o in p.opts}
    return sorted(found - LONG)


def command_line(draw: random.Random, program: str, known: list[str]) -> list[str]:
    """A command line that is nearly right, or not at all."""
    if program == "analytics":
        line = draw.choice(
            [
                ["topk"],
                ["topk", "results.csv"],
                ["importance", "results.csv"],
                ["topk", "good.py"],
                [],
                ["balsam"],
            ]
        )
    else:
        task = ["-p", "good.py", "-r", "good.py", "--evaluator", "thread", "--max-evals", "1"]
        line = draw.choice(
            [
                ["hps", "random", *task],
                ["hps", "ambs", *task],
                ["hps", "random", *task, "--log-dir", f"log{draw.randrange(10**9)}"],
                ["check", *task],
                ["hps", "random"],
                ["hps"],
                ["new-problem", "hps"],
                ["start-project", "--no-install"],
                ["balsam-submit", "hps"],
                [],
            ]
        )
    line = list(line)
    for _ in range(draw.randrange(4)):
        place = draw.randrange(len(line) + 1)
        match draw.randrange(5):
            case 0:
                line.insert(place, draw.choice(known))
            case 1:
                line[place:place] = [draw.choice(known), draw.choice(WORDS)]
            case 2 if line:
                del line[draw.randrange(len(line))]
            case 3 if line:
                word = draw.randrange(len(line))
                characters = list(line[word])
                if characters:
                    characters.insert(draw.randrange(len(characters)), draw.choice("-=x \x1b"))
                line[word] = "".join(characters)
            case _:
                line.insert(place, draw.choice(WORDS))
    if "start-project" in line:
        line.append("--no-install")
    return [word for word in line if word != "balsam-init"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "good.py").write_text(TASK)
    (folder / "results.csv").write_text(RESULTS)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BALSAM_DB_PATH", raising=False)
    return folder


@pytest.mark.parametrize("seed", range(LINES // 50))
def test_any_command_line_ends_in_a_status_and_a_mistake_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    draw = random.Random(seed)
    programs = {"main": options(groups.deephyper), "analytics": options(groups.deephyper_analytics)}
    for _ in range(50):
        program = draw.choice(["main", "main", "main", "analytics"])
        line = command_line(draw, program, programs[program])
        capsys.readouterr()
        status = (main if program == "main" else analytics).main(line)
        out, err = capsys.readouterr()
        told = f"{program} {line!r}\n{status}\n{out}\n{err}"
        assert status in (0, 1, 2), told
        assert "Traceback" not in err, told
        assert not set("\x1b\x07\u202e\udcff\ud800") & set(out + err), told
        if status == 2:
            errors = [each for each in err.splitlines() if each.startswith("deephyper: error: ")]
            assert len(errors) == 1, told
            assert [each for each in err.splitlines() if not each.startswith("[")] == errors, told
