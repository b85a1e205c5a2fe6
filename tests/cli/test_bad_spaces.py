"""Spaces that can't be used: status 2 and one clear line, before anything runs."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.command_line import Run

H = "hyperparameters:\n"
X = f"{H}  x: (1, 9)\n"
BILLION = "a: &a [l, l, l, l, l, l, l, l, l]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

FILES = {
    # Not text of the format.
    "indent.yaml": (f"{X}   y: (1, 2)\n", "line 3, column 5: mapping values are not allowed"),
    "bracket.yaml": (f"{H}  x: [a, b\n  y: (1, 2)\n", "line 3, column 4: while parsing a flow"),
    "tab.yaml": (f"{H}\tx: (1, 2)\n", "line 2, column 1: while scanning for the next token"),
    "tabs.yaml": (f"{H}\tx: (1, 2)\n", ": indent by spaces, not by tabs"),
    "sweep.yaml": (
        "hydra:\n  sweeper:\n    params:\n      +model/kind: choice(a, b)\n",
        "line 4, column 7: '+model/kind' can't name a hyperparameter: call it 'model.kind', and "
        "write '+model/kind={model.kind}' in the command of the program",
    ),
    "application.yaml": (
        "defaults: [_self_]\nlr: 0.1\n",
        "unknown key 'defaults': put the hyperparameters under hyperparameters:, or under params: "
        "of Hydra's hydra: sweeper:",
    ),
    "control.yaml": (f"{H}  x: [a, \x07]\n", "line 2, column 10: the character #x0007"),
    "two.yaml": (f"{X}---\n{X}", "line 3, column 1: expected a single document"),
    "tag.yaml": (f"{H}  x: !!python/name:os.system\n", "line 2, column 6: the tag"),
    "alias.yaml": (f"{H}  x: *none\n", "line 2, column 6: found undefined alias"),
    "merge.yaml": (f"base: &b {{x: 1}}\n{H}  <<: *b\n", "unknown key 'base'"),
    "trailing.json": (
        '{"hyperparameters":\n  {"x": [1, 2],}}',
        "line 2, column 16: this is not",
    ),
    "nan.json": ('{"hyperparameters": {"x": [NaN, 1]}}', "NaN is not a number of JSON"),
    "equals.toml": ("[hyperparameters]\nx =\n", "(at line 2, column 4)"),
    "empty.yaml": ("", "'empty.yaml' is empty: write the hyperparameters"),
    "comment.yaml": ("# nothing yet\n", "there is nothing in it: write hyperparameters:"),
    "scalar.yaml": ("hello\n", "this is 'hello': write hyperparameters:"),
    "list.yaml": ("- x\n- y\n", "this is ['x', 'y']: write hyperparameters:"),
    # Keys.
    "twice.yaml": (f"{X}  x: (2, 3)\n", "line 3, column 3: the key 'x' stands here a second time"),
    "twice.json": ('{"hyperparameters":\n {"x": [1], "x": [2]}}', "line 2, column 13: the key 'x'"),
    "twice.toml": ("[hyperparameters]\nx = [1]\nx = [2]\n", "Cannot overwrite a value (at line 3"),
    "key.yaml": ("hyperparametrs:\n  x: (1, 2)\n", "did you mean 'hyperparameters'?"),
    "flat.yaml": (
        "lr: (1, 2)\n",
        "line 1, column 1: unknown key 'lr': put the hyper",
    ),
    "section.yaml": (f"{X}startingpoints: []\n", "line 3, column 1: unknown key 'startingpoints'"),
    "none.yaml": (f"{H}direction: minimize\n", "there are no hyperparameters"),
    "as_list.yaml": (f"{H}  - x\n", "line 1, column 1: hyperparameters is ['x']: give them each"),
    "option.yaml": (f"{H}  x: {{range: [1, 2], logg: true}}\n", "unknown key 'logg': did you mean"),
    "kind.yaml": (f"{H}  x: {{rnage: [1, 2]}}\n", "unknown key 'rnage': did you mean 'range'?"),
    "both.yaml": (f"{H}  x: {{range: [1, 2], values: [1]}}\n", "'x' has range and values"),
    "dotted.toml": (
        '[hyperparameters]\nopt.lr = "(1, 2)"\n',
        "quote a name that has a dot",
    ),
    "direction.yaml": (
        f"{X}direction: minimise\n",
        "line 3, column 1: the direction is",
    ),
    # Domains.
    "equal.yaml": (f"{H}  x: (3, 3)\n", "line 2, column 3: 'x' has equal bounds (3, 3)"),
    "reversed.yaml": (
        f"{H}  x: {{range: [9, 1]}}\n",
        "'x' has reversed bounds (9, 1)",
    ),
    "log0.yaml": (f"{H}  x: (0.0, 1.0, log-uniform)\n", "'x' is log-uniform from 0.0"),
    "log.yaml": (f"{H}  x: {{range: [0, 8], log: true}}\n", "'x' is log-uniform from 0"),
    "prior.yaml": (f"{H}  x: (1, 8, log)\n", "'x' has the unknown prior 'log': did you mean"),
    "open.yaml": (
        f"{H}  x: (1, 8\n",
        "'x': the domain '(1, 8': ',' or ')' is expected, not its end",
    ),
    "infinite.yaml": (f"{H}  x: (0, .inf)\n", "'x' has the bound inf: give finite bounds"),
    "half.yaml": (f"{H}  x: {{range: [1.5, 9], integer: true}}\n", "give whole bounds"),
    "same.yaml": (f"{H}  x: [a, b, a]\n", "'x' has the choice 'a' twice: leave one out"),
    "nothing.yaml": (f"{H}  x: []\n", "'x' has no values: give at least one"),
    "inner.yaml": (f"{H}  x: [[1, 2], [3]]\n", "'x' has the choice [1, 2] (list)"),
    "single.yaml": (f"{H}  x: adam\n", "write [adam] if it is always this value"),
    "number.yaml": (f"{H}  x: 3\n", "'x' is 3 (int): give bounds as (low, high), or values"),
    "name.yaml": (f"{H}  a b: (1, 2)\n", "line 2, column 3: 'a b' can't name a hyperparameter"),
    "flag.yaml": (f"{H}  x: {{range: [1, 2], log: yes}}\n", "'x' has 'yes' for log: give true or"),
    "weights.yaml": (f"{H}  x: {{values: [a, b], weights: [1]}}\n", "a number for each of the 2"),
    "mu.yaml": (f"{H}  x: {{range: [1, 9], distribution: normal, mu: 2}}\n", "which needs sigma"),
    "default.yaml": (f"{H}  x: {{range: [1, 9], default: 10}}\n", "'x' is 10: give an int from 1"),
    # Rules and starting points.
    "child.yaml": (
        f"{X}conditions:\n  y: x == 1\n",
        "line 4, column 3: there is no",
    ),
    "parent.yaml": (
        f"{X}  y: [1]\nconditions:\n  y: z == 1\n",
        "no hyperparameter 'z': choose",
    ),
    "value.yaml": (
        f"{X}  y: [1]\nconditions:\n  y: x == 10\n",
        "'x' is 10: give an int",
    ),
    "assign.yaml": (f"{X}  y: [1]\nconditions:\n  y: x = 1\n", "write == for equal"),
    "itself.yaml": (f"{X}conditions:\n  x: x == 1\n", "line 4, column 3: the condition 'x == 1'"),
    "order.yaml": (f"{X}  y: [a, b]\nconditions:\n  x: y > a\n", "the values of 'y' have no order"),
    "loop.yaml": (f"{X}  y: [1, 2]\nconditions:\n  x: y == 1\n  y: x == 1\n", "its own ancestor"),
    "forbidden.yaml": (f"{X}forbidden: x == 5\n", "forbidden is 'x == 5': give them as a list"),
    "default_of.yaml": (f"{X}forbidden: [x == 5]\n", "makes the default configuration a forbidden"),
    "start.yaml": (
        f"{X}starting_points:\n  - {{x: 10}}\n",
        "line 4, column 5: starting point: 'x'",
    ),
    "start_name.yaml": (f"{X}starting_points: [{{y: 1}}]\n", "unknown hyperparameter 'y'"),
    "start_list.yaml": (
        f"{X}starting_points: [5]\n",
        "the starting point is 5: give the values",
    ),
    # What would take forever, or all memory.
    "deep.yaml": (f"{H}  x: " + "[" * 20_000 + "]" * 20_000, "is nested too deeply"),
    "deep.json": ("[" * 100_000 + "]" * 100_000, "is nested too deeply"),
    "deep.toml": ("x = " + "[" * 20_000 + "]" * 20_000, "is nested too deeply"),
    "parentheses.yaml": (
        f"{X}  y: [1]\nconditions:\n  y: {'(' * 5000}x == 1{')' * 5000}\n",
        "the parentheses are nested too deeply",
    ),
    "bomb.yaml": (BILLION, "there are more than 100000 values, aliases included"),
    "itself_alias.yaml": (
        "hyperparameters: &h\n  x: *h\n",
        "that it is itself a part of",
    ),
    "digits.yaml": (f"{H}  x: (1, {'9' * 5000})\n", "'x' has the bound inf"),
    "digits.json": ('{"hyperparameters": {"x": [' + "9" * 5000 + "]}}", "is not JSON: Exceeds"),
}
COMMAND_LINES = [
    ("--space nowhere.yaml", "there is no file 'nowhere.yaml': check the path"),
    ("--space fine.yml", "did you mean 'fine.yaml'?"),
    ("--space .", "is a directory: name the file of the space in it"),
    ("--space fine.yaml/x", "'fine.yaml/x' can't be read"),
    ("--space binary.yaml", "line 2: this is not text in UTF-8"),
    ("--space /dev/zero", "'/dev/zero' is larger than 1 MB: name a search space"),
    (f"--space {'x' * 1000}", "can't be read (File name too long): check the path"),
    ("--space ''", "--space is ''; give a path"),
    ("--space fine.yaml -p task.py", "--problem and --space both give the search space"),
    ("-P x=(1,2) -p task.py", "--problem and --param both give the search space"),
    ("-P db@other=[a,b]", "call it 'db.other', and write 'db@other={db.other}' in the command"),
    ("-P x", "give x=DOMAIN, as in 'x=(1, 100)'"),
    ("-P =(1,2)", "give NAME=DOMAIN"),
    ("-P ''", "give NAME=DOMAIN"),
    ("-P x=", "give bounds as (low, high) or values as [first, second]"),
    ("-P x=5", "5' is one value: write [5]"),
    ("-P x=(1,2)y=(1,2)", "';' is expected, not 'y'"),
    ("-P x=(1,2) -P x=[1]", "-P defines 'x' twice"),
    ("-P 'x=(1,2); x=[1]'", "'x' is defined twice"),
    ("-P 'x=[a b]'", "a comma is missing before 'b', or quotes around text that has spaces"),
    ("-P 'x=[\"a]'", 'the quote " is not closed (character 4)'),
    ("-P x=(2,1)", "-P: 'x' has reversed bounds (2, 1): write (1, 2)"),
    ("-P x=(0,1,log-uniform)", "'x' is log-uniform from 0"),
    ("-P x=interval(0)", "give interval(start, end)"),
    ("-P x=uniform(0,1)", "'uniform' isn't known: use (low, high), [values], or choice"),
    ("-P x=range(1,10,0)", "the step is 0: give another one"),
    ("-P x=range(5,1)", "there is nothing from 5 to below 1"),
    ("-P x=range(0,1,1e-9)", "give at most 10000, or (low, high)"),
    ("-P x=tag(log,choice(1,2))", "tag(log, ...) belongs to an interval"),
    ("-P x=tag(a,interval(1,2))", "the tag 'a' has no meaning"),
    ("-P x=interval(a,b)", "start is 'a': give a finite number"),
    ("-P x=(1,2) -P objective=(1,2)", "objective"),
    ("--space fine.yaml -P y=[b,c]", "'y' is 'a': give one of 'b', 'c'"),
]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "task.py").write_text("def run(point):\n    open('ran', 'w')\n    return 1\n")
    fine = f"{X}  y: [a, b]\nconditions:\n  x: y == a\n"
    (tmp_path / "fine.yaml").write_text(fine)
    (tmp_path / "binary.yaml").write_bytes(b"x:\n\xff\xfe\x00")
    monkeypatch.chdir(tmp_path)


def require_one_line(deephyper: Run, words: list[str], reason: str) -> None:
    before = sorted(Path().rglob("*"))
    ended = deephyper(
        *("hps", "random", "-r", "task.py", "--max-evals", 1, "--log-dir", "log"), *words
    )
    assert ended.status == 2, ended
    assert ended.out == ""
    assert ended.err.startswith("deephyper: error: ")
    assert len(ended.err.splitlines()) == 1
    assert reason in ended.err
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used(name: str, deephyper: Run) -> None:
    text, reason = FILES[name]
    Path(name).write_text(text, encoding="utf-8")
    require_one_line(deephyper, ["--space", name], reason)


@pytest.mark.parametrize(("line", "reason"), COMMAND_LINES)
def test_a_command_line_that_cannot_be_used(line: str, reason: str, deephyper: Run) -> None:
    words = shlex.split(line) if "'" in line else line.split()
    require_one_line(deephyper, words, reason)
