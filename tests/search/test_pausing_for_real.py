"""Trainings in real workers that are paused, killed with the search, and continue exactly."""

from __future__ import annotations

import gc
import json
import time
from pathlib import Path

import pytest

from deephyper import Evaluator, RandomSearch, evaluation
from deephyper.search.replay import read_journal
from tests.search.paused_trainings import Pausing, at_the_end
from tests.search.real_search import RealSearch
from tests.search.virtual_search import line_problem

RUN = """
import json, os, random, time
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
        with open("steps.txt", "a") as steps:
            steps.write(f"{evaluation.id} {state['step']}\\n")
        evaluation.report(state["sum"], step=state["step"])
        # Until it is to end, as it is at its third step, or until the search is killed.
        while evaluation.attempt == 1 and state["step"] == 3 and not evaluation.should_stop():
            time.sleep(0.005)
    return state["sum"]
"""
SEARCH = """
import os, sys

from deephyper import Evaluator, RandomSearch
from deephyper.stopper import Stopper
from problem import Problem


class Pausing(Stopper):
    pauses = True

    def __init__(self):
        self.paused, self.seen = [], set()

    def report(self, id, step, objective):
        if step != 3 or id in self.seen or (id == "2" and os.environ["SESSION"] == "first"):
            return False
        self.seen.add(id)
        return True

    def pause(self, id):
        self.paused.append(id)

    def take_up(self, proposal):
        return self.paused.pop(0) if self.paused and proposal is None else None


if __name__ == "__main__":
    method, log_dir = sys.argv[1:]
    with Evaluator.create("run.py", method, 1) as evaluator:
        resume = os.environ["SESSION"] == "second"
        search = RandomSearch(
            Problem, evaluator, log_dir=log_dir, seed=1, stopper=Pausing(), resume=resume
        )
        print(search.search(max_evals=3))
"""


@pytest.mark.parametrize("method", ["process", "subprocess", "thread"])
def test_what_is_paused_continues_exactly_after_a_kill(real: RealSearch, method: str) -> None:
    real.write(RUN)
    (real.folder / "search.py").write_text(SEARCH)
    words = ["search.py", method, str(real.log_dir)]
    process = real.start_program(words, SESSION="first")
    # The first two are paused, the third is in the middle.
    held = ("2", 3)
    real.until(lambda: held in [(e["id"], e["step"]) for e in real.events() if "step" in e])
    process.kill()
    real.none_left()
    assert [*read_journal(real.log_dir).paused] == ["0", "1"]
    ended = real.end(real.start_program(words, SESSION="second"))
    assert ended.status == 0, ended.err
    # Each step of each evaluation was made once, and told once and in its order.
    lines = (real.folder / "steps.txt").read_text().splitlines()
    assert sorted(lines) == [f"{id_} {step}" for id_ in "012" for step in range(1, 7)]
    events = real.events()
    for id_ in "012":
        steps = [e["step"] for e in events if e["event"] == "reported" and e["id"] == id_]
        assert steps == [1, 2, 3, 4, 5, 6]
    finished = [e for e in events if e["event"] == "finished"]
    assert sorted(e["id"] for e in finished) == ["0", "1", "2"]
    for event in finished:
        checkpoint = Path(real.log_dir, "evaluations", event["id"], "checkpoint.json")
        assert json.loads(checkpoint.read_text()) == {"step": 6, "sum": event["objective"]}
    record = read_journal(real.log_dir)
    assert (record.reports.steps, record.reports.begun_anew) == (18, 0)


def test_in_memory_a_paused_evaluation_finds_its_checkpoint() -> None:
    def run(point: dict[str, float]) -> float:
        file = evaluation.directory / "step"
        first = int(file.read_text()) if file.exists() else 0
        for step in range(first + 1, 7):
            file.write_text(f"{step}")
            evaluation.report(step / 6, step=step)
            while evaluation.attempt == 1 and step == 3 and not evaluation.should_stop():
                time.sleep(0.005)
        directories.append(evaluation.directory)
        steps.append(file.read_text())
        return 1.0

    directories: list[Path] = []
    steps: list[str] = []
    with Evaluator.create(run, "thread", 1) as evaluator:
        search = RandomSearch(
            line_problem(), evaluator, log_dir=None, stopper=Pausing(take_up=at_the_end)
        )
        result = search.search(max_evals=2)
        assert [o.status for o in result.outcomes] == ["finished", "finished"]
        assert [o.job.attempt for o in result.outcomes] == [2, 2]
        assert steps == ["6", "6"]
        assert not any(directory.exists() for directory in directories)
        folder = directories[0].parent
        assert folder.exists()
        del search
    gc.collect()
    assert not folder.exists()
