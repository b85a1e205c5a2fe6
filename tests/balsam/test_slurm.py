"""The batch script for Slurm, and the names that it gives to nodes."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
from jinja2 import Template

from deephyper.balsam.site.serial_node import assume_hostname
from deephyper.balsam.site.slurm import TEMPLATE


@pytest.mark.parametrize(
    ("minutes", "mode", "seconds"),
    [
        (30, "mpi", 28 * 60),
        (30, "serial", 27 * 60),
        (3, "mpi", 60),
        (3, "serial", 6),
        (1, "mpi", 60),
    ],
)
def test_the_batch_script_says_when_the_launcher_ends(
    minutes: int, mode: str, seconds: int, tmp_path: Path
) -> None:
    values = {"nodes": 1, "queue": "q", "project": "", "time_minutes": minutes, "job_mode": mode}
    places = {
        "balsam_bin": "/b",
        "pg_bin": "/p",
        "balsam_db_path": "/d",
        "wf_filter": "wf-filter=w",
    }
    script = Template(TEMPLATE).render(values | places)
    assert "#SBATCH --account" not in script
    assert f"#SBATCH --time={minutes}\n" in script
    part = script[script.index("minutes=") : script.index("export DEEPHYPER_LAUNCH_END")]
    output = subprocess.run(
        ["bash", "-euc", f"{part}\necho $seconds"], capture_output=True, text=True, check=True
    ).stdout
    assert int(output) == seconds


def test_a_node_takes_the_name_that_slurm_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", socket.gethostname)
    words = ["serial_node.py", "--master-address", "n1:19876", "--num-workers", "2"]
    assume_hostname(words, "n1", resolve=lambda name: "10.0.0.1")
    assert (words[2], socket.gethostname()) == ("n1:19876", "n1")
    assume_hostname(words, "n2", resolve=lambda name: "10.0.0.1")
    assert (words[2], socket.gethostname()) == ("n1:19876", "n2")


def test_a_name_without_an_address_becomes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", socket.gethostname)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(
        "#!/bin/sh\necho 'NodeName=n1'\necho '   NodeAddr=10.0.0.7 NodeHostName=x'\n"
    )
    scontrol.chmod(0o755)

    def resolve(name: str) -> str:
        raise OSError("not known")

    words = ["serial_node.py", "--master-address", "n1:19876"]
    assume_hostname(words, "n1", resolve)
    assert (words[2], socket.gethostname()) == ("10.0.0.7:19876", "10.0.0.7")
    words = ["serial_node.py", "--master-address", "n1:19876"]
    assume_hostname(words, "n2", resolve)
    assert (words[2], socket.gethostname()) == ("10.0.0.7:19876", "n2")
    scontrol.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(OSError, match="no address"):
        assume_hostname(["--master-address", "n1:19876"], "n2", resolve)
