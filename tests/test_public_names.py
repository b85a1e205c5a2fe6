"""What users import: every public name is there, seen by type checkers, typed and documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "deephyper",
    "deephyper.analytics",
    "deephyper.analytics.plots",
    "deephyper.ask_tell",
    "deephyper.command",
    "deephyper.evaluator",
    "deephyper.nas",
    "deephyper.optimizer",
    "deephyper.problem",
    "deephyper.space_file",
    "deephyper.stopper",
)
NAMES = [
    (package, name)
    for package in PACKAGES
    for name in importlib.import_module(package).__all__
    if name not in ("__version__", "config_space")
]


def module_of(package: str) -> ModuleType:
    return importlib.import_module(package)


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_a_public_name_is_there_and_documented(package: str, name: str) -> None:
    found = getattr(module_of(package), name)
    if inspect.isclass(found) or inspect.isfunction(found):
        text = found.__doc__ or ""
        assert len(text.split()) >= 3
        assert text.split()[0].rstrip(",") not in ("What", "Whether", "How"), text.partition("\n")[
            0
        ]


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_the_names_that_are_there(package: str) -> None:
    file = module_of(package).__file__
    assert file is not None
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.ImportFrom, ast.Import))
        for alias in node.names
    }
    assert {*module_of(package).__all__} <= imported
    assert {*module_of(package).__all__} <= {*dir(module_of(package))}


def functions_of(found: Any) -> Iterator[tuple[str, Any, str]]:
    """A public function, or the public methods and the constructor of a class, with their texts."""
    if inspect.isfunction(found):
        yield found.__qualname__, found, inspect.getdoc(found) or ""
    if not inspect.isclass(found):
        return
    for name, member in inspect.getmembers(found):
        if name.startswith("_") and name != "__init__":
            continue
        function = member.fget if isinstance(member, property) else member
        function = getattr(function, "__func__", function)
        if inspect.isfunction(function) and function.__module__.startswith("deephyper"):
            text = inspect.getdoc(getattr(found, name)) or ""
            yield f"{found.__name__}.{name}", function, text


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_a_public_function_is_typed_and_documented(package: str, name: str) -> None:
    for qualified, function, text in functions_of(getattr(module_of(package), name)):
        signature = inspect.signature(function)
        untyped = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.annotation is inspect.Parameter.empty
            and parameter.name not in ("self", "cls")
        ]
        assert not untyped, f"{qualified}: {untyped}"
        assert signature.return_annotation is not inspect.Parameter.empty, qualified
        loose = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.kind is inspect.Parameter.VAR_KEYWORD
            and parameter.annotation == "Any"
            and parameter.name != "point"  # whose keys are the user's own
        ]
        assert not loose, f"{qualified}: {loose} completes nothing in an editor"
        if not qualified.endswith("__init__") and "<" not in qualified:
            assert text.strip(), qualified


def test_importing_the_package_imports_little() -> None:
    program = (
        "import sys; before = set(sys.modules); import deephyper; "
        "print(sorted(m for m in set(sys.modules) - before if m.startswith('deephyper')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "['deephyper', 'deephyper.lazy', 'deephyper.version']"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'deephyper' has no attribute 'Study'"):
        getattr(module_of("deephyper"), "Study")  # noqa: B009


def test_no_docstring_begins_with_a_question_word() -> None:
    questions = {"What", "Whether", "How", "Why", "When", "Which", "Where"}
    found = []
    for file in sorted((ROOT / "deephyper").rglob("*.py")):
        if "templates" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
                text = ast.get_docstring(node) or "-"
                if text.split()[0].strip(",.:") in questions:
                    found.append(f"{file.relative_to(ROOT)}: {text.splitlines()[0]}")
    assert found == []


@pytest.mark.parametrize(
    ("classic", "today", "name"),
    [
        ("deephyper.search.hps.ambs", "deephyper", "AMBS"),
        ("deephyper.search.hps.random", "deephyper", "RandomSearch"),
        ("deephyper.search.hps.regevo", "deephyper", "RegularizedEvolution"),
        ("deephyper.search.hps.optimizer", "deephyper.optimizer", "create_optimizer"),
        ("deephyper.search.hps.optimizer", "deephyper.optimizer", "Optimizer"),
        ("deephyper.evaluator.balsam_job", "deephyper.balsam.job_spec", "balsamjob_spec"),
    ],
)
def test_classic_paths_lead_to_what_is_there_today(classic: str, today: str, name: str) -> None:
    assert getattr(module_of(classic), name) is getattr(module_of(today), name)
