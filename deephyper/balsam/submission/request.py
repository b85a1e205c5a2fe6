"""The request to the scheduler, and checks that it can be granted."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from deephyper.balsam.layout import Layout
from deephyper.errors import HpcError
from deephyper.hpc.spec import SearchSpec

# The launcher keeps two minutes of a job for itself, three in mode serial.
_SHORTEST_MINUTES = {"mpi": 3, "serial": 4}
_LONGEST_MINUTES = 366 * 24 * 60
_LARGEST_COUNT = 1_000_000
"""Of anything; more is a typing error, and doesn't fit into the database."""


@dataclass(frozen=True)
class Launch:
    """A request to the batch scheduler.

    Attributes:
        minutes: wall time.
        queue, project: as the scheduler knows them.
        nodes: how many.
        job_mode: "mpi" or "serial".
    """

    minutes: int
    queue: str
    nodes: int
    project: str
    job_mode: str

    def to_json(self) -> dict[str, Any]:
        """Return the request as plain values for a JSON file."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> Launch:
        """Return the request that :meth:`to_json` gave.

        Raises:
            ValueError: if it isn't one.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"not a request to a scheduler: {error}") from error


def check_request(spec: SearchSpec, launch: Launch) -> int:
    """Check that a search can run as requested; return how many evaluations will run at once.

    Raises:
        EvaluatorError: if the options don't suit the job mode, or the nodes are too few.
        HpcError: if something is asked for that no scheduler has.
    """
    _check_launch(launch)
    _count(spec, "--num-threads-per-rank")
    layout = Layout(
        launch.job_mode,
        launch.nodes,
        _count(spec, "--num-nodes-per-eval"),
        _count(spec, "--num-ranks-per-node"),
        _count(spec, "--num-evals-per-node"),
    )
    requested = spec.options.get("--num-workers")
    return layout.num_workers(None if requested is None else int(requested))


def _check_launch(launch: Launch) -> None:
    shortest = _SHORTEST_MINUTES[launch.job_mode]
    if launch.minutes < shortest:
        raise HpcError(
            f"a job of {launch.minutes} min leaves no time for a search, because the launcher "
            f"keeps {shortest - 1} min for itself in the job mode {launch.job_mode}; give at least "
            f"-t {shortest}"
        )
    if launch.minutes > _LONGEST_MINUTES:
        raise HpcError(
            f"-t {launch.minutes} is more than a year; give minutes, at most {_LONGEST_MINUTES}"
        )
    if launch.nodes > _LARGEST_COUNT:
        raise HpcError(f"-n {launch.nodes} is more nodes than any machine has; ask for fewer")
    for option, name in (("-q", launch.queue), ("-A", launch.project)):
        if re.search(r"\s", name):
            raise HpcError(f"{option} {name!r} contains whitespace; check the name")


def _count(spec: SearchSpec, option: str) -> int:
    count = int(spec.options.get(option, 1))
    if count > _LARGEST_COUNT:
        raise HpcError(f"{option} {count} is more than any machine has; give fewer")
    return count
