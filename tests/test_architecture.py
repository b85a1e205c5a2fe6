"""The shape of the house: who may import whom, what is imported when, how large a room may be."""

from __future__ import annotations

import ast
import re
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
    "space_file": ("problem",),
    "evaluator": (),
    "callbacks": ("evaluator.current",),
    "command": ("evaluator",),
    "nas": (
        "problem",
        "callbacks",
        "evaluator.current",
        "analytics.topk",
        "search.log_dir",
        "search.results",
        "search.warm_start",
    ),
    "optimizer": ("problem",),
    "stopper": (),
    "benchmark": ("problem", "callbacks", "evaluator.current"),
    "progress": ("evaluator",),
    "control": ("problem.point", "evaluator"),
    "search": ("problem", "evaluator", "optimizer", "stopper", "progress", "control"),
    "ask_tell": ("problem", "space_file", "optimizer", "stopper", "control", "search"),
    "watch": (
        "ask_tell.status",
        "problem.point",
        "search.events",
        "search.journal",
        "search.log_dir",
        "search.replay",
    ),
    "analytics": (
        "ask_tell.status",
        "search.events",
        "search.log_dir",
        "search.replay",
        "search.results",
        "search.results_file",
    ),
    "confirmation": ("problem", "evaluator", "optimizer", "search", "analytics"),
    "preflight": ("problem", "evaluator", "optimizer", "search"),
    "hpc": (),
    "balsam": ("problem", "command", "evaluator", "nas", "search", "hpc", "core.cli"),
    "__main__": ("core",),
    "core": (
        "command",
        "problem",
        "nas",
        "space_file",
        "evaluator",
        "optimizer",
        "stopper",
        "progress",
        "control",
        "search",
        "ask_tell",
        "watch",
        "analytics",
        "confirmation",
        "preflight",
        "nas",
        "balsam",
    ),
}
# Classic paths: files that only name what has moved.
ALIASES = {"evaluator/balsam_job.py": ("balsam.job_spec",)}
# A result offers what is made of it, which is imported when it is asked for.
OFFERS = {"search/search_result.py": ("analytics",)}
FREE = (
    "batch",
    "cell",
    "checks",
    "claim",
    "clock",
    "errors",
    "fast_init",
    "holder",
    "interrupt",
    "job",
    "lazy",
    "loading",
    "objective",
    "option",
    "owner",
    "printable",
    "registry",
    "safe_files",
    "sheet",
    "standard_streams",
    "suggest",
    "user_file",
    "version",
)

# Optional engines: each in the file that is its own.
ENGINES = {
    "ray": ("evaluator/ray",),
    "tensorflow": (),
    "keras": ("callbacks/keras.py", "nas/build.py", "nas/ensemble", "nas/training.py"),
    "lightgbm": (),
    "lightning": ("callbacks/lightning.py",),
    "pytorch_lightning": ("callbacks/lightning.py",),
    "transformers": ("callbacks/transformers.py",),
    "xgboost": ("callbacks/xgboost.py",),
    "balsam": ("balsam",),
    "django": ("balsam",),
    "matplotlib": ("analytics/plots", "balsam/timeline/report.py"),
    "mlflow": ("analytics/export/mlflow_runs.py",),
    "optuna": ("analytics/export/optuna_study.py",),
    "pyarrow": ("analytics/export/parquet_file.py",),
    "tensorboard": ("analytics/export/tensorboard_logs.py",),
    "wandb": ("analytics/export/wandb_runs.py",),
    "skopt": ("optimizer/skopt",),
    "sklearn": (
        "benchmark/digits.py",
        "benchmark/polynome2.py",
        "callbacks/sklearn.py",
        "optimizer/skopt",
    ),
}

# Modules that must not load anything heavy, and what counts as heavy.
LIGHT = (
    "deephyper",
    "deephyper.errors",
    "deephyper.callbacks",
    "deephyper.callbacks.checkpoint",
    "deephyper.callbacks.monitor",
    "deephyper.callbacks.lightgbm",
    "deephyper.callbacks.sklearn",
    "deephyper.ask_tell",
    "deephyper.ask_tell.search_directory",
    "deephyper.ask_tell.status",
    "deephyper.nas",
    "deephyper.problem",
    "deephyper.space_file",
    "deephyper.evaluator",
    "deephyper.evaluator.process",
    "deephyper.evaluator.ray",
    "deephyper.evaluator.virtual",
    "deephyper.evaluator.worker.main",
    "deephyper.search.results",
    "deephyper.optimizer.settings",
    "deephyper.search.search",
    "deephyper.analytics",
    "deephyper.analytics.fanova.importance",
    "deephyper.analytics.fanova.table",
    "deephyper.analytics.points",
    "deephyper.analytics.topk",
    "deephyper.core.cli.main",
    "deephyper.core.cli.hps",
    "deephyper.core.cli.nas",
    "deephyper.core.cli.analytics",
    "deephyper.core.cli.check",
    "deephyper.core.cli.confirm",
    "deephyper.progress.progress",
    "deephyper.progress.notebook",
)
HEAVY = (
    "ConfigSpace",
    "keras",
    "matplotlib",
    "mlflow",
    "numpy",
    "optuna",
    "pandas",
    "ray",
    "rich",
    "scipy",
    "skopt",
    "sklearn",
    "tensorboard",
    "tensorflow",
    "wandb",
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
        return  # the front door names everything, lazily; see test_public_names.py
    path = file.relative_to(PACKAGE).as_posix()
    others = (*ALIASES.get(path, ()), *OFFERS.get(path, ()))
    allowed = (own, *FREE, *MAY_IMPORT.get(own, ()), *others)
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


def test_no_package_imports_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for file in FILES:
        own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        offered = OFFERS.get(file.relative_to(PACKAGE).as_posix(), ())
        for module, _ in imports_of(file):
            other = module.removeprefix("deephyper.").partition(".")[0]
            if module.startswith("deephyper.") and other not in (own, *offered):
                graph.setdefault(own, set()).add(other)
    graph.pop("__init__", None)  # the front door names everything, lazily
    graph.pop("balsam", None)  # its commands pass on the options of core.cli; see MAY_IMPORT
    for aliased in ALIASES:
        graph[Path(aliased).parts[0]].discard("balsam")
    left = set(graph)
    while left:
        leaves = {name for name in left if not graph.get(name, set()) & left}
        assert leaves, f"a circle among {sorted(left)}"
        left -= leaves


def test_no_file_imports_in_a_circle() -> None:
    """Of what is imported along with a file; an import in a function is made when it is called."""
    graph: dict[str, set[str]] = {}
    for file in FILES:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            graph.setdefault(name_of(file), set()).update(
                name_of(other)
                for other in FILES
                if name_of(other) in names or (node_module(node) == name_of(other))
            )
    left = set(graph)
    while left:
        leaves = {name for name in left if not graph.get(name, set()) & left}
        assert leaves, f"a circle among {sorted(left)}"
        left -= leaves


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def node_module(node: ast.stmt) -> str | None:
    return node.module if isinstance(node, ast.ImportFrom) else None


def test_balsam_is_named_in_its_package_and_where_it_is_registered() -> None:
    elsewhere = [
        path
        for file in FILES
        if "balsam" in file.read_text(encoding="utf-8").lower()
        and not (path := file.relative_to(PACKAGE).as_posix()).startswith("balsam/")
    ]
    assert sorted(elsewhere) == ["__init__.py", "evaluator/balsam_job.py", "registry.py"]


def test_no_room_holds_more_than_a_fifth_of_the_code() -> None:
    """A room is a directory without its subdirectories."""
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    rooms: dict[Path, int] = {}
    for file, count in lines.items():
        rooms[file.parent] = rooms.get(file.parent, 0) + count
    total = sum(lines.values())
    assert {str(room): count for room, count in rooms.items() if count > total / 5} == {}


def test_files_are_short_enough_to_be_read_from_top_to_bottom() -> None:
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {str(file): count for file, count in lines.items() if count > 450} == {}


def test_the_search_package_has_at_most_20_files() -> None:
    # A package's own file and one that only names what has moved are nothing to read.
    files = [file for file in FILES if PACKAGE / "search" in file.parents]
    assert len([file for file in files if len(file.read_text().splitlines()) > 5]) <= 18


def test_the_files_that_the_architecture_page_names_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w/]+/)?\w+\.py)`", text)
    assert len(named) > 20
    assert [
        name for name in named if not (PACKAGE / name.removeprefix("deephyper/")).is_file()
    ] == []
