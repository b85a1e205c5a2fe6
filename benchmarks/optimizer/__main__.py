"""Run, report and cost: python -m benchmarks.optimizer run|report|cost --help"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    from benchmarks.optimizer.suite import GROUPS

    parser = argparse.ArgumentParser(prog="python -m benchmarks.optimizer")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run", help="search and append to a results file, what is there stays"
    )
    run.add_argument("--half", choices=["design", "report"], default="design")
    run.add_argument("--group", choices=GROUPS)
    run.add_argument("--tasks", nargs="*", help="only tasks whose name contains one of these")
    run.add_argument("--peers", nargs="+", default=["deephyper", "tpe-multivariate", "random"])
    run.add_argument("--label", help="write deephyper's results under this name")
    run.add_argument("--workers", nargs="+", type=int, default=[1, 8, 64])
    run.add_argument("--seeds", type=int, default=20)
    run.add_argument("--evaluations", type=int, default=200)
    run.add_argument("--out", type=Path, default=RESULTS / "results.jsonl")
    report = commands.add_parser("report", help="tables and plots of a results file")
    report.add_argument("files", nargs="+", type=Path)
    report.add_argument("--half", choices=["design", "report"])
    report.add_argument("--group", choices=GROUPS)
    report.add_argument("--peers", nargs="*", help="only these peers")
    report.add_argument("--at", nargs="+", type=int, default=[50, 100, 200], help="evaluations")
    report.add_argument("--reference", default="deephyper", help="the peer that is compared")
    report.add_argument(
        "--groups", action="store_true", help="every peer against the reference by group too"
    )
    report.add_argument("--each", action="store_true", help="a row for every task too")
    report.add_argument("--plots", type=Path, help="directory for the plots")
    cost = commands.add_parser("cost", help="seconds of ask and tell as a search grows")
    cost.add_argument("--peers", nargs="+", default=["deephyper", "tpe-multivariate"])
    cost.add_argument("--workers", type=int, default=64)
    cost.add_argument("--evaluations", nargs="+", type=int, default=[200, 1000])
    cost.add_argument("--repeat", type=int, default=3, help="the table has the median")
    arguments = parser.parse_args()
    # Everybody gets one thread: the machine's other core isn't ours to count on.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if arguments.command == "run":
        _run(arguments)
    elif arguments.command == "cost":
        from benchmarks.optimizer.cost import table

        table(arguments)
    else:
        from benchmarks.optimizer.report import report as make_report

        print(make_report(arguments))


def _run(arguments: argparse.Namespace) -> None:
    warnings.filterwarnings("ignore")
    from benchmarks.optimizer.peers import known
    from benchmarks.optimizer.simulate import simulate
    from benchmarks.optimizer.suite import tasks

    out: Path = arguments.out
    out.parent.mkdir(parents=True, exist_ok=True)
    done = set()
    if out.exists():
        for line in out.read_text().splitlines():
            row = json.loads(line)
            done.add((row["task"], row["peer"], row["workers"], row["seed"]))
    chosen = [
        task
        for task in tasks(arguments.half, arguments.group)
        if not arguments.tasks or any(part in task.name for part in arguments.tasks)
    ]
    with out.open("a") as file:
        for seed in range(arguments.seeds):
            for workers in arguments.workers:
                for task in chosen:
                    for peer in arguments.peers:
                        name = arguments.label or peer if peer == "deephyper" else peer
                        if (task.name, name, workers, seed) in done:
                            continue
                        made = known(peer)(task.problem(), seed, workers)
                        run = simulate(task, made, seed, workers, arguments.evaluations)
                        row = {
                            "task": task.name,
                            "group": task.group,
                            "half": task.half,
                            "peer": name,
                            "workers": workers,
                            "seed": seed,
                            "regrets": [
                                float(f"{run.regrets[i]:.4g}") for i in _kept(len(run.regrets))
                            ],
                            "seconds": round(run.seconds, 4),
                            "longest": round(run.longest, 4),
                            "evaluations": len(run.regrets),
                        }
                        file.write(json.dumps(row) + "\n")
                        file.flush()


def _kept(n: int) -> range:
    """Every tenth evaluation is kept, the tenth first."""
    return range(9, n, 10)


if __name__ == "__main__":
    main()
