"""Evaluators by name: ours, those of other packages, and what is refused."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import EvaluatorError, RunFunctionError
from deephyper.evaluator import Evaluator
from deephyper.evaluator.create import backend_class
from deephyper.evaluator.thread import ThreadEvaluator
from deephyper.registry import EVALUATORS
from tests.evaluator.conftest import BEHAVE, Create, only


@pytest.mark.parametrize("name", ["threadPool", "processPool"])
def test_classic_names(name: str, create: Create) -> None:
    evaluator = create(name)
    assert name.startswith(evaluator.method)
    evaluator.submit([{"do": "double", "x": 1}])
    assert only(evaluator.gather_all()).objective == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"method": "threads"}, "unknown evaluator 'threads'; choose one of thread, process"),
        ({"num_workers": 0}, "num_workers is 0; give a whole number from 1 to 1000000"),
        ({"num_workers": 10**20}, "give a whole number from 1 to 1000000"),
        ({"timeout": 0}, "timeout is 0; give more than 0 seconds"),
        ({"num_cpus_per_task": 0}, "num_cpus_per_task is 0"),
        ({"num_gpus_per_task": -1}, "num_gpus_per_task is -1"),
        ({"method": "thread", "num_gpus_per_task": 1}, "use the process evaluator"),
        ({"ray_address": "auto"}, "the process evaluator has no option 'ray_address'"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(EvaluatorError, match=reason.replace("(", r"\(")):
        Evaluator.create(BEHAVE, **arguments)  # type: ignore[arg-type]


def test_a_search_at_import_is_refused(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from deephyper.evaluator import Evaluator\n"
        "def run(point):\n    return 1\n"
        "Evaluator.create(__file__, 'process', 1)\n"
    )
    with (
        Evaluator.create(str(tmp_path / "script.py"), "process", 1) as evaluator,
        pytest.raises(RunFunctionError, match="under if __name__ == '__main__':"),
    ):
        evaluator.check()


@pytest.mark.parametrize("name", EVALUATORS.names)
def test_options_of_a_backend_are_arguments_of_its_class(name: str) -> None:
    backend = backend_class(name)
    parameters = inspect.signature(backend).parameters
    assert backend.method == name
    for option in backend.options:
        assert parameters[option.name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[option.name].default is not inspect.Parameter.empty
        assert option.help.endswith(".")


@pytest.mark.parametrize("name", EVALUATORS.names)
def test_every_backend_takes_the_common_arguments(name: str) -> None:
    common = set(inspect.signature(Evaluator).parameters)
    own = {option.name for option in backend_class(name).options}
    parameters = inspect.signature(backend_class(name)).parameters
    assert set(parameters) == common | own
    assert all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters.values())


def test_options_are_passed_on_and_the_others_left_at_their_defaults() -> None:
    with Evaluator.create(
        BEHAVE, "process", 3, timeout="2m", num_cpus_per_task=2, output_dir="/tmp/output"
    ) as evaluator:
        assert evaluator.num_workers == 3
        assert evaluator.timeout == 120.0
        assert evaluator.num_cpus_per_task == 2
        assert evaluator.output_dir == Path("/tmp/output")
        assert evaluator.num_gpus_per_task == 0
    with Evaluator.create(BEHAVE, "thread") as evaluator:
        assert evaluator.num_workers == 1
        assert evaluator.timeout is None


def test_an_error_in_a_constructor_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, *arguments: object, **options: object) -> None:
        threading.Thread(targett=None)  # type: ignore[call-arg]

    broken.__signature__ = inspect.signature(ThreadEvaluator.__init__)  # type: ignore[attr-defined]
    monkeypatch.setattr(ThreadEvaluator, "__init__", broken)
    with pytest.raises(TypeError, match="targett"):
        Evaluator.create(BEHAVE, "thread")


TOY = """\
from deephyper.evaluator.evaluator import Evaluator
from deephyper.evaluator.run_function import evaluate
from deephyper.evaluator.worker.messages import JobEnded, JobStarted
from deephyper.option import Option


class ToyEvaluator(Evaluator):
    \"\"\"Evaluates one job after another, in this process, when it is asked for news.\"\"\"

    method = "toy"
    options = (Option("toy_address", "Address of the toy.", metavar="HOST"),)

    def __init__(self, run, num_workers=1, *, toy_address, factor=1.0, timeout=None):
        super().__init__(run, num_workers, timeout=timeout)
        self.toy_address, self.factor, self.jobs = toy_address, factor, []

    def _start(self, job, slot, output):
        self.jobs.append(job)
        return f"{self.toy_address}/{slot}"

    def _wait(self, timeout):
        job, start = self.jobs.pop(0), self.clock.now()
        result = self.factor * evaluate(self.run_function.load(), job.point)
        return [JobStarted(job.id, start), JobEnded(job.id, result, None, self.clock.now())]

    def _stop(self, job_id, slot):
        self.jobs = [job for job in self.jobs if job.id != job_id]

    def _close(self):
        self.jobs.clear()


class LooseEvaluator(ToyEvaluator):
    def __init__(self, run, **options):
        super().__init__(run, toy_address=options["anything"])


broken = 3
"""

USE = f"""\
import sys
from deephyper.errors import DeepHyperError
from deephyper.evaluator import Evaluator
from deephyper.registry import EVALUATORS

print(EVALUATORS.names[-3:], [option.flag for option in EVALUATORS.load("toy").options])
with Evaluator.create({BEHAVE!r}, "toy", 2, toy_address="here", factor=10.0) as evaluator:
    evaluator.submit([{{"do": "double", "x": x}} for x in range(3)])
    print([(o.objective, o.worker) for o in evaluator.gather_all()])
print(Evaluator.create({BEHAVE!r}, "loose", anything="there").toy_address)
for method, options in (
    ("toy", {{"toy_address": "here", "factr": 2}}),
    ("toy", {{}}),
    ("toy", {{"toy_address": "here", "output_dir": "somewhere"}}),
    ("broken", {{}}),
):
    try:
        Evaluator.create({BEHAVE!r}, method, **options)
    except DeepHyperError as error:
        print(error)
"""


def test_another_package_brings_an_evaluator(tmp_path: Path) -> None:
    (tmp_path / "toy.py").write_text(TOY)
    info = tmp_path / "toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[deephyper.evaluators]\n"
        "toy = toy:ToyEvaluator\nloose = toy:LooseEvaluator\nbroken = toy:broken\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=tmp_path,  # which comes first on the path of python -c
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['broken', 'loose', 'toy'] ['--toy-address']",
        "[(0.0, 'here/0'), (20.0, 'here/1'), (40.0, 'here/0')]",
        "there",
        "the toy evaluator has no option 'factr'; it takes num_workers, toy_address, factor, "
        "timeout",
        "the toy evaluator needs the option 'toy_address'",
        "the toy evaluator has no option 'output_dir'; it takes num_workers, toy_address, factor, "
        "timeout",
        "'broken' of the package toy is 3, not a subclass of deephyper.evaluator.Evaluator; repair "
        "or uninstall that package",
    ]


class Stubborn(ThreadEvaluator):
    """Cannot start a job whose point asks for it."""

    def _start(self, job: Any, slot: int, output: str | None) -> str:
        if job.point.get("do") == "refuse":
            raise EvaluatorError("no such place")
        return super()._start(job, slot, output)


def test_a_job_that_cannot_be_started_takes_no_worker() -> None:
    with Stubborn(BEHAVE, 1) as evaluator:
        points: list[dict[str, Any]] = [
            {"do": "refuse"},
            *({"do": "double", "x": x} for x in (2, 3)),
        ]
        with pytest.raises(EvaluatorError, match="no such place"):
            evaluator.submit(points)
        assert evaluator.num_unfinished == 2
        assert sorted(o.objective or 0 for o in evaluator.gather_all()) == [4, 6]
        assert evaluator.num_free == 1
