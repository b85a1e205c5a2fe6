"""Command lines run in this process, and an environment of its own to install projects into."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from deephyper.core.cli import main as deephyper_program

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def deephyper(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``deephyper`` with these words, in this process."""

    def run(*words: str | Path) -> Ended:
        capsys.readouterr()
        status = deephyper_program.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Ended(status, out, err)

    return run


def make_environment(folder: Path) -> Path:
    """A virtual environment with pip and no setuptools that sees deephyper and its packages.

    Returns:
        its folder of programs, to be put first on PATH.
    """
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    programs = folder / "bin"
    python = programs / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    ours = sysconfig.get_paths()["purelib"]
    (Path(site) / "ours.pth").write_text(
        f"{REPOSITORY}\nimport site; site.addsitedir({ours!r})\n", encoding="utf-8"
    )
    for program, module in (("deephyper", "main"), ("deephyper-analytics", "analytics")):
        script = programs / program
        script.write_text(
            f"#!{python}\nimport sys\nfrom deephyper.core.cli.{module} import main\n"
            "if __name__ == '__main__':\n    sys.exit(main())\n",
            encoding="utf-8",
        )
        script.chmod(0o755)
    return programs


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables under which commands run in an environment of their own."""
    programs = make_environment(tmp_path_factory.mktemp("environment") / "venv")
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return variables | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
