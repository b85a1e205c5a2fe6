"""The time that `deephyper --help` takes, beside an interpreter that does nothing.

python -m benchmarks.start_up [--runs 15]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "python -c pass": "pass",
    "deephyper --help": "from deephyper.core.cli.main import main; main(['--help'])",
    "deephyper hps ambs --help": "from deephyper.core.cli.main import main; "
    "main(['hps', 'ambs', '--help'])",
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args(arguments).runs
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(runs):
        for name, program in PROGRAMS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - began)
    print("| command | median, s | least, s |")
    print("| --- | --- | --- |")
    for name, each in seconds.items():
        print(f"| `{name}` | {statistics.median(each):.3f} | {min(each):.3f} |")


if __name__ == "__main__":
    main()
