"""How long `deephyper --help` takes, beside an interpreter that does nothing.

python benchmarks/start_up.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15
PROGRAMS = {
    "python -c pass": "pass",
    "deephyper --help": "from deephyper.core.cli.main import main; main(['--help'])",
    "deephyper hps ambs --help": "from deephyper.core.cli.main import main; "
    "main(['hps', 'ambs', '--help'])",
}


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(RUNS):
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
