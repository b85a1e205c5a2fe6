"""Installing a project in editable mode with nothing but pip: no network, no setuptools.

``pip install -e`` has a build backend make a wheel whose only content is a path file. For a
project of one package in one directory that wheel is four short files, so we make it ourselves (PEP
427 and PEP 660) and let pip install it: it works in environments without setuptools, leaves no
build files in the project, and ``pip list`` and ``pip uninstall`` treat it as any other.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from deephyper.errors import WorkspaceError
from deephyper.version import __version__

VERSION = "0.1.0"


def install_editable(name: str, directory: Path) -> None:
    """Make the packages in a directory importable in this interpreter's environment.

    Args:
        name: name of the distribution; letters, digits and underscores.
        directory: the directory that holds the package.

    Raises:
        WorkspaceError: if pip is missing or fails; the directory stays as it is.
    """
    by_hand = f"the directory is made; install it with: pip install -e {directory}"
    if importlib.util.find_spec("pip") is None:
        raise WorkspaceError(
            f"{sys.executable} has no pip to install '{name}' with (python -m ensurepip brings "
            f"it); {by_hand}"
        )
    with tempfile.TemporaryDirectory() as wheels:
        _write_wheel(Path(wheels), name, directory.resolve())
        # By name from a directory rather than by path: pip then keeps our direct_url.json, which
        # says that the project is editable and where it is.
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--no-index", "--no-deps", "--no-cache-dir"]
        command += ["--root-user-action=ignore", "--find-links", wheels, f"{name}=={VERSION}"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
        reason = errors[0] if errors else f"exit status {done.returncode}"
        raise WorkspaceError(f"pip could not install '{name}' ({reason}); {by_hand}")


def _write_wheel(wheels: Path, name: str, directory: Path) -> None:
    info = f"{name}-{VERSION}.dist-info"
    files = {
        f"__editable__.{name}.pth": f"{directory}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n",
        f"{info}/WHEEL": (
            f"Wheel-Version: 1.0\nGenerator: deephyper {__version__}\n"
            "Root-Is-Purelib: true\nTag: py3-none-any\n"
        ),
        f"{info}/direct_url.json": json.dumps(
            {"url": directory.as_uri(), "dir_info": {"editable": True}}
        ),
    }
    record = "".join(
        f"{path},{_digest(text)},{len(text.encode())}\n" for path, text in files.items()
    )
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    with zipfile.ZipFile(wheels / f"{name}-{VERSION}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return "sha256=" + digest.decode().rstrip("=")
