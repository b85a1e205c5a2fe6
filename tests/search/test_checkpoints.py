"""A training that keeps a checkpoint in its evaluation's directory continues where it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.search.real_search import RealSearch

RUN = """
import json, os, random, time
from pathlib import Path
from deephyper import evaluation

STEPS = 6


def run(point):
    file = evaluation.directory / "checkpoint.json"
    state = json.loads(file.read_text()) if file.exists() else {"step": 0, "sum": 0.0}
    draws = random.Random(evaluation.seed)
    numbers = [draws.random() for _ in range(STEPS)]
    while state["step"] < STEPS:
        state = {"step": state["step"] + 1, "sum": state["sum"] + numbers[state["step"]]}
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(state))
        draft.replace(file)
        evaluation.report(state["sum"], step=state["step"])
        with open("steps.txt", "a") as steps:
            steps.write(f"{evaluation.id} {state['step']}\\n")
        while state["step"] == 3 and os.environ["SESSION"] == "first":
            time.sleep(0.01)
    return {"objective": state["sum"], "seed": float(evaluation.seed)}
"""


def taken(real: RealSearch) -> list[tuple[str, int]]:
    """Return the steps that were made, each with its evaluation."""
    file = real.folder / "steps.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(id_, int(step)) for id_, step in (line.split() for line in lines)]


@pytest.mark.parametrize("evaluator", ["process", "subprocess", "thread"])
def test_a_killed_search_loses_no_step(real: RealSearch, evaluator: str) -> None:
    real.write(RUN)
    options = f"--max-evals 2 --num-workers 2 --seed 1 --evaluator {evaluator}"
    process = real.start(options, SESSION="first")
    # Until both are known to have come to their third step: a report on its way is lost.
    real.until(lambda: [e["step"] for e in real.events() if e["event"] == "reported"].count(3) == 2)
    real.until(lambda: sum(step == 3 for _, step in taken(real)) == 2)
    process.kill()
    real.none_left()
    ended = real.run(options, resume=True, SESSION="second")
    assert ended.status == 0, ended.err
    # Each step of each evaluation was made once, and told in its order.
    made = taken(real)
    assert sorted(made) == [(id_, step) for id_ in "01" for step in range(1, 7)]
    events = real.events()
    for id_ in "01":
        steps = [e["step"] for e in events if e["event"] == "reported" and e["id"] == id_]
        assert steps == [1, 2, 3, 4, 5, 6]
    finished = [event for event in events if event["event"] == "finished"]
    seeds = {event["metrics"]["seed"] for event in finished}
    assert len(seeds) == 2
    for event in finished:
        checkpoint = Path(real.log_dir, "evaluations", event["id"], "checkpoint.json")
        assert json.loads(checkpoint.read_text()) == {"step": 6, "sum": event["objective"]}


def test_a_retry_finds_what_its_first_attempt_has_left(real: RealSearch) -> None:
    real.write(
        """
import os, signal
from deephyper import evaluation

def run(point):
    file = evaluation.directory / "attempts"
    with file.open("a") as attempts:
        attempts.write(f"{evaluation.attempt}\\n")
    if evaluation.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return len(file.read_text().split())
"""
    )
    ended = real.run("--max-evals 1 --retries 1 --evaluator process")
    assert ended.status == 0, ended.err
    assert "Best objective: 2" in ended.out
