"""What a run function defines is found by whatever pickles it, and by what unpickles it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.evaluator.conftest import Create, only

PROGRAM = """\
import dataclasses, enum, functools, multiprocessing, pickle, sys
from deephyper.evaluator import Evaluator

class Net:
    class Layer:
        pass

@dataclasses.dataclass
class Settings:
    rate: float = 0.5

class Kind(enum.Enum):
    A = 1

SCALE = 3.0

def scale(value):
    return SCALE * value

def make():
    return [Net(), Net.Layer(), Settings(), Kind.A, scale, run]

def run(point):
    made = pickle.loads(pickle.dumps(make()))
    assert [type(one) for one in made] == [type(one) for one in make()]
    assert made[2:] == make()[2:]
    assert len(sys.argv) == 1
    with multiprocessing.get_context(point["start"]).Pool(1) as pool:
        return sum(pool.map(scale, [1.0, 2.0]))

class Callable:
    def __call__(self, point):
        return run(point)
"""
SEARCH = """\
for method in ("process", "subprocess"):
    for function in (run, functools.partial(run), Callable(), lambda point: run(point)):
        with Evaluator.create(function, method, 1) as evaluator:
            evaluator.submit([{"start": start} for start in STARTS])
            for outcome in evaluator.gather_all():
                print(outcome.objective, outcome.failure)
"""


@pytest.mark.parametrize(
    ("how", "starts"),
    [("script", ["fork", "spawn"]), ("module", ["fork", "spawn"]), ("prompt", ["fork"])],
)
def test_what_a_program_defines_can_be_pickled_in_its_workers(
    tmp_path: Path, how: str, starts: list[str]
) -> None:
    search = SEARCH.replace("STARTS", repr(starts))
    if how != "prompt":
        search = 'if __name__ == "__main__":\n' + "".join(
            f"    {line}\n" for line in search.splitlines()
        )
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + search)
    command = {"script": ["program.py", "--option"], "module": ["-m", "program"], "prompt": ["-"]}
    done = subprocess.run(
        [sys.executable, *command[how]],
        cwd=tmp_path,
        input=program.read_text() if how == "prompt" else "",
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["9.0 None"] * 8 * len(starts)


DECORATED = """\
import functools, pickle, sys, typing
from deephyper.evaluator import Evaluator

@functools.cache
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

class Data:
    @functools.lru_cache(maxsize=7)
    def twice(self, value):
        return 2 * value

    @functools.cached_property
    def size(self):
        return 5

    @functools.singledispatchmethod
    def kind(self, value):
        return "any"

    @kind.register
    def _(self, value: int):
        return "int"

@functools.singledispatch
def kind(value):
    return "any"

@kind.register
def _(value: Data):
    return "data"

Name = typing.NewType("Name", str)

class Missing:
    def __reduce__(self):
        return "MISSING"

MISSING = Missing()

def run(point):
    for found in (fibonacci, kind, Name, MISSING):
        assert pickle.loads(pickle.dumps(found)) is found
    assert Data.twice.cache_info().maxsize == 7
    assert (Data().twice(3), Data().size, Name("a")) == (6, 5, "a")
    assert [kind(1), kind(Data()), Data().kind(1), Data().kind("")] == ["any", "data", "int", "any"]
    return float(fibonacci(80)) if point.get("y", MISSING) is MISSING else None

with Evaluator.create(run, "process", 1) as evaluator:
    evaluator.submit([{"x": 1}])
    outcome, = evaluator.gather_all()
    print(outcome.objective, outcome.failure)
"""


@pytest.mark.parametrize("how", ["program.py", "-"])
def test_decorators_of_the_standard_library_are_sent(tmp_path: Path, how: str) -> None:
    (tmp_path / "program.py").write_text(DECORATED)
    done = subprocess.run(
        [sys.executable, how], cwd=tmp_path, input=DECORATED, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("2.3416728348467684e+16 None\n", "")


UNGUARDED = (
    PROGRAM
    + """\
with Evaluator.create(run, "process", 1) as evaluator:
    evaluator.submit([{"start": "fork"}])
    print(evaluator.gather_all()[0].objective)
"""
)


def test_a_program_needs_no_guard(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("9.0\n", "")


ODD = """\
import multiprocessing, pickle
class Net: pass
def double(value):
    return 2 * value
def run(point):
    assert type(pickle.loads(pickle.dumps(Net()))) is Net
    with multiprocessing.get_context(point["start"]).Pool(1) as pool:
        return sum(pool.map(double, [1.0, 2.0]))
"""


@pytest.mark.parametrize(
    "name",
    [
        "model.v2.py",
        "my model.py",
        "my-model.py",
        "modèle.py",
        "2023 (copy).1.py",
        ".hidden.py",
        "test.py",
        "a.b.c.d.py",
        "lambda.py",
    ],
)
@pytest.mark.parametrize("method", ["thread", "process"])
def test_a_file_of_any_name_is_found_by_children(
    create: Create, tmp_path: Path, method: str, name: str
) -> None:
    (tmp_path / name).write_text(ODD)
    evaluator = create(method, 1, run=str(tmp_path / name))
    evaluator.submit([{"start": "spawn"}])
    outcome = only(evaluator.gather_all())
    assert (outcome.objective, outcome.failure) == (6.0, None)


def test_a_file_of_any_name_is_in_its_package(create: Create, tmp_path: Path) -> None:
    package = tmp_path / "odd_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "layers.py").write_text("SIZE = 7\n")
    (package / "model.v2.py").write_text("from .layers import SIZE\n" + ODD)
    evaluator = create("process", 1, run=str(package / "model.v2.py"))
    evaluator.submit([{"start": "spawn"}])
    assert only(evaluator.gather_all()).objective == 6.0


def test_a_file_with_a_dot_runs_nothing_of_the_name_before_it(
    create: Create, tmp_path: Path
) -> None:
    (tmp_path / "model.py").write_text("raise SystemExit('not asked for')\n")
    (tmp_path / "model.v2.py").write_text("def run(point): return 3.0\n")
    evaluator = create("process", 1, run=str(tmp_path / "model.v2.py"))
    evaluator.submit([{}])
    assert only(evaluator.gather_all()).objective == 3.0
