"""What is asked for when a search is submitted, and whether it can be had."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deephyper.balsam.nodes import no_room, num_places, refuse_misfit
from deephyper.errors import EvaluatorError, HpcError

# Of a job's time the launcher keeps two minutes for itself, three in mode serial.
_SHORTEST_MINUTES = {"mpi": 3, "serial": 4}
_LONGEST_MINUTES = 366 * 24 * 60
_MOST = 1_000_000  # of anything that is counted; more is a slip, and no number for the database


@dataclass(frozen=True)
class SearchSpec:
    """What a search's ``search.json`` holds.

    Attributes:
        workflow: its unique name.
        search: subcommand of ``deephyper hps``.
        problem, run: where they are.
        options: further options of that subcommand, each with its value.
        folder: where it was submitted from.
    """

    workflow: str
    search: str
    problem: str
    run: str
    options: dict[str, str]
    folder: str


@dataclass(frozen=True)
class Launch:
    """What is asked of the scheduler.

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


def places(spec: SearchSpec, launch: Launch) -> int:
    """How many evaluations run at a time.

    Raises:
        HpcError: if the nodes have no room for any, the options don't suit the job mode, or
            something is asked for that no scheduler has.
    """
    _refuse_launch(launch)
    nodes_per_eval = _count(spec, "--num-nodes-per-eval")
    ranks_per_node = _count(spec, "--num-ranks-per-node")
    evals_per_node = _count(spec, "--num-evals-per-node")
    _count(spec, "--num-threads-per-rank")
    try:
        refuse_misfit(launch.job_mode, nodes_per_eval, ranks_per_node, evals_per_node)
    except EvaluatorError as error:
        raise HpcError(str(error)) from error
    room = num_places(launch.job_mode, launch.nodes, nodes_per_eval, evals_per_node)
    if room < 1:
        raise HpcError(no_room(nodes_per_eval))
    asked = int(spec.options.get("--num-workers", room))
    if asked > room:
        raise HpcError(
            f"--num-workers is {asked} and the nodes ({launch.nodes}) have room for {room} at a "
            "time; leave it out, or ask for more nodes"
        )
    return asked


def _refuse_launch(launch: Launch) -> None:
    shortest = _SHORTEST_MINUTES[launch.job_mode]
    if launch.minutes < shortest:
        raise HpcError(
            f"a job of {launch.minutes} min leaves a search no time, since the launcher keeps "
            f"{shortest - 1} for itself in the job mode {launch.job_mode}; give -t {shortest} at "
            "least"
        )
    if launch.minutes > _LONGEST_MINUTES:
        raise HpcError(
            f"-t {launch.minutes} is more than a year; give minutes, at most {_LONGEST_MINUTES}"
        )
    if launch.nodes > _MOST:
        raise HpcError(f"-n {launch.nodes} is more nodes than any machine has; ask for fewer")
    for option, name in (("-q", launch.queue), ("-A", launch.project)):
        if re.search(r"\s", name):
            raise HpcError(f"{option} {name!r} holds a space or a new line, as no name does")


def _count(spec: SearchSpec, option: str) -> int:
    count = int(spec.options.get(option, 1))
    if count > _MOST:
        raise HpcError(f"{option} {count} is more than any machine has; give fewer")
    return count
