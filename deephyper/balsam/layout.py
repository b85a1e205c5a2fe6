"""The layout of evaluations over the nodes of a Balsam launcher."""

from __future__ import annotations

from dataclasses import dataclass

from deephyper.errors import EvaluatorError


@dataclass(frozen=True)
class Layout:
    """Nodes of a launcher, and what each evaluation takes of them.

    Attributes:
        mode: the launcher's job mode, "mpi" or "serial".
        nodes: of the launcher.
        nodes_per_eval: nodes of an evaluation.
        ranks_per_node: ranks of an evaluation on each of its nodes.
        evals_per_node: evaluations that share a node.

    Raises:
        EvaluatorError: if the job mode can't lay evaluations out so.
    """

    mode: str
    nodes: int
    nodes_per_eval: int = 1
    ranks_per_node: int = 1
    evals_per_node: int = 1

    def __post_init__(self) -> None:
        if self.mode == "serial" and (self.nodes_per_eval > 1 or self.ranks_per_node > 1):
            raise EvaluatorError(
                "evaluations over several ranks or nodes need the job mode mpi; submit with -j mpi"
            )
        if self.mode == "mpi" and self.evals_per_node > 1:
            raise EvaluatorError(
                "several evaluations can share a node only in the job mode serial; submit with "
                "-j serial"
            )

    @property
    def capacity(self) -> int:
        """The number of evaluations that run at once beside the search itself.

        In mode "mpi" a job has its nodes to itself, so the search takes one. In mode "serial" it
        shares a node with evaluations.
        """
        if self.mode == "mpi":
            return (self.nodes - 1) // self.nodes_per_eval
        return self.nodes * self.evals_per_node

    def num_workers(self, requested: int | None = None) -> int:
        """Return how many evaluations run at once.

        Args:
            requested: a smaller number than there is room for; None for as many as there is.

        Raises:
            EvaluatorError: if there isn't room for so many, or for one.
        """
        if self.capacity < 1:
            raise EvaluatorError(
                "in the job mode mpi the search itself takes a node, beside those of an evaluation "
                f"({self.nodes_per_eval}); ask for at least {self.nodes_per_eval + 1} nodes, or "
                "use -j serial"
            )
        if requested is not None and requested > self.capacity:
            raise EvaluatorError(
                f"{requested} workers don't fit: the nodes ({self.nodes}) have room for "
                f"{self.capacity}; ask for fewer workers, or for more nodes"
            )
        return self.capacity if requested is None else requested
