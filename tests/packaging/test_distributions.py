"""The wheel and the sdist: an index takes them, and a clean environment with either works."""

from __future__ import annotations

import email
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KINDS = {"wheel": "*.whl", "sdist": "*.tar.gz"}

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("build", "twine")),
        reason="needs the group 'package'",
    ),
]


def ran(words: list[str | Path], directory: Path, **variables: str) -> str:
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        words, cwd=directory, env=kept | variables, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of both, made from a copy of the files that git has or would take."""
    copy = tmp_path_factory.mktemp("distributions") / "deephyper"
    listed = ran(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    ran([sys.executable, "-m", "build"], copy)
    return copy / "dist"


def test_an_index_takes_them(distributions: Path) -> None:
    files = sorted(distributions.iterdir())
    assert len(files) == 2
    ran([sys.executable, "-m", "twine", "check", "--strict", *files], distributions)


def test_the_readme_of_an_index_has_no_link_into_the_repository(distributions: Path) -> None:
    (sdist,) = distributions.glob(KINDS["sdist"])
    with tarfile.open(sdist) as archive:
        (member,) = [each for each in archive if re.fullmatch(r"[^/]+/PKG-INFO", each.name)]
        file = archive.extractfile(member)
        assert file is not None
        text = email.message_from_bytes(file.read()).get_payload()
    assert isinstance(text, str)
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []


def test_the_sdist_has_what_a_distributor_wants(distributions: Path) -> None:
    (sdist,) = distributions.glob(KINDS["sdist"])
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for wanted in (
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "benchmarks/RESULTS.md",
        "docs/conf.py",
        "docs/images/history.png",
        "docs/index.md",
        "examples/digits/problem.py",
        "tests/conftest.py",
    ):
        assert wanted in names
    assert not [name for name in names if "__pycache__" in name or "_generated" in name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_clean_environment_works(distributions: Path, kind: str, tmp_path: Path) -> None:
    (file,) = distributions.glob(KINDS[kind])
    ran([sys.executable, "-m", "venv", "venv"], tmp_path)
    ran([tmp_path / "venv/bin/pip", "install", "-q", file], tmp_path)
    path = {"PATH": f"{tmp_path / 'venv/bin'}{os.pathsep}{os.environ['PATH']}"}

    def typed(line: str, directory: Path = tmp_path) -> str:
        return ran(["sh", "-c", line], directory, **path)

    assert "Usage: deephyper" in typed("deephyper --help")
    printed = typed(
        "deephyper hps ambs -p deephyper.benchmark.ackley.Problem "
        "-r deephyper.benchmark.ackley.run --max-evals 10 --log-dir ackley"
    )
    assert "Best objective: " in printed
    assert len((tmp_path / "ackley" / "results.csv").read_text().splitlines()) == 11
    typed("deephyper start-project clean_project")
    package = tmp_path / "clean_project" / "clean_project"
    typed("deephyper new-problem hps ours", package)
    typed(
        "deephyper hps ambs -p clean_project.ours.problem.Problem "
        "-r clean_project.ours.model_run.run --max-evals 2 --log-dir found"
    )
    assert (tmp_path / "found" / "results.csv").exists()
    # A file of the package that Python doesn't import.
    assert '"$schema"' in typed("deephyper space schema")
    # Keras is looked for, not used; without an engine it is small.
    ran([tmp_path / "venv/bin/pip", "install", "-q", "keras"], tmp_path)
    for template in ("keras", "sklearn", "command"):
        typed(f"deephyper new-problem hps by_{template} --template {template}", package)
        assert (package / f"by_{template}" / "model_run.py").exists()
    typed("deephyper new-problem nas network", package)
    assert (package / "network" / "search_space.py").exists()
