"""Fixtures for the tests of several packages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parents[1]

# Under nohup, or in the background of a shell, these are ignored; tests send them.
for _number, _action in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _action)


# How long an example takes is no verdict: the machine may be busy.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tests unless they are asked for."""
    if "long" in (config.option.markexpr or ""):
        return
    marked = [item for item in items if item.get_closest_marker("long")]
    if marked:
        config.hook.pytest_deselected(items=marked)
        items[:] = [item for item in items if item not in marked]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Undo what a test, or a library that it called, did to the environment of the others.

    Starting Ray sets RAY_AUTH_MODE, for one, so that a later program's cluster would have a token.
    """
    before = dict(os.environ)
    result = yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape lone surrogates in what tests have logged: xdist can't send them."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode())
        for title, text in report.sections
    ]
    return report


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables under which commands run in a virtual environment of their own.

    It has pip, sees deephyper and the packages of the environment of the tests, and what is
    installed into it is installed nowhere else.
    """
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "lib" / version / "site-packages" / "ours.pth").write_text(
        f"{REPOSITORY}\nimport site; site.addsitedir({sysconfig.get_paths()['purelib']!r})\n"
    )
    for program, module in (("deephyper", "main"), ("deephyper-analytics", "analytics")):
        script = folder / "bin" / program
        script.write_text(
            f"#!{folder / 'bin' / 'python'}\nimport sys\n"
            f"from deephyper.core.cli.{module} import main\n"
            "if __name__ == '__main__':\n    sys.exit(main())\n"
        )
        script.chmod(0o755)
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return variables | {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
