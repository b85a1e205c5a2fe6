"""The command ``deephyper balsam-init``: the database that it creates, and its errors."""

from __future__ import annotations

import pytest

from tests.balsam.conftest import Site

pytestmark = [pytest.mark.balsam, pytest.mark.timeout(1200)]


def test_only_who_knows_the_password_gets_in(database: Site) -> None:
    assert database.run("balsam ls").status == 0
    assert database.psql("select 1").stdout == "1\n"
    refused = database.psql("select 1", password="guessed")
    assert refused.returncode != 0
    assert "password authentication failed" in refused.stderr


def test_the_password_is_its_owners_alone(database: Site) -> None:
    directory = database.path
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "server-info").stat().st_mode & 0o777 == 0o600
    assert not (directory / "password").exists()


def test_it_listens_on_loopback_only(database: Site) -> None:
    shown = database.psql("show listen_addresses").stdout.strip()
    assert all(address.startswith("127.") for address in shown.split(","))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("polydb", "already exists"),
        ("'a b'", "contains whitespace"),
        ("no/such/directory", "can't be made"),
    ],
)
def test_a_directory_that_cannot_be_one_is_refused(database: Site, words: str, reason: str) -> None:
    done = database.machine.run(f"deephyper balsam-init {words}")
    assert done.status == 2
    assert reason in done.err
    assert done.err.count("\n") == 1


def test_says_how_to_find_postgresql(database: Site) -> None:
    command = "PATH=$(dirname $(which deephyper)):/usr/bin:/bin deephyper balsam-init another"
    done = database.machine.run(command)
    assert done.status == 2
    assert "export PATH=/usr/lib/postgresql/" in done.err
    assert not (database.machine.home / "another").exists()


def test_leaves_nothing_where_postgresql_fails(database: Site) -> None:
    database.machine.run(
        "mkdir bad && printf '#!/bin/sh\\necho FATAL: no shared memory >&2; "
        "exit 1' > bad/pg_ctl && chmod +x bad/pg_ctl"
    )
    done = database.machine.run("PATH=$PWD/bad:$PATH deephyper balsam-init another --loopback")
    assert done.status == 2
    assert "no shared memory" in done.err
    assert not (database.machine.home / "another").exists()


def test_slurm_settings_of_ones_own_are_left_alone(database: Site) -> None:
    done = database.machine.run(
        'mkdir -p other/.balsam && echo \'{"SCHEDULER_CLASS": "Own"}\' > '
        "other/.balsam/settings.json && "
        "HOME=$PWD/other deephyper balsam-init another --slurm"
    )
    assert done.status == 2
    assert "settings of your own" in done.err
    assert not (database.machine.home / "another").exists()
