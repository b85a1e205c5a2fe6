"""Asking for help and making mistakes is quick: nothing heavy is imported for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

HEAVY = ("skopt", "sklearn", "ray", "tensorflow", "pandas", "numpy", "scipy", "ConfigSpace", "rich")

LIGHT_COMMAND_LINES = [
    (0, ""),
    (0, "hps"),
    (0, "--help"),
    (0, "--version"),
    (0, "hps --help"),
    (0, "hps ambs --help"),
    (0, "hps random --help"),
    (0, "start-project --help"),
    (0, "space"),
    (0, "space show --help"),
    (2, "space show"),
    (0, "check --help"),
    (2, "check"),
    (2, "check --runs 4"),
    (0, "completion --help"),
    (0, "completion fish"),
    (2, "completion powershell"),
    (0, "status --help"),
    (0, "init --help"),
    (0, "ask --help"),
    (0, "tell --help"),
    (2, "status nosuch"),
    (2, "tell nosuch 0 1"),
    (2, "ask nosuch -n 0"),
    (0, "new-problem --help"),
    (2, "hps ambs --num-workers 0"),
    (2, "hps ambs -p problem.py -r run.py --evaluator dask"),
    (2, "hps ambs"),
    (2, "hps ambs -r run.py -P x=(1,2) -p problem.py"),
    (2, "fly"),
    (0, "nas ambs --help"),
    (2, "nas ambs"),
    (2, "new-problem nas not-a-name"),
    (2, "start-project not-a-name"),
]


@pytest.mark.parametrize(("status", "line"), LIGHT_COMMAND_LINES)
def test_help_and_usage_errors_import_nothing_heavy(status: int, line: str) -> None:
    program = (
        "import sys; from deephyper.core.cli.main import main; status = main(sys.argv[1:]);"
        f"print('loaded:', [m for m in {HEAVY} if m in sys.modules]); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *line.split()], capture_output=True, text=True
    )
    assert done.returncode == status, done.stderr
    assert "loaded: []" in done.stdout


def test_the_package_can_be_run_as_a_module() -> None:
    command = [sys.executable, "-m", "deephyper"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("deephyper")
    assert subprocess.run([*command, "fly"], capture_output=True).returncode == 2


@pytest.mark.parametrize("program", ["main", "analytics"])
def test_a_program_alone_prints_its_help(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"deephyper.core.cli.{program}"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: deephyper")
    assert "Commands:" in done.stdout


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("main hps ambs -p task.py -r task.py", "click"),
        ("main hps ambs -p task.py -r task.py", "deephyper.registry"),
        ("main hps ambs -p task.py -r task.py", "deephyper.loading"),
        ("main hps ambs -p task.py -r task.py", "ConfigSpace"),
        ("analytics topk results.csv", "click"),
        ("analytics topk results.csv", "yaml"),
    ],
)
def test_ctrl_c_during_an_import_is_no_traceback(tmp_path: Path, line: str, module: str) -> None:
    (tmp_path / "task.py").write_text("import ConfigSpace\n")
    (tmp_path / "results.csv").write_text("x,objective\n1,2.0\n")
    program, *words = line.split()
    code = f"""
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}: raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from deephyper.core.cli.{program} import main
sys.exit(main(sys.argv[1:]))
"""
    done = run_code(code, words, tmp_path)
    assert (done.returncode, done.stderr.strip()) == (130, "deephyper: interrupted")


def test_ctrl_c_that_an_import_makes_another_error_is_ctrl_c(tmp_path: Path) -> None:
    """Extension modules do so while they are initialized."""
    (tmp_path / "task.py").write_text("""
import os, signal
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    raise ImportError("initialization failed")
""")
    code = "import sys; from deephyper.core.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = run_code(code, ["hps", "ambs", "-p", "task.py", "-r", "task.py"], tmp_path)
    assert (done.returncode, done.stderr.strip()) == (130, "deephyper: interrupted")


def run_code(code: str, words: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "where", ["--resume nowhere", "--resume .", "--log-dir used", "--log-dir file/sub"]
)
def test_a_log_directory_that_will_not_do_is_noticed_before_ray_is_imported(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "task.py").write_text(
        "from deephyper.problem import HpProblem\n"
        'Problem = HpProblem()\nProblem.add_hyperparameter((1, 10), "x")\n'
        'def run(point): return point["x"]\n'
    )
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "results.csv").touch()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    program = (
        "import sys; from deephyper.core.cli.main import main; status = main(sys.argv[1:]);"
        "print('ray' in sys.modules); sys.exit(status)"
    )
    line = f"hps ambs -p task.py -r task.py --evaluator ray {where}"
    done = subprocess.run(
        [sys.executable, "-B", "-c", program, *line.split()],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == "False\n"
    assert sorted(tmp_path.rglob("*")) == before
