"""The program that Balsam runs for a search: ``deephyper hps`` in the search's directory.

``search.json`` there holds the search, see :class:`deephyper.hpc.spec.SearchSpec`. Started again,
by a resubmission or by Balsam itself, the search is resumed. Shortly before the launcher ends its
jobs, the search is asked to end by itself, so that running evaluations are stopped in order and the
results are complete.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path

from deephyper.balsam.site.slurm import LAUNCH_END
from deephyper.hpc.batch_job import run_search, split_grace
from deephyper.hpc.spec import SearchSpec, command_line, environment
from deephyper.search.budget import DEFAULT_GRACE
from deephyper.search.log_dir import LogDir

SPEC_FILE = "search.json"


def main() -> int:
    """Run the search in the current directory; return its exit status, 0 if its time was over."""
    spec = SearchSpec.from_json(json.loads(Path(SPEC_FILE).read_text())["search"])
    left = max(0.0, float(os.environ.get(LAUNCH_END, "inf")) - time.time())
    margin, grace = split_grace(left, float(spec.options.get("--grace", DEFAULT_GRACE)))
    command = command_line(
        spec,
        evaluator="balsam",
        resume=LogDir(Path()).holds_search,
        grace=grace,
        resume_command=resume_command(spec),
    )
    variables = environment(spec, os.environ)
    status = run_search(command, variables, seconds=left - margin, grace=grace)
    if status >= 0:
        return status
    name = signal.Signals(-status).name
    print(f"The search was ended by {name}. Resume with: {resume_command(spec)}", flush=True)
    return 128 - status


def resume_command(spec: SearchSpec) -> str:
    """Return the command that submits the search again; options can be appended to it."""
    return shlex.join(["deephyper", "balsam-submit", spec.command[0], spec.name, "--resume"])


if __name__ == "__main__":
    sys.exit(main())
