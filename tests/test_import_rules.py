"""Who may import whom, and what may be imported before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "deephyper"
FILES = sorted(p for p in PACKAGE.rglob("*.py") if "templates" not in p.parts)

# What the files of a package may import of deephyper, beside themselves and what is free.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "problem": (),
    "evaluator": (),
    "optimizer": ("problem",),
    "search": ("problem", "evaluator", "optimizer"),
    "analytics": ("search.results",),
    "balsam": ("problem", "evaluator", "search", "core.cli"),
    "__main__": ("core",),
    "core": ("problem", "evaluator", "optimizer", "search", "analytics", "balsam"),
}
# Classic paths: files that only name what has moved.
ALIASES = {"evaluator/balsam_job.py": ("balsam.job_spec",)}
FREE = (
    "checks",
    "clock",
    "errors",
    "job",
    "lazy",
    "loading",
    "objective",
    "option",
    "registry",
    "standard_streams",
    "version",
)

# Optional engines: each in the file that is its own.
ENGINES = {
    "ray": ("evaluator/ray.py",),
    "tensorflow": (),
    "keras": (),
    "balsam": ("balsam",),
    "django": ("balsam",),
    "matplotlib": ("balsam/timeline.py",),
    "skopt": ("optimizer/skopt",),
    "sklearn": ("optimizer/skopt",),
}

# Modules that must not load anything heavy, and what counts as heavy.
LIGHT = (
    "deephyper",
    "deephyper.errors",
    "deephyper.problem",
    "deephyper.evaluator",
    "deephyper.evaluator.process",
    "deephyper.evaluator.ray",
    "deephyper.evaluator.virtual",
    "deephyper.evaluator.worker.main",
    "deephyper.search.results",
    "deephyper.optimizer.settings",
    "deephyper.analytics.topk",
    "deephyper.core.cli.main",
    "deephyper.core.cli.hps",
    "deephyper.core.cli.analytics",
    "deephyper.core.cli.progress",
)
HEAVY = (
    "ConfigSpace",
    "matplotlib",
    "numpy",
    "pandas",
    "ray",
    "rich",
    "scipy",
    "skopt",
    "sklearn",
    "tensorflow",
)


def imports_of(file: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, anywhere in it, with its line; a script's own part
    (``if __name__ == "__main__"``) is left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    package = ".".join(file.relative_to(ROOT).with_suffix("").parts[:-1])
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
            pending.extend(node.orelse)
            continue
        pending.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def is_within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_only_what_its_package_may_import(file: Path) -> None:
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        own = "version"
    aliased = ALIASES.get(file.relative_to(PACKAGE).as_posix(), ())
    allowed = (own, *FREE, *MAY_IMPORT.get(own, ()), *aliased)
    forbidden = [
        f"line {line}: {module}"
        for module, line in imports_of(file)
        if module.startswith("deephyper.")
        and not is_within(module, tuple(f"deephyper.{name}" for name in allowed))
    ]
    assert not forbidden


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_an_optional_engine_only_in_the_file_that_is_its_own(file: Path) -> None:
    path = file.relative_to(PACKAGE).as_posix()
    forbidden = [
        f"line {line}: {module}"
        for module, line in imports_of(file)
        for engine, places in ENGINES.items()
        if is_within(module, (engine,)) and not path.startswith(places)
    ]
    assert not forbidden


def test_every_package_has_its_rule() -> None:
    packages = {p.name for p in PACKAGE.iterdir() if (p / "__init__.py").is_file()}
    assert packages <= set(MAY_IMPORT)


@pytest.mark.parametrize("module", LIGHT)
def test_imports_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
