"""Do the tests notice a change of the code? A sample of small changes, each tried on its own.

    python -m benchmarks.mutation search [--sample 40] [--seed 1]

makes a copy of the repository, changes one thing there (a comparison, a number, an operator, a
condition) with cosmic-ray, runs the tests of the package, and shows what no test noticed. A change
of a message, of a type or of a cache may well go unnoticed; one of what the code promises may not.
It takes minutes to hours; nothing is changed in the repository itself.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPERATORS = (
    "AddNot",
    "NumberReplacer",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBinaryOperator",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ReplaceComparisonOperator",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceUnaryOperator",
    "ZeroIterationForLoop",
)


@dataclass(frozen=True)
class Package:
    """A package to change, and the tests that should notice.

    Attributes:
        path: of its code.
        tests: arguments of pytest.
        seconds: how long the tests may take.
    """

    path: str
    tests: str
    seconds: float


FAST = "loop journal results resume interruptions claim log front_door"
PACKAGES = {
    "search": Package(
        "deephyper/search", " ".join(f"tests/search/test_{name}.py" for name in FAST.split()), 120
    ),
    "evaluator": Package("deephyper/evaluator", "tests/evaluator -m 'not ray'", 300),
    "optimizer": Package("deephyper/optimizer", "tests/optimizer", 400),
    "problem": Package("deephyper/problem", "tests/problem", 120),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("package", choices=PACKAGES)
    parser.add_argument("--sample", type=int, default=40, help="how many changes to try")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    package = PACKAGES[options.package]
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "copy"
        _copy(copy)
        os.chdir(copy)
        os.environ["PYTHONPATH"] = str(copy)
        survived = tried = 0
        for operator, path, occurrence in _sample(package, options.sample, options.seed):
            diff = _try(package, operator, path, occurrence)
            tried += 1
            if diff is not None:
                survived += 1
                print(f"\nsurvived: {operator} in {path}\n{diff}", flush=True)
        print(f"\n{options.package}: {tried - survived} of {tried} changes were noticed")


def _copy(to: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        with contextlib.suppress(FileNotFoundError):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def _sample(package: Package, size: int, seed: int) -> list[tuple[str, str, int]]:
    """Return operator, file and occurrence of changes that are drawn at random."""
    from cosmic_ray.commands.init import init
    from cosmic_ray.plugins import operator_names
    from cosmic_ray.work_db import WorkDB, use_db

    files = sorted(Path(package.path).rglob("*.py"))
    # "|" is mostly that of types, which nothing runs.
    names = [n for n in operator_names() if any(o in n for o in OPERATORS) and "BitOr_" not in n]
    with use_db("work.sqlite", WorkDB.Mode.create) as database:
        init(files, database, {})
        items = [
            (mutation.operator_name, str(mutation.module_path), mutation.occurrence)
            for item in database.work_items
            for mutation in item.mutations
            if mutation.operator_name in names
        ]
    Path("work.sqlite").unlink()
    return random.Random(seed).sample(sorted(items), min(size, len(items)))


def _try(package: Package, operator: str, path: str, occurrence: int) -> str | None:
    """Make a change and run the tests; return the change if they pass, None if they don't."""
    from cosmic_ray.mutating import use_mutation
    from cosmic_ray.plugins import get_operator

    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    with use_mutation(Path(path), get_operator(operator)(), occurrence) as (before, after):
        if after is None:
            return None
        try:
            done = subprocess.run(
                [*command, *shlex.split(package.tests)],
                capture_output=True,
                timeout=package.seconds,
            )
        except subprocess.TimeoutExpired:
            return None
    if done.returncode != 0:
        return None
    old, new = str(before).splitlines(), str(after).splitlines()
    return "\n".join(
        f"  {number}: - {one.strip()}\n  {number}: + {other.strip()}"
        for number, (one, other) in enumerate(zip(old, new, strict=False), 1)
        if one != other
    )


if __name__ == "__main__":
    main()
