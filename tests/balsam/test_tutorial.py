"""The tutorial's commands for an HPC system, as it has them, through Slurm."""

from __future__ import annotations

import csv
import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.balsam.conftest import Site
from tests.balsam.machine import QUEUE, USER

pytestmark = [pytest.mark.balsam, pytest.mark.timeout(1200)]
PROBLEM = "-p dh_project.polynome2.problem.Problem -r dh_project.polynome2.model_run.run"


@pytest.fixture(scope="module")
def tutorial(database: Site) -> Iterator[Site]:
    """The tutorial's first steps; the database as Balsam itself makes it."""
    machine = database.machine
    # Balsam lets the whole network in, so its first start gets a network with nobody in it.
    alone = ["unshare", "--net", "bash", "-c", 'ip link set lo up; exec "$@"', "bash"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"]).returncode != 0:
        pytest.skip("this machine makes no network namespaces to confine 'balsam init' to")
    user = ["runuser", "-u", USER, "--", "env", "-i", *machine.variables()]
    command = [*alone, *user, "bash", "-c", "balsam init tutorialdb > init.out 2>&1"]
    init = subprocess.run(command, cwd=machine.home, stdin=subprocess.DEVNULL, timeout=120)
    assert init.returncode == 0, (machine.home / "init.out").read_text()
    cluster = machine.home / "tutorialdb" / "balsamdb"
    assert "0.0.0.0/0 trust" in (cluster / "pg_hba.conf").read_text()
    confine = "sed -i \"s/^listen_addresses.*/listen_addresses='127.0.0.1,127.0.1.1'/\""
    assert machine.run(f"{confine} tutorialdb/balsamdb/postgresql.conf").status == 0
    site = Site(machine, "tutorialdb")
    site.activate()
    # The environment may be that of an earlier run.
    site.run("pip uninstall -q -y dh_project")
    done = site.run(
        "deephyper start-project dh_project && cd dh_project/dh_project/ && "
        "deephyper new-problem hps polynome2"
    )
    assert done.status == 0, done.err
    yield site
    site.cancel_all()


def read(results: Path) -> list[dict[str, str]]:
    with results.open(newline="") as file:
        return list(csv.DictReader(file))


def topk(site: Site, directory: Path) -> dict[str, object]:
    done = site.run(f"deephyper-analytics topk {directory}/results.csv")
    assert done.status == 0, done.err
    best: dict[str, object] = yaml.safe_load(done.out)["0"]
    return best


def test_mode_mpi_ends_with_results_where_the_banner_says(tutorial: Site) -> None:
    tutorial.cancel_all()
    done = tutorial.run(
        f"deephyper balsam-submit hps polynome2_demo {PROBLEM} -t 30 -q {QUEUE} -n 4 "
        "-A datascience -j mpi --max-evals 6 --seed 1",
        directory="dh_project/dh_project",
    )
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[:6] == [
        "Validating Problem...OK",
        "Validating run...OK",
        "Bootstrapping apps...OK",
        "Creating HPS(AMBS) BalsamJob...OK",
        "Performing job submission...",
        f"Submit OK: Qlaunch {{   'command': '{tutorial.machine.home}/tutorialdb/qsubmit/"
        "qlaunch1.sh',",
    ]
    assert lines[-1] == lines[-3] == "*" * len(lines[-2])
    directory = Path(lines[-2].removeprefix("Success. The search will run at: "))
    assert re.fullmatch(r".*/data/polynome2_demo/polynome2_demo_[0-9a-f]{8}", str(directory))

    tutorial.wait_for_end(directory, 300)
    rows = read(directory / "results.csv")
    assert len(rows) == 6
    assert {row["status"] for row in rows} == {"finished"}
    # Four nodes, of which the search has one.
    spans = [(float(row["start"]), float(row["end"])) for row in rows]
    at_once = max(sum(s <= start < e for s, e in spans) for start, _ in spans)
    assert at_once == 3
    best = topk(tutorial, directory)
    assert best["objective"] == max(float(row["objective"]) for row in rows)
    assert {"activation", "lr", "units", "elapsed_sec", "id"} <= set(best)


def test_mode_serial_runs_several_evaluations_on_a_node(tutorial: Site) -> None:
    tutorial.cancel_all()
    directory = tutorial.submit(
        f"one_node {PROBLEM} -t 30 -q {QUEUE} -n 1 -A datascience -j serial "
        "--num-evals-per-node 2 --max-evals 4 --seed 1",
        "dh_project/dh_project",
    )
    tutorial.wait_for_end(directory, 300)
    rows = read(directory / "results.csv")
    assert len(rows) == 4
    assert {row["status"] for row in rows} == {"finished"}
    spans = sorted((float(row["start"]), float(row["end"])) for row in rows)
    overlaps = [later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)]
    assert any(overlaps), "no two evaluations ran at a time"
    assert "objective" in topk(tutorial, directory)


def test_networks_are_searched_as_hyperparameters_are(tutorial: Site) -> None:
    tutorial.cancel_all()
    done = tutorial.run(
        "deephyper new-problem nas polynome2_nas && deephyper balsam-submit nas networks "
        f"-p dh_project.polynome2_nas.problem.Problem -t 30 -q {QUEUE} -n 1 -A datascience "
        "-j serial --max-evals 2 --seed 1",
        directory="dh_project/dh_project",
    )
    assert done.status == 0, done.err
    assert "Creating NAS(AMBS) BalsamJob...OK\n" in done.out
    directory = Path(done.out.splitlines()[-2].partition("will run at: ")[2])
    tutorial.wait_for_end(directory, 400)
    rows = read(directory / "results.csv")
    assert len(rows) == 2
    assert all(float(row["num_parameters"]) > 0 for row in rows)
    assert len(list(directory.rglob("best_model.keras"))) == 2
