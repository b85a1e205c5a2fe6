"""Search quality with thousands of workers: points of the default engine, at random, and of TPE.

The searches run in virtual time, as those of benchmarks.optimizer, on the spaces of
benchmarks.scale. Printed is the best objective after so many evaluations, for each seed. Optuna
comes from an environment of its own, see benchmarks/optimizer/README.md; it is slow: every
suggestion goes through all trials, running ones included.

    python -m benchmarks.crowd [--peers deephyper random tpe] [--space hartmann ackley mixed]
        [--workers 1920 4096] [--evaluations 4000] [--seeds 2]
"""

from __future__ import annotations

import argparse

from benchmarks.optimizer.peers import PEERS
from benchmarks.optimizer.simulate import simulate
from benchmarks.optimizer.task import Task
from benchmarks.scale import SPACES

OPTIMA = {"hartmann": 3.32237, "ackley": 0.0, "mixed": 0.96}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peers", nargs="+", default=["deephyper", "random", "tpe"])
    parser.add_argument("--space", nargs="+", default=list(SPACES), choices=list(SPACES))
    parser.add_argument("--workers", nargs="+", type=int, default=[1920, 4096])
    parser.add_argument("--evaluations", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    n = options.evaluations
    print(f"| space | workers | peer | best at {n // 2} | best at {n} | ms per evaluation |")
    print("|" + " --- |" * 6)
    for space in options.space:
        problem, value = SPACES[space]
        best = OPTIMA[space]
        task = Task(space, "scale", "design", problem, value, lambda best=best: best)  # type: ignore[misc]
        typical = task.scale[1]
        for workers in options.workers:
            for name in options.peers:
                halves, ends, seconds = [], [], 0.0
                for seed in range(options.seeds):
                    peer = PEERS[name](problem(), seed, workers)
                    run = simulate(task, peer, seed, workers, n)
                    found = [best - regret * (best - typical) for regret in run.regrets]
                    halves.append(found[n // 2 - 1])
                    ends.append(found[-1])
                    seconds += run.seconds
                row = (
                    f"| {space} | {workers} | {name} | "
                    f"{', '.join(f'{each:.4f}' for each in halves)} | "
                    f"{', '.join(f'{each:.4f}' for each in ends)} | "
                    f"{1e3 * seconds / (n * options.seeds):.2f} |"
                )
                print(row, flush=True)


if __name__ == "__main__":
    main()
