"""The package of callbacks: what is imported when, and what is said where a library is missing."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from deephyper import callbacks

LIBRARIES = {
    "KerasReport": ("keras", "tensorflow"),
    "LightningReport": ("lightning, pytorch_lightning", "lightning"),
    "TransformersReport": ("transformers", "transformers"),
    "XGBoostReport": ("xgboost", "xgboost"),
}


def python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_it_imports_no_library() -> None:
    libraries = "keras lightgbm lightning pytorch_lightning sklearn torch transformers xgboost"
    program = (
        "import sys, deephyper.callbacks\n"
        "from deephyper.callbacks import LightGBMReport, fit_by_partial_fit\n"
        f"print([name for name in '{libraries}'.split() if name in sys.modules])"
    )
    assert python(program) == "[]"


@pytest.mark.parametrize("name", sorted(LIBRARIES))
def test_a_library_that_is_not_installed_is_told_how_to_get(name: str) -> None:
    modules, package = LIBRARIES[name]
    program = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, module, path=None, target=None):\n"
        f"        if module in {modules.split(', ')}:\n"
        "            raise ModuleNotFoundError('not here', name=module)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from deephyper.errors import DeepHyperError\n"
        "try:\n"
        f"    from deephyper.callbacks import {name}\n"
        "except DeepHyperError as error:\n"
        "    print(isinstance(error, ImportError), error)\n"
    )
    printed = python(program)
    assert printed.startswith("True ")
    assert printed.endswith(f" isn't installed; get it with: pip install {package}")


def test_every_public_name_is_seen_by_type_checkers() -> None:
    tree = ast.parse(inspect.getsource(callbacks))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert {*callbacks.__all__} <= imported
    assert {*callbacks.__all__} <= {*dir(callbacks)}
