"""Evaluates points through Balsam from a process of its own, and counts its queries.

``python drive.py N WORKERS``: N evaluations on one node of a serial launcher that runs already.
``python drive.py --job`` makes the search's job that the evaluator and its tests need.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import Any

from deephyper.balsam.database import connect
from deephyper.evaluator import Evaluator


def make_job() -> str:
    """Make a BalsamJob that no launcher will run; return its key."""
    models = connect()
    job = models.BalsamJob(name="driver", workflow="driver", state="JOB_FINISHED")
    job.save()
    os.makedirs(job.working_directory)
    return str(job.pk)


def drive(number: int, workers: int) -> dict[str, Any]:
    os.environ.update(BALSAM_JOB_ID=make_job(), BALSAM_LAUNCHER_NODES="1", BALSAM_JOB_MODE="serial")
    from django.db import connection

    counts: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        counts.append(sql)
        return execute(sql, *rest)

    seen = []
    with contextlib.ExitStack() as stack:
        evaluator = stack.enter_context(
            Evaluator.create("runs.py::quick", "balsam", num_evals_per_node=workers)
        )
        evaluator.check()  # what is asked only once is not counted
        stack.enter_context(connection.execute_wrapper(count))
        begin = time.monotonic()
        given = ended = 0
        while ended < number:
            free = min(evaluator.num_free, number - given)
            evaluator.submit([{"x": 0.5 + n} for n in range(given, given + free)])
            given += free
            outcomes = evaluator.gather_outcomes(at_least=1, timeout=0.25)
            assert all(o.objective == o.job.point["x"] for o in outcomes)
            ended += len(outcomes)
            if outcomes:
                seen.append((ended, len(counts), round(time.monotonic() - begin, 2)))
        seconds = time.monotonic() - begin
    kinds: dict[str, int] = {}
    for sql in counts:
        kinds[sql.split()[0]] = kinds.get(sql.split()[0], 0) + 1
    half = next(entry for entry in seen if entry[0] >= number / 2)
    return {
        "evaluations": number,
        "seconds": round(seconds, 1),
        "queries": len(counts),
        "kinds": kinds,
        "at_half": half,
    }


if __name__ == "__main__":
    if sys.argv[1] == "--job":
        print(make_job())
    else:
        print(json.dumps(drive(int(sys.argv[1]), int(sys.argv[2]))))
