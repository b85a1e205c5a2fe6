"""A program that does what its point says, as the run functions of the evaluators' tests do."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.evaluator import runs


def report(objective: float, *, step: int, **metrics: float) -> None:
    named = "".join(f" {name}={value!r}" for name, value in metrics.items())
    print(f"DH-REPORT: {step} {objective!r}{named}", flush=True)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is to be closed is closed
    directory = Path(os.environ["DEEPHYPER_DIR"])
    ours = SimpleNamespace(report=report, should_stop=bool, directory=directory)
    vars(runs)["evaluation"] = ours
    value: Any = runs.behave(json.loads(os.environ["DEEPHYPER_POINT"]))
    print(f"DH-OUTPUT: {value!r}")


if __name__ == "__main__":
    main()
