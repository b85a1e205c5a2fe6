"""An entire HPC system on one bare Debian machine: Slurm, MPICH, PostgreSQL and Balsam.

It needs root to install packages and to start Slurm; everything else belongs to a user of its own.
``python tests/balsam/machine.py`` sets it up, opens a shell as that user and stops it at the end.
Slow installations are kept in ``/var/tmp/deephyper-balsam`` for the next time; set
``DEEPHYPER_BALSAM_ROOT`` to keep them elsewhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ROOT = Path(os.environ.get("DEEPHYPER_BALSAM_ROOT", "/var/tmp/deephyper-balsam"))
USER = "dhbalsam"
QUEUE = "debug-cache-quad"
NUM_NODES = 4
PACKAGES = {
    "postgresql": "/usr/lib/postgresql/*/bin/initdb",
    "mpich": "/usr/bin/mpiexec.hydra",
    "slurm-wlm": "/usr/sbin/slurmctld",
    "munge": "/usr/sbin/munged",
    "iproute2": "/usr/*bin/ip",
    "python3-venv": "/usr/lib/python3*/ensurepip/__init__.py",
}
# The model of the tutorial, plots, and training over ranks.
EXTRAS = ("balsam", "tensorflow")
ALSO = ("mpi4py>=4", "pytest>=8", "pytest-timeout>=2.2", "hypothesis>=6.100")


class NotHere(Exception):
    """This machine can't become one; the message says why."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


class Machine:
    """The machine and its user; use :func:`running`.

    Args:
        root: directory of everything that is installed and written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.programs = root / "venv" / "bin"
        self.slurm = root / "slurm"
        self.hostname = socket.gethostname().partition(".")[0]

    def run(self, command: str, timeout: float = 120, directory: str = "") -> Ended:
        """Run a command of bash as the user, in a directory below its home."""
        done = subprocess.run(
            ["runuser", "-u", USER, "--", "env", "-i", *self.variables(), "bash", "-c", command],
            cwd=self.home / directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def wait_until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, f"waited {seconds} s for {what}"
            time.sleep(0.5)

    def shell(self) -> None:
        command = ["runuser", "-u", USER, "--", "env", "-i", *self.variables(), "bash", "--norc"]
        subprocess.run(command, cwd=self.home)

    def variables(self) -> list[str]:
        """Return the user's environment, as ``NAME=value``."""
        postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        variables = {
            "HOME": str(self.home),
            "USER": USER,
            "LOGNAME": USER,
            "PATH": f"{self.programs}:{postgres}:/usr/sbin:/usr/bin:/sbin:/bin",
            "SLURM_CONF": str(self.slurm / "slurm.conf"),
            "LD_LIBRARY_PATH": str(self.root / "lib"),
            "TERM": os.environ.get("TERM", "dumb"),
        }
        return [f"{name}={value}" for name, value in variables.items()]

    # Installing.

    def install(self) -> None:
        """Whatever is missing of packages, user and environment."""
        if os.geteuid() != 0:
            raise NotHere("installing PostgreSQL, MPICH and Slurm needs root")
        self._install_packages()
        version = subprocess.run(
            ["/usr/bin/python3", "-c", "import sys; print(sys.version_info >= (3, 11))"],
            capture_output=True,
            text=True,
        ).stdout
        if version.strip() != "True":
            raise NotHere("the system's python3 is older than 3.11")
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.home)
        try:
            pwd.getpwnam(USER)
        except KeyError:
            check("useradd", "--no-create-home", "--home-dir", str(self.home), USER)
        # "balsam init" has PostgreSQL put its socket where only this group may.
        check("usermod", "--append", "--groups", "postgres", USER)
        self.home.mkdir()
        self._install_environment()
        check("chown", "-R", USER, str(self.home), str(self.root / "venv"))

    def _install_packages(self) -> None:
        missing = [name for name, glob in PACKAGES.items() if not list(Path("/").glob(glob[1:]))]
        if not missing:
            return
        if shutil.which("apt-get") is None:
            raise NotHere(f"{', '.join(missing)} are missing and there is no apt-get")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
            done = subprocess.run(
                ["apt-get", "-q", *words],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=600,
            )
            if done.returncode != 0:
                raise NotHere(f"apt-get {words[0]} failed: {done.stderr.strip()[-300:]}")

    def _install_environment(self) -> None:
        """The packages once; this checkout each time."""
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        wanted = [*project["dependencies"], *ALSO]
        for extra in EXTRAS:
            wanted += project["optional-dependencies"][extra]
        mark = self.root / "installed"
        digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
        python = self.programs / "python"
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        if not mark.exists() or mark.read_text() != digest:
            shutil.rmtree(self.root / "venv", ignore_errors=True)
            check("/usr/bin/python3", "-m", "venv", str(self.root / "venv"))
            check(*pip, *wanted, timeout=900)
            mark.write_text(digest)
        source = self.root / "source"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir()
        shutil.copytree(
            REPOSITORY / "deephyper", source / "deephyper", ignore=shutil.ignore_patterns("*.pyc")
        )
        shutil.copytree(
            REPOSITORY / "tests", source / "tests", ignore=shutil.ignore_patterns("*.pyc")
        )
        for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
            if (REPOSITORY / name).exists():
                shutil.copy(REPOSITORY / name, source)
        check(*pip, "--no-deps", "--force-reinstall", str(source), timeout=300)
        check("chown", "-R", USER, str(source))
        # MPICH's library by the name that all of its ABI go by, which mpi4py looks for.
        libraries = self.root / "lib"
        libraries.mkdir(exist_ok=True)
        for library in Path("/usr/lib").glob("*/libmpich.so.12"):
            (libraries / "libmpi.so.12").unlink(missing_ok=True)
            (libraries / "libmpi.so.12").symlink_to(library)

    # Starting.

    def start(self) -> None:
        """Munge and Slurm, all on loopback."""
        self.stop()
        shutil.rmtree(self.slurm, ignore_errors=True)
        for directory in ("state", "spool", "munge"):
            (self.slurm / directory).mkdir(parents=True)
        try:
            socket.gethostbyname(self.hostname)
        except OSError as error:
            raise NotHere(f"this machine's name, {self.hostname}, has no address") from error
        self._start_munge()
        (self.slurm / "slurm.conf").write_text(self._slurm_conf())
        environment = {**os.environ, "SLURM_CONF": str(self.slurm / "slurm.conf")}
        check("/usr/sbin/slurmctld", environment=environment)
        for node in self._nodes():
            check("/usr/sbin/slurmd", "-N", node, environment=environment)
        until = time.monotonic() + 60
        while self.run("sinfo -h -N -o %t").out.split() != ["idle"] * NUM_NODES:
            if time.monotonic() > until:
                raise RuntimeError(f"Slurm does not start: {self.run('sinfo -N -l').out}")
            time.sleep(1)

    def _start_munge(self) -> None:
        directory = self.slurm / "munge"
        (directory / "key").write_bytes(os.urandom(128))
        (directory / "key").chmod(0o400)
        check("chown", "-R", "munge:munge", str(directory))
        directory.chmod(0o711)
        files = [f"--{name}={directory / name}" for name in ("socket", "pid-file", "log-file")]
        files += [f"--key-file={directory / 'key'}", f"--seed-file={directory / 'seed'}"]
        check("runuser", "-u", "munge", "--", "/usr/sbin/munged", *files)

    def _nodes(self) -> list[str]:
        """The first has this machine's own name, by which Balsam knows its serial launcher."""
        return [self.hostname, *(f"{self.hostname}x{n}" for n in range(2, NUM_NODES + 1))]

    def _slurm_conf(self) -> str:
        ports = free_ports(NUM_NODES + 1)
        lines = {
            "ClusterName": "test",
            "SlurmctldHost": f"{self.hostname}(127.0.0.1)",
            "SlurmUser": "root",
            "SlurmdUser": "root",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={self.slurm}/munge/socket",
            "CredType": "cred/munge",
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "MpiDefault": "pmi2",
            "SwitchType": "switch/none",
            "SelectType": "select/linear",
            "ReturnToService": "2",
            "KillWait": "5",
            "SlurmctldPort": ports[0],
            "StateSaveLocation": self.slurm / "state",
            "SlurmdSpoolDir": self.slurm / "spool" / "%n",
            "SlurmctldPidFile": self.slurm / "slurmctld.pid",
            "SlurmdPidFile": self.slurm / "slurmd.%n.pid",
            "SlurmctldLogFile": self.slurm / "slurmctld.log",
            "SlurmdLogFile": self.slurm / "slurmd.%n.log",
        }
        text = [f"{name}={value}" for name, value in lines.items()]
        cores = os.cpu_count() or 1
        text += [
            f"NodeName={node} NodeAddr=127.0.0.1 NodeHostname={self.hostname} Port={port} "
            f"CPUs={cores} Weight={weight} State=UNKNOWN"
            for weight, (node, port) in enumerate(zip(self._nodes(), ports[1:], strict=True), 1)
        ]
        text.append(f"PartitionName={QUEUE} Nodes=ALL Default=YES MaxTime=INFINITE State=UP")
        return "\n".join(text) + "\n"

    # Stopping.

    def stop(self) -> None:
        """End Slurm, Munge and every process of the user, databases included."""
        if (self.slurm / "slurmctld.pid").exists():
            # The steps of a job are root's processes, which only Slurm knows.
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self.run("scancel -u $USER", timeout=20)
                until = time.monotonic() + 20
                while self.run("squeue -h", timeout=20).out.strip() and time.monotonic() < until:
                    time.sleep(0.5)
        for file in [*self.slurm.glob("slurm*.pid"), self.slurm / "munge" / "pid-file"]:
            with contextlib.suppress(OSError, ValueError):
                pid = int(file.read_text())
                command = Path(f"/proc/{pid}/cmdline").read_text()
                # The id may belong to another process by now.
                if "slurm" in command or "munged" in command:
                    os.kill(pid, 15)
        with contextlib.suppress(KeyError):
            uid = pwd.getpwnam(USER).pw_uid
            for number in (15, 9):
                pids = processes_of(uid)
                for pid in pids:
                    with contextlib.suppress(OSError):
                        os.kill(pid, number)
                until = time.monotonic() + 5
                while processes_of(uid) and time.monotonic() < until:
                    time.sleep(0.1)


@contextlib.contextmanager
def running(root: Path = ROOT) -> Iterator[Machine]:
    """Install what is missing, start everything, and stop it at the end.

    Raises:
        NotHere: if this machine does not allow it.
    """
    machine = Machine(root)
    machine.install()
    try:
        machine.start()
        yield machine
    finally:
        machine.stop()


def processes_of(uid: int) -> list[int]:
    """Return the user's processes, except for zombies."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            state = (directory / "stat").read_text().rpartition(")")[2].split()[0]
            if directory.stat().st_uid == uid and state != "Z":
                found.append(int(directory.name))
    return found


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as sockets:
        opened = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in opened:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in opened]


def check(*words: str, timeout: float = 60, environment: dict[str, str] | None = None) -> None:
    """Run a program that must succeed; its output goes to a file, as a daemon keeps a pipe open."""
    with (Path("/tmp") / f"deephyper-balsam-{os.getpid()}.log").open("w+") as file:
        Path(file.name).unlink()
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            env=environment,
        )
        file.seek(0)
        if done.returncode != 0:
            raise RuntimeError(f"{shlex.join(words)} failed:\n{file.read()[-2000:]}")


if __name__ == "__main__":
    try:
        with running() as the_machine:
            the_machine.shell()
    except NotHere as reason:
        sys.exit(str(reason))
