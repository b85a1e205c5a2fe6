"""Searches through Balsam: a database of jobs, and launchers that a batch scheduler starts.

========== =======================================================================================
here       the evaluator, the job that is one evaluation, and the database that both share
submission a search on its way into the scheduler's queue, and the job that runs it
site       what a machine needs first: a database, settings for Slurm, a launcher
timeline   what became of a workflow's evaluations, over time
cli        the commands
========== =======================================================================================
"""
