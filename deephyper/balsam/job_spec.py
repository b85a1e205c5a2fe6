"""Run functions that specify the BalsamJob of an evaluation, for the Balsam evaluator.

For containers, for programs that aren't Python and for training over many ranks or nodes: the
function returns the fields of a BalsamJob, and its objective is read from what the job leaves in
its directory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, overload

OBJECTIVE_FILE = "objective"

MakesJob = Callable[[dict[str, Any]], Any]
ReadsObjective = Callable[[Path], Any]


def read_objective_file(directory: Path) -> str | float:
    """Return what a job wrote into its file ``objective``.

    Returns:
        A number, or ``F_reason`` for a failure.

    Raises:
        OSError: if there is no such file.
    """
    text = (directory / OBJECTIVE_FILE).read_text().strip()
    try:
        return float(text)
    except ValueError:
        return text


class BalsamJobSpec:
    """A run function that specifies the BalsamJob of an evaluation.

    Args:
        make: returns the fields of the BalsamJob of a point, or an unsaved BalsamJob.
        read: returns the objective from the job's directory.
    """

    def __init__(self, make: MakesJob, read: ReadsObjective = read_objective_file) -> None:
        self._make = make
        self._read = read
        functools.update_wrapper(self, make)

    def make(self, point: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of the BalsamJob of a point.

        Raises:
            Exception: whatever the user's function raises.
        """
        made = self._make(dict(point))
        return dict(made) if isinstance(made, dict) else dict(made.to_dict())

    def read(self, directory: Path) -> Any:
        """Return the objective of a job, as a run function would return it.

        Raises:
            Exception: whatever the user's function raises.
        """
        return self._read(directory)

    def __call__(self, point: dict[str, Any]) -> Any:
        """Call the user's function itself."""
        return self._make(point)


@overload
def balsamjob_spec(run: MakesJob) -> BalsamJobSpec: ...


@overload
def balsamjob_spec(
    *, reads_objective: ReadsObjective = read_objective_file
) -> Callable[[MakesJob], BalsamJobSpec]: ...


def balsamjob_spec(
    run: MakesJob | None = None, *, reads_objective: ReadsObjective = read_objective_file
) -> BalsamJobSpec | Callable[[MakesJob], BalsamJobSpec]:
    """Decorate a run function that returns the specification of a BalsamJob.

    The function is called in the search's own process with the point. It returns a dictionary of
    the fields of a BalsamJob (at least ``application``, the name of an app of the database), or an
    unsaved BalsamJob. The evaluator fills in name, workflow and directory, and leaves the point in
    ``point.json`` in the directory in which the job runs.

    Args:
        run: the function.
        reads_objective: returns the objective, as a run function would return it, from the job's
            directory once the job has finished. By default it reads the file ``objective`` there.

    Example::

        @balsamjob_spec
        def run(point):
            return {"application": "train", "num_nodes": 2, "ranks_per_node": 4}
    """

    def decorate(function: MakesJob) -> BalsamJobSpec:
        return BalsamJobSpec(function, reads_objective)

    return decorate if run is None else decorate(run)
