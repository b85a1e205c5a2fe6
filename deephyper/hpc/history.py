"""What became of the jobs of a Balsam workflow, as its database tells it."""

from __future__ import annotations

from deephyper.errors import HpcError
from deephyper.evaluator.balsam_database import connect

_SEARCH_APP = "deephyper.hpc.search_start"


def read_histories(workflow: str) -> dict[str, str]:
    """The state history of each evaluation of a workflow, by the name of its job.

    Raises:
        HpcError: if there is no such workflow, or it has no evaluations yet.
        EvaluatorError: if no database is active, or it doesn't answer.
        MissingExtra: if Balsam isn't installed.
    """
    models = connect()
    jobs = models.BalsamJob.objects.filter(workflow=workflow)
    if not jobs.exists():
        names = models.BalsamJob.objects.values_list("workflow", flat=True).distinct()
        known = ", ".join(sorted(filter(None, names))[:10]) or "none"
        raise HpcError(f"there is no workflow '{workflow}' in this database; it knows {known}")
    evaluations = jobs.exclude(application__startswith=_SEARCH_APP)
    histories = dict(evaluations.values_list("name", "state_history"))
    if not histories:
        raise HpcError(f"the workflow '{workflow}' has no evaluations yet; look again later")
    return histories
