"""Classic path of :mod:`deephyper.balsam.job_spec`."""

from deephyper.balsam.job_spec import balsamjob_spec

__all__ = ["balsamjob_spec"]
