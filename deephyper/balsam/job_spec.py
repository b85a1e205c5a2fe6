"""A run function that says itself what Balsam is to run, for the Balsam evaluator.

For containers, for programs that aren't Python and for training over many ranks or nodes: the
function returns the fields of a BalsamJob, and its objective is read from what the job leaves in
its folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

OBJECTIVE_FILE = "objective"

MakesJob = Callable[[dict[str, Any]], Any]
ReadsObjective = Callable[[Path], Any]


def read_objective_file(folder: Path) -> str | float:
    """What the job wrote into the file ``objective``: a number, or ``F_reason`` for a failure."""
    text = (folder / OBJECTIVE_FILE).read_text().strip()
    try:
        return float(text)
    except ValueError:
        return text


def balsamjob_spec(
    run: MakesJob | None = None, *, reads_objective: ReadsObjective = read_objective_file
) -> Any:
    """Decorate a run function that returns the specification of a BalsamJob.

    The function is called in the search's own process with the point. It returns a dict of the
    fields of a BalsamJob (at least ``application``, the name of an app of the database), or an
    unsaved BalsamJob. Name, workflow and folder are filled in by the evaluator, which also leaves
    the point in ``point.json`` in the folder where the job runs.

    Args:
        reads_objective: gives the objective, as a run function would return it, from the job's
            folder once the job has finished. By default it reads the file ``objective`` there.

    Example::

        @balsamjob_spec
        def run(point):
            return {"application": "train", "num_nodes": 2, "ranks_per_node": 4}
    """

    def decorate(function: MakesJob) -> MakesJob:
        function.reads_objective = reads_objective  # type: ignore[attr-defined]
        return function

    return decorate if run is None else decorate(run)
