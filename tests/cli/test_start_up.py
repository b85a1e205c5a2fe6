"""Asking for help and making mistakes is quick: nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("skopt", "sklearn", "ray", "tensorflow", "pandas", "numpy", "scipy", "ConfigSpace", "rich")

LIGHT_COMMAND_LINES = [
    (0, "--help"),
    (0, "--version"),
    (0, "hps --help"),
    (0, "hps ambs --help"),
    (0, "hps random --help"),
    (0, "start-project --help"),
    (0, "new-problem --help"),
    (2, "hps ambs --num-workers 0"),
    (2, "hps ambs -p problem.py -r run.py --evaluator dask"),
    (2, "hps ambs"),
    (2, "fly"),
    (2, "new-problem nas mine"),
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
