"""Searches of programs with a space in a file through Balsam and Slurm."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import psutil
import pytest

from tests.balsam.conftest import Site
from tests.balsam.machine import QUEUE

pytestmark = [pytest.mark.balsam, pytest.mark.timeout(1200)]

# Its first points have both texts, and every way to misbehave.
SPACE = """\
hyperparameters:
  x: (0.0, 1.0)
  text: {values: [plain, "a 'quoted' \\"$HOME\\" `word`; rm -rf x"]}
starting_points:
  - {x: 0.25, text: plain}
  - {x: 0.3, text: plain}
  - {x: 0.5, text: "a 'quoted' \\"$HOME\\" `word`; rm -rf x"}
"""
# Shows its arguments byte by byte.
PROGRAM = """\
#!/bin/sh
printf '%s' "$2" > "$DEEPHYPER_DIR/text"
printf '%s' "$DEEPHYPER_POINT" > "$DEEPHYPER_DIR/point"
echo "DH-OUTPUT: $1"
echo "and 99 lines"
"""
# The longer it lasts the better; keeps what it has done in its directory.
TRAINING = """\
#!/bin/sh
step=$(cat "$1/step" 2>/dev/null || echo 0)
while [ "$step" -lt 12 ]; do
    step=$((step + 1))
    echo "$step" > "$1/step"
    sleep 0.3
    echo "DH-REPORT: $step $(awk "BEGIN { print $2 * (1 - 0.7 ^ $step) }")"
done
awk "BEGIN { print $2 * (1 - 0.7 ^ 12) }"
"""
MISBEHAVING = """\
#!/bin/sh
echo "about to misbehave" >&2
case $(($(echo "$1" | cut -c3-5 | sed 's/^0*//;s/^$/0/') % 3)) in
0) exit 4 ;;
1) sleep 10000 & echo $! > "$DEEPHYPER_DIR/child"; wait ;;
*) echo "$1" ;;
esac
"""


@pytest.fixture(scope="module")
def programs(database: Site) -> Path:
    directory = database.machine.home / "programs"
    database.machine.run("mkdir programs")
    (directory / "space.yaml").write_text(SPACE)
    for name, text in (("show", PROGRAM), ("train", TRAINING), ("misbehave", MISBEHAVING)):
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    return directory


def submit(site: Site, workflow: str, words: str, program: str) -> Path:
    first = f"{workflow} random --space space.yaml -t 20 -q {QUEUE} --seed 1"
    return site.submit(f"{first} {words} -- {program}", directory="programs")


def read(directory: Path) -> list[dict[str, str]]:
    with (directory / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("workflow", "words"),
    [("shown-serial", "-n 1 -j serial --num-evals-per-node 2"), ("shown-mpi", "-n 3 -j mpi")],
)
def test_values_arrive_as_they_are(site: Site, programs: Path, workflow: str, words: str) -> None:
    directory = submit(site, workflow, f"{words} --max-evals 6", "./show {x} {text}")
    site.wait_for_end(directory)
    rows = read(directory)
    assert [row["status"] for row in rows] == ["finished"] * 6
    assert len({row["text"] for row in rows}) == 2
    for row in rows:
        own = directory / "evaluations" / row["id"]
        assert float(row["objective"]) == float(row["x"])
        assert (own / "text").read_text() == row["text"]
        assert json.loads((own / "point").read_text()) == {
            "x": float(row["x"]),
            "text": row["text"],
        }


def test_a_training_is_paused_and_continues_where_it_was(site: Site, programs: Path) -> None:
    directory = submit(
        site,
        "trained",
        "-n 1 -j serial --num-evals-per-node 4 --max-evals 12 --stopper curve --min-chance 0.1",
        "./train {dir} {x}",
    )
    site.wait_for_end(directory)
    lines = (directory / "journal.jsonl").read_text().splitlines()
    happened = [json.loads(line) for line in lines]
    assert [event for event in happened if event["event"] == "paused"]
    rows = read(directory)
    assert len(rows) == 12
    for row in rows:
        of_it = [e for e in happened if e["event"] == "reported" and e["id"] == row["id"]]
        steps = [event["step"] for event in of_it]
        assert steps == list(range(1, len(steps) + 1))
        assert row["status"] == ("finished" if len(steps) == 12 else "pruned")


def test_one_that_fails_or_hangs_is_a_failure_and_leaves_nothing(
    site: Site, programs: Path
) -> None:
    directory = submit(
        site,
        "misbehaved",
        "-n 1 -j serial --num-evals-per-node 4 --max-evals 12 --eval-timeout 4",
        "./misbehave {x:.3f}",
    )
    site.wait_for_end(directory)
    rows = read(directory)
    kinds = {0: "status 4", 1: "limit of 4 s", 2: ""}
    seen = set()
    for row in rows:
        kind = int(f"{float(row['x']):.3f}"[2:]) % 3
        seen.add(kind)
        assert row["status"] == ("finished" if kind == 2 else "failed")
        assert kinds[kind] in row["failure"]
        if kind == 0:
            assert "about to misbehave" in row["failure"]
    assert seen == {0, 1, 2}
    children = [int(each.read_text()) for each in directory.glob("evaluations/*/child")]
    site.wait_until(lambda: not any(map(psutil.pid_exists, children)), 30, "their end")


def test_one_that_is_not_there_is_refused_before_anything_is_submitted(
    site: Site, programs: Path
) -> None:
    words = f"absent random --space space.yaml -t 20 -q {QUEUE} -n 1 -j serial --max-evals 2"
    done = site.run(f"deephyper balsam-submit hps {words} -- ./absent {{x}}", directory="programs")
    assert done.status == 2
    (line,) = [each for each in done.err.splitlines() if "error" in each]
    assert "./absent" in line
    assert "absent" not in site.machine.run("squeue -h -o %j").out
