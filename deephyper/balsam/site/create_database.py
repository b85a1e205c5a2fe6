"""Creating a Balsam database that only its owner can reach.

``balsam init`` admits everyone on the network without a password. Here the server asks every
connection for one, which is kept in the database's directory, readable by its owner alone, where
Balsam looks for it.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deephyper.balsam.database import quietly_importing
from deephyper.errors import HpcError

_PROGRAMS = ("initdb", "pg_ctl", "createdb")
_START_SECONDS = 120


def create_database(path: Path, loopback: bool = False) -> None:
    """Create a Balsam database; its server is stopped again at the end.

    Args:
        path: directory to make; its parent must exist.
        loopback: listen on this machine's loopback addresses only.

    Raises:
        HpcError: if it can't be created; nothing is left behind.
        MissingExtra: if Balsam isn't installed.
    """
    path = path.absolute()
    _check(path, loopback)
    with quietly_importing():
        import balsam  # noqa: F401  (before anything is written)
    try:
        path.mkdir(mode=0o700)
    except OSError as error:
        raise HpcError(
            f"the directory '{path}' can't be made ({error.strerror}); choose another place"
        ) from error
    try:
        _create(path, loopback)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def _check(path: Path, loopback: bool) -> None:
    if os.geteuid() == 0:
        raise HpcError("PostgreSQL does not run as root; create the database as another user")
    if path.exists():
        raise HpcError(f"'{path}' already exists; choose a directory that doesn't")
    if any(character.isspace() for character in str(path)):
        raise HpcError(f"'{path}' contains whitespace, which Balsam can't handle; choose another")
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        hint = f"export PATH={installed[-1].parent}:$PATH" if installed else "install PostgreSQL"
        raise HpcError(f"PostgreSQL's {', '.join(missing)} can't be found; {hint}")
    if loopback and not _hostname_is_loopback():
        raise HpcError(
            f"Balsam reaches its server by this machine's name, and '{socket.gethostname()}' isn't "
            "a loopback address; leave out --loopback (the password protects the database), or "
            "list the machine in /etc/hosts as 127.0.0.1"
        )


def _hostname_is_loopback() -> bool:
    try:
        return socket.gethostbyname(socket.gethostname()).startswith("127.")
    except OSError:
        return False


def _create(path: Path, loopback: bool) -> None:
    password = secrets.token_urlsafe(24)
    user = getpass.getuser()
    cluster = path / "balsamdb"
    # Balsam reads the password here, and keeps the file's permissions when it adds the address.
    _write_private(path / "server-info", json.dumps({"password": password}))
    _write_private(path / "password", password)
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
    options += ["-U", user, f"--pwfile={path / 'password'}"]
    _run(["initdb", "-D", str(cluster), *options], path)
    (path / "password").unlink()
    _configure(cluster, user, loopback)
    os.environ["BALSAM_DB_PATH"] = str(path)
    with _server(path, cluster, password) as (host, port):
        _run(["createdb", "-h", host, "-p", str(port), "-U", user, "balsam"], path, password)
        _create_tables()


def _configure(cluster: Path, user: str, loopback: bool) -> None:
    # Debian gives a machine's own name the address 127.0.1.1.
    addresses = "127.0.0.1,127.0.1.1" if loopback else "*"
    settings = {
        "listen_addresses": f"'{addresses}'",
        "port": "0",  # Balsam replaces this line whenever it starts the server
        "unix_socket_directories": "''",
        "max_connections": "200",
        "synchronous_commit": "off",
        "wal_writer_delay": "400ms",
        "password_encryption": "'scram-sha-256'",
    }
    with (cluster / "postgresql.conf").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in settings.items())
    networks = ["127.0.0.0/8"] if loopback else ["0.0.0.0/0", "::/0"]
    lines = [f'host all "{user}" {network} scram-sha-256\n' for network in networks]
    (cluster / "pg_hba.conf").write_text("".join(lines))


@contextlib.contextmanager
def _server(path: Path, cluster: Path, password: str) -> Iterator[tuple[str, int]]:
    """Run the server; yields its host and port."""
    with quietly_importing():
        from balsam.django_config.serverinfo import ServerInfo

    info = ServerInfo(str(path))
    info.reset_server_address()
    log = path / "postgres.log"
    _run(["pg_ctl", "-w", "start", "-D", str(cluster), "-l", str(log)], path)
    try:
        yield str(info["host"]), int(info["port"])
    finally:
        _run(["pg_ctl", "-w", "stop", "-m", "fast", "-D", str(cluster)], path)
        info.update({"host": "", "port": ""})


def _create_tables() -> None:
    with quietly_importing():
        import balsam

        balsam.setup()
        from balsam.django_config.db_index import refresh_db_index
        from django.core.management import call_command
        from django.db import connections

        call_command("makemigrations", interactive=False, verbosity=0)
        call_command("migrate", interactive=False, verbosity=0)
        refresh_db_index()
        connections.close_all()


def _write_private(path: Path, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)


def _run(command: list[str], path: Path, password: str | None = None) -> None:
    """Run a program of PostgreSQL.

    Its output goes to a file: a server that it starts would keep a pipe open.
    """
    environment = dict(os.environ) if password is None else {**os.environ, "PGPASSWORD": password}
    output = path / "init.log"
    with output.open("a") as file:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=_START_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise HpcError(
                f"PostgreSQL's {command[0]} has not ended after {_START_SECONDS} s; try again on a "
                "faster file system"
            ) from error
    if done.returncode != 0:
        lines = output.read_text(errors="replace").strip().splitlines()
        log = path / "postgres.log"
        if command[0] == "pg_ctl" and log.exists():
            lines += log.read_text(errors="replace").strip().splitlines()
        errors = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
        reason = (errors or lines or [f"exit status {done.returncode}"])[-1].strip()
        raise HpcError(f"PostgreSQL's {command[0]} failed: {reason}")
