"""The command ``deephyper balsam-submit``: its output, and errors that leave nothing behind."""

from __future__ import annotations

import time

import pytest

from tests.balsam.conftest import Site
from tests.balsam.machine import QUEUE

pytestmark = [pytest.mark.balsam, pytest.mark.timeout(1200)]
GOOD = f"-p problem.py -r runs.py::quick -t 20 -q {QUEUE} -n 2 -j mpi"


def everything(site: Site) -> list[str]:
    """All rows of the database, and all files beside them."""
    tables = ("core_balsamjob", "core_queuedlaunch", "core_applicationdefinition")
    rows = [site.psql(f"select * from {table}").stdout for table in tables]
    files = [str(p) for name in ("data", "qsubmit") for p in (site.path / name).rglob("*")]
    return rows + sorted(files)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"refused {GOOD.replace(QUEUE, 'nosuch')}", "invalid partition specified: nosuch"),
        (f"refused {GOOD.replace('::quick', '::quik')}", "did you mean 'quick'"),
        (f"refused {GOOD.replace('-p problem.py', '-p nosuch.Problem')}", "no module 'nosuch'"),
        (f"refused {GOOD.replace('-n 2', '-n 1')}", "ask for at least 2 nodes"),
        (f"refused {GOOD} --num-nodes-per-eval 2", "ask for at least 3 nodes"),
        (f"refused {GOOD} --num-evals-per-node 2", "job mode serial"),
        (f"refused {GOOD} --num-workers 2", "have room for 1;"),
        (f"refused {GOOD} --warm-start nosuch.csv", "nosuch.csv"),
        (f"refused {GOOD} --cache-key nosuch.key", "cache key 'nosuch.key'"),
        (f"refused {GOOD} --num-gpus-per-task 1", "No such option"),
        (f"refused {GOOD} --ray-address auto", "No such option"),
        (f"refused {GOOD} --eval-timeout 9 --eval-timeout-minutes 1", "are the same limit"),
        (f"refused {GOOD.replace('-t 20', '-t 2')}", "give at least -t 3"),
        (f"refused {GOOD.replace('-t 20', '-t 99999999999')}", "more than a year"),
        (f"refused {GOOD.replace('-n 2', '-n 99999999999')}", "ask for fewer"),
        (f"refused {GOOD} -A 'two words'", "-A 'two words' contains whitespace"),
        (f"refused {GOOD} -q $'a\nb'", "contains whitespace"),
        (f"refused {GOOD} --max-evals 0", "not in the range"),
        (f"refused random {GOOD} --kappa 2", "No such option '--kappa'"),
        (f"refused {GOOD.replace('-t 20', '')}", "give -t MINUTES too"),
        (f"'re fused' {GOOD}", "can't be the name of a workflow"),
        ("refused --resume", "no search 'refused'"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(site: Site, words: str, reason: str) -> None:
    before = everything(site)
    done = site.run(f"deephyper balsam-submit hps {words}", directory="runs")
    assert done.status == 2
    assert reason in done.err
    assert done.err.count("\n") == 1
    assert everything(site) == before


def test_a_dry_run_shows_the_script_and_changes_nothing(site: Site) -> None:
    before = everything(site)
    done = site.run(
        f"deephyper balsam-submit hps dry {GOOD} --max-evals 7 --dry-run", directory="runs"
    )
    assert done.status == 0, done.err
    assert "--max-evals 7" in done.out
    assert "concurrent evaluations: 1" in done.out
    assert f"#SBATCH --partition={QUEUE}" in done.out
    assert "--wf-filter=dry --job-mode=mpi" in done.out
    assert everything(site) == before


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ("-u BALSAM_DB_PATH", "no Balsam database is active"),
        ("BALSAM_DB_PATH=/tmp", "is not a Balsam database"),
    ],
)
def test_a_database_has_to_be_active(site: Site, variables: str, reason: str) -> None:
    done = site.run(f"env {variables} deephyper balsam-submit hps dry {GOOD}", directory="runs")
    assert done.status == 2
    assert reason in done.err
    assert done.err.count("\n") == 1


def test_a_stopped_database_is_one_line(site: Site) -> None:
    site.run("pg_ctl -D ~/polydb/balsamdb -m fast -w stop > /dev/null")
    done = site.run(f"deephyper balsam-submit hps dry {GOOD}", directory="runs")
    site.activate()
    assert done.status == 2
    assert "start it with: source balsamactivate" in done.err
    assert done.err.count("\n") == 1


def test_a_workflow_is_refused_while_it_exists_or_runs(site: Site) -> None:
    site.submit(f"taken {GOOD} --max-evals 1")
    again = site.run(f"deephyper balsam-submit hps taken {GOOD}", directory="runs")
    assert again.status == 2
    assert "already exists; choose" in again.err
    part = site.run(f"deephyper balsam-submit hps taken2 {GOOD}", directory="runs")
    assert part.status == 2
    assert "unfinished workflow 'taken'" in part.err
    resumed = site.run("deephyper balsam-submit hps taken --resume", directory="runs")
    assert resumed.status == 2
    assert "still queued or running" in resumed.err


def test_the_evaluator_needs_a_launcher(site: Site) -> None:
    done = site.run(
        "deephyper hps random -p problem.py -r runs.py::quick --evaluator balsam --log-dir new",
        directory="runs",
    )
    assert done.status == 2
    assert "deephyper balsam-submit" in done.err
    assert done.err.count("\n") == 1


def test_what_is_finished_or_has_failed_says_so(site: Site) -> None:
    directory = site.submit(f"complete random {GOOD} --max-evals 1")
    site.wait_for_end(directory)
    site.cancel_all()
    done = site.run("deephyper balsam-submit hps complete --resume", directory="runs")
    assert done.status == 2
    assert "the search 'complete' has reached its --max-evals, 1" in done.err
    said = (directory / "complete.out").read_text()
    site.submit("complete --resume --max-evals 2")
    assert (directory / "complete.1.out").read_text() == said
    site.wait_for_end(directory, session=2)

    runs = site.machine.home / "runs"
    (runs / "leaves.py").write_text("def run(point):\n    return 1.0\n")
    directory = site.submit(f"failing {GOOD.replace('runs.py::quick', 'leaves.py')}")
    (runs / "leaves.py").unlink()
    shown = "no evaluations yet"
    until = time.monotonic() + 60
    while "no evaluations yet" in shown and time.monotonic() < until:
        shown = site.run("deephyper-analytics balsam failing").err
        time.sleep(1)
    assert "failed before its first evaluation" in shown
    assert str(directory / "failing.out") in shown
    assert shown.count("\n") == 1


def test_a_submission_outlives_a_server_that_is_killed(site: Site) -> None:
    # So long, what is not asked for at once is surely lost.
    site.psql("alter system set wal_writer_delay = '10s'")
    site.psql("select pg_reload_conf()")
    site.run(
        f"deephyper balsam-submit hps lasting {GOOD} && pkill -KILL -u $USER postgres",
        directory="runs",
    )
    site.run("rm -f ~/polydb/balsamdb/postmaster.pid")
    site.activate()
    site.psql("alter system reset wal_writer_delay")
    site.psql("select pg_reload_conf()")
    again = site.run(f"deephyper balsam-submit hps lasting {GOOD}", directory="runs")
    assert again.status == 2
    assert "already exists" in again.err
