"""All hostile run functions on each evaluator, by hand:

python -m tests.evaluator.hostile [thread process subprocess]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.evaluator.hostile.named import ANYWHERE, ENDLESS, IN_A_PROCESS
from tests.evaluator.hostile.run import HERE, run
from tests.evaluator.hostile.values import EXCEPTIONS


def _all(method: str) -> Iterator[str]:
    yield from EXCEPTIONS
    yield from ANYWHERE
    if method != "thread":
        yield from IN_A_PROCESS
        yield from ENDLESS


def main() -> None:
    """Try all on each evaluator; print what goes wrong, and how many there were."""
    from deephyper.evaluator import Evaluator

    for method in sys.argv[1:] or ["thread", "process", "subprocess"]:
        names, began, slowest = list(_all(method)), time.monotonic(), (0.0, "")
        pids = Path(tempfile.mkdtemp(), "pids")
        pids.touch()
        output = None if method == "thread" else pids.parent
        hostile_run = run if method == "thread" else HERE
        for name in names:
            start = time.monotonic()
            with Evaluator.create(
                hostile_run, method, 2, timeout=2.0, output_dir=output
            ) as evaluator:
                evaluator.submit([{"do": name, "pids": str(pids)}, *({"x": x} for x in range(4))])
                outcomes = evaluator.gather_outcomes(5, timeout=60.0)
            wrong = [
                o for o in outcomes if "x" in o.job.point and o.objective != 2 * o.job.point["x"]
            ]
            if len(outcomes) != 5 or wrong:
                print(method, name, len(outcomes), wrong)
            slowest = max(slowest, (time.monotonic() - start, name))
        left = [pid for pid in pids.read_text().split() if Path("/proc", pid).exists()]
        seconds = time.monotonic() - began
        print(f"{method}: {len(names)} in {seconds:.0f} s, slowest {slowest}, left {left}")


if __name__ == "__main__":
    main()
