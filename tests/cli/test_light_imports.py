"""``ask`` imports what it needs of ConfigSpace and SciPy, and both work as ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from deephyper import HpProblem, SearchDirectory

PROGRAM = """
import sys
from deephyper.core.cli.light_imports import import_lightly
import_lightly()
assert "ConfigSpace" in sys.modules
assert "scipy.stats" not in sys.modules
from deephyper.problem import HpProblem, config_space as cs
problem = HpProblem()
problem.add_hyperparameter((0.0, 1.0), "x")
problem.space.sample_configuration(3)
assert "scipy.stats" not in sys.modules
problem.add_hyperparameter(cs.NormalFloatHyperparameter("n", 0.0, 1.0, lower=-3, upper=3))
problem.add_hyperparameter(cs.BetaIntegerHyperparameter("b", 2, 3, lower=1, upper=9))
print([dict(each) for each in problem.space.sample_configuration(3)])
import scipy.stats
assert scipy.stats.norm.cdf(0.0) == 0.5
assert type(scipy.stats.truncnorm).__module__.startswith("scipy.stats")
"""
PLAIN = PROGRAM.replace("import_lightly()\n", "import ConfigSpace\n", 1).replace(
    'assert "scipy.stats" not', 'assert "scipy.stats"'
)


def output_of(program: str) -> str:
    program = program.replace("HpProblem()", "HpProblem(seed=1)")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_distributions_are_those_of_scipy_all_the_same() -> None:
    assert output_of(PROGRAM) == output_of(PLAIN) != ""


LATE = """
import sys
import scipy
from deephyper.core.cli.late_packages import import_late
import_late("scipy.linalg")
import_late("scipy.special", ["_ufuncs"])
import_late("scipy.nosuch")
from scipy.linalg import lapack
from scipy.special import ndtr
assert lapack.dpotrf([[4.0]])[0] == 2.0
assert ndtr(0.0) == 0.5
assert "scipy.linalg._basic" not in sys.modules
assert "scipy.special._orthogonal" not in sys.modules
assert not hasattr(scipy.linalg, "_nosuch")
import scipy.linalg, scipy.special
assert scipy.linalg.solve([[2.0]], [1.0]) == 0.5
assert scipy.special.logsumexp([0.0]) == 0.0
assert scipy.linalg.lapack is lapack and scipy.special.ndtr is ndtr
assert {"solve", "lapack"} <= set(scipy.linalg.__all__)
assert not hasattr(scipy.linalg, "nosuch")
from scipy.special import *
assert expit(0.0) == 0.5
print(len(scipy.linalg.__all__), len(scipy.special.__all__))
"""
WHOLE = "import scipy.linalg, scipy.special; " + LATE.strip().splitlines()[-1]


def test_a_late_package_is_the_package() -> None:
    assert output_of(LATE) == output_of(WHOLE)


ASK = """
import sys
from deephyper.core.cli.main import main
status = main(["ask", sys.argv[1]])
heavy = "scipy.optimize", "scipy.stats", "scipy.sparse", "numpy.f2py", "numpy.ma", "pandas"
print(status, [name for name in heavy if name in sys.modules])
import os, threading, time
def others():
    tasks = os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else [0]
    return len(tasks) - threading.active_count()
deadline = time.monotonic() + 20
while others() and time.monotonic() < deadline:  # a joined thread goes a moment later
    time.sleep(0.01)
print(others())
"""


def test_an_ask_imports_little(tmp_path: Path) -> None:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    problem.add_hyperparameter(["a", "b"], "kind")
    search = SearchDirectory.create(tmp_path, problem, seed=1)
    for asked in search.ask(30):
        search.tell(asked.id, -asked.point["x"])
    search.ask()  # which fits
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout.splitlines()[1:] == ["0 []", "0"]
