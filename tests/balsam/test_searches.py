"""Searches through Balsam and Slurm in which something goes wrong, or is out of the ordinary."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.balsam.conftest import Site

pytestmark = [pytest.mark.balsam, pytest.mark.timeout(1200)]


def read(directory: Path) -> list[dict[str, str]]:
    with (directory / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def events(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "journal.jsonl").read_text().splitlines()]


def check_budget(directory: Path, number: int) -> None:
    """Each evaluation has exactly one outcome, in the journal and in the results."""
    ends = Counter(e["id"] for e in events(directory) if e["event"] in ("finished", "failed"))
    assert ends == {str(n): 1 for n in range(number)}
    assert sorted(row["id"] for row in read(directory)) == sorted(ends)


def test_failing_and_hanging_functions(site: Site) -> None:
    directory = site.submit_run(
        "misbehaving",
        "fails_or_hangs",
        "-n 1 -j serial --num-evals-per-node 4 --max-evals 16 --eval-timeout 4 --seed 3",
    )
    site.wait_for_end(directory)
    check_budget(directory, 16)
    kinds = {0: "ValueError: divisible by four", 1: "SIGSEGV", 2: "limit of 4 s", 3: ""}
    rows = read(directory)
    assert len({int(row["n"]) % 4 for row in rows}) == 4
    for row in rows:
        rest = int(row["n"]) % 4
        assert row["status"] == ("finished" if rest == 3 else "failed")
        assert kinds[rest] in row["failure"]
        assert (row["objective"] != "") == (rest == 3)
    outputs = list((directory / "output").iterdir())
    assert len(outputs) == 16
    assert all(o.read_text().startswith("about to misbehave\n") for o in outputs)

    failed = sum(row["status"] == "failed" for row in rows)
    show = "deephyper-analytics balsam misbehaving -o states.png"
    # Balsam itself is some seconds behind the results.
    site.wait_until(lambda: f"failed: {failed}\n" in site.run(show).out, 40, "all failures")
    shown = site.run(show)
    assert shown.status == 0, shown.err
    assert "evaluations   16" in shown.out
    assert "exception: ValueError: divisible by four" in shown.out
    picture = (site.machine.home / "states.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_serial_evaluations_share_workers_that_end_with_the_launcher(site: Site) -> None:
    directory = site.submit_run(
        "sharing", "own_process", "-n 1 -j serial --num-evals-per-node 2 --max-evals 8"
    )
    site.wait_for_end(directory)
    check_budget(directory, 8)
    rows = read(directory)
    workers = {float(row["objective"]) for row in rows}
    # One that is not free again yet, as on a busy machine, is not waited for.
    assert len(workers) < len(rows)
    assert all(psutil.pid_exists(int(worker)) for worker in workers)
    cancel(site, "sharing")
    site.wait_until(lambda: not any(psutil.pid_exists(int(w)) for w in workers), 60, "their end")


def test_trainings_are_paused_and_continue_where_they_were(site: Site) -> None:
    directory = site.submit_run(
        "trainings",
        "trains",
        "-n 1 -j serial --num-evals-per-node 4 --max-evals 20 --seed 1 "
        "--stopper curve --min-chance 0.1",
    )
    site.wait_for_end(directory)
    happened = events(directory)
    paused = [event["id"] for event in happened if event["event"] == "paused"]
    pruned = {row["id"] for row in read(directory) if row["status"] == "pruned"}
    assert len(read(directory)) == 20
    assert pruned <= set(paused) != set()
    for id_ in map(str, range(20)):
        steps = [e["step"] for e in happened if e["event"] == "reported" and e["id"] == id_]
        assert steps == list(range(1, len(steps) + 1))  # none was made twice
        assert (len(steps) < 12) <= (id_ in pruned)
        if id_ not in pruned:
            assert (directory / "evaluations" / id_ / "step").read_text() == "12"


def test_points_pass_through_no_shell(site: Site) -> None:
    directory = site.submit_run(
        "quoting", "length_of_text", "-n 1 -j serial --num-evals-per-node 3 --max-evals 24"
    )
    site.wait_for_end(directory)
    rows = read(directory)
    assert {float(row["objective"]) for row in rows} == {float(len(row["text"])) for row in rows}
    assert len({row["text"] for row in rows}) == 2


def test_a_search_whose_launcher_was_killed_resumes(site: Site) -> None:
    directory = site.submit_run("killed", "six_seconds", "-n 3 -j mpi --max-evals 8")
    site.wait_until(
        lambda: (directory / "results.csv").exists() and len(read(directory)) >= 2, 90, "results"
    )
    site.machine.run("pkill -KILL -f 'launcher --wf-filter=killed'")
    site.wait_until(lambda: not site.machine.run("squeue -h").out.strip(), 60, "the job to end")
    before = read(directory)
    assert 2 <= len(before) < 8
    assert site.submit("killed --resume") == directory
    site.wait_for_end(directory)
    check_budget(directory, 8)
    assert read(directory)[: len(before)] == before
    assert len([e for e in events(directory) if e["event"] == "resumed"]) == 1


def test_a_search_ends_in_time_and_resumes(site: Site) -> None:
    directory = site.submit(
        "walltime random -p problem.py -r runs.py::six_seconds -t 3 -q debug-cache-quad -n 3 "
        "-j mpi --max-evals 12 --seed 1"
    )
    site.wait_for_end(directory)
    resume = "Resume with: deephyper balsam-submit hps walltime --resume"
    output = directory / "walltime.out"
    site.wait_until(lambda: resume in output.read_text(), 10, "what to do next")
    last = events(directory)[-1]
    assert (last["event"], last["reason"]) == ("ended", "interrupted")
    assert 2 <= len(read(directory)) < 12
    site.wait_until(lambda: not site.machine.run("squeue -h").out.strip(), 90, "the job to end")
    states = site.query("print({j.state for j in BalsamJob.objects.filter(workflow='walltime')})")
    assert "RUNNING" not in states
    site.submit("walltime --resume -t 20")
    site.wait_for_end(directory, session=2)
    check_budget(directory, 12)


def test_serial_nodes_that_call_themselves_something_else(site: Site) -> None:
    """All nodes of this machine have its hostname, which is the Slurm name of the first."""
    first = site.machine.hostname
    site.run(f"sbatch -w {first} --exclusive --wrap 'sleep 300'")
    options = "-n 2 -j serial --num-evals-per-node 2 --max-evals 6"
    directory = site.submit_run("elsewhere", "quick", options)
    site.wait_for_end(directory)
    check_budget(directory, 6)


def cancel(site: Site, workflow: str) -> None:
    site.machine.run(f"scancel --name {workflow}")
    site.wait_until(lambda: not site.machine.run("squeue -h").out.strip(), 60, "the job to end")


@pytest.mark.parametrize(
    ("workflow", "words", "at_once"),
    [
        ("cut-mpi", "-n 4 -j mpi --retries 1", 3),
        ("cut-serial", "-n 1 -j serial --num-evals-per-node 3 --max-failures 1", 3),
        ("cut-over", "-n 3 -j mpi --num-nodes-per-eval 2", 1),
    ],
)
def test_a_canceled_search_resumes_what_ran(
    site: Site, workflow: str, words: str, at_once: int
) -> None:
    directory = site.submit_run(
        workflow, "a_minute_at_first", f"{words} --max-evals {at_once + 4} --seed 2"
    )
    output = directory / f"{workflow}.out"
    started = directory / "journal.jsonl"

    def running() -> set[object]:
        told = events(directory) if started.exists() else []
        ended = {e["id"] for e in told if e["event"] == "finished"}
        return {e["id"] for e in told if e["event"] == "started"} - ended

    site.wait_until(lambda: len(running()) == at_once, 90, "evaluations to run")
    cut = running()
    cancel(site, workflow)
    told = events(directory)
    assert (told[-1]["event"], told[-1]["reason"]) == ("ended", "interrupted")
    assert {e["id"] for e in told if e["event"] == "stopped"} == cut
    assert not [e for e in told if e["event"] == "failed"]
    said = output.read_text()
    assert f"Resume with: deephyper balsam-submit hps {workflow} --resume" in said
    (site.machine.home / "runs" / "hurry").touch()
    site.submit(f"{workflow} --resume")
    site.wait_for_end(directory, session=2)
    check_budget(directory, at_once + 4)
    assert {row["status"] for row in read(directory)} == {"finished"}
    assert cut <= {e["id"] for e in events(directory)[len(told) :] if e["event"] == "submitted"}
    (site.machine.home / "runs" / "hurry").unlink()


def test_evaluations_over_several_nodes(site: Site) -> None:
    options = "-n 3 -j mpi --num-nodes-per-eval 2 --max-evals 2"
    directory = site.submit_run("ranks", "over_ranks", options)
    site.wait_for_end(directory)
    for row in read(directory):
        assert row["status"] == "finished", row["failure"]
        assert float(row["objective"]) == pytest.approx(20 + float(row["x"]))


def test_functions_that_specify_their_own_jobs(site: Site) -> None:
    program = site.machine.home / "runs" / "twice.py"
    program.write_text(
        "import json, os\n"
        "if os.environ['SLURM_PROCID'] == '1':\n"
        "    x = json.load(open('point.json'))['x']\n"
        "    open('objective', 'w').write(str(2 * x))\n"
    )
    failing = site.machine.home / "runs" / "exits.py"
    failing.write_text("print('no licence'); raise SystemExit(7)\n")
    site.query(
        "from balsam.launcher import dag; "
        f"dag.add_app('twice', 'python {program}'); dag.add_app('exits-7', 'python {failing}')"
    )
    directory = site.submit_run("own_jobs", "as_a_job", "-n 3 -j mpi --max-evals 2")
    site.wait_for_end(directory)
    for row in read(directory):
        assert row["status"] == "finished", row["failure"]
        assert float(row["objective"]) == pytest.approx(2 * float(row["x"]))
    site.cancel_all()
    for workflow, run, reason in (
        ("failing_jobs", "as_a_failing_job", "without a result"),
        ("nosuch_app", "as_an_unknown_job", "no application 'nosuch'"),
    ):
        directory = site.submit_run(workflow, run, "-n 2 -j mpi --max-evals 1")
        said = site.wait_for_end(directory)
        (row,) = read(directory)
        assert row["status"] == "failed"
        assert reason in row["failure"]
        assert "No evaluation has succeeded" in said
