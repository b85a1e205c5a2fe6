"""How evaluations are laid out over the nodes of a Balsam launcher."""

from __future__ import annotations

from deephyper.errors import EvaluatorError


def num_places(mode: str, nodes: int, nodes_per_eval: int, evals_per_node: int) -> int:
    """How many evaluations a launcher runs at a time beside the search itself.

    In mode "mpi" a job has its nodes to itself, so the search takes one. In mode "serial" it sits
    on a node beside the evaluations.
    """
    return (nodes - 1) // nodes_per_eval if mode == "mpi" else nodes * evals_per_node


def refuse_misfit(mode: str, nodes_per_eval: int, ranks_per_node: int, evals_per_node: int) -> None:
    """Refuse options that don't suit the job mode.

    Raises:
        EvaluatorError: if they don't.
    """
    if mode == "serial" and (nodes_per_eval > 1 or ranks_per_node > 1):
        raise EvaluatorError(
            "evaluations over several ranks or nodes need the job mode mpi; submit with -j mpi"
        )
    if mode == "mpi" and evals_per_node > 1:
        raise EvaluatorError(
            "several evaluations can share a node only in the job mode serial; submit with "
            "-j serial"
        )


def no_room(nodes_per_eval: int) -> str:
    return (
        "in the job mode mpi the search itself takes a node, beside those of an evaluation "
        f"({nodes_per_eval}); ask for at least {nodes_per_eval + 1} nodes, or use -j serial"
    )
