"""Tabulate, describe, run and report: python -m benchmarks.curves COMMAND --help"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Read the command line."""
    # Everybody gets one thread: the machine's other cores aren't ours to count on.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curves")
    commands = parser.add_subparsers(dest="command", required=True)
    tabulate = commands.add_parser("tabulate", help="train what a table is made of")
    tabulate.add_argument("tasks", nargs="+", metavar="TASK")
    tabulate.add_argument(
        "--seconds", type=float, default=float("inf"), help="begin no training after these"
    )
    describe = commands.add_parser("describe", help="the tasks, and how their curves look")
    describe.add_argument("--half", choices=["design", "report"])
    run = commands.add_parser(
        "run", help="search and append to a results file, what is there stays"
    )
    run.add_argument("--half", choices=["design", "report"], default="design")
    run.add_argument("--tasks", nargs="*", help="only tasks whose name contains one of these")
    run.add_argument("--methods", nargs="+", default=["deephyper", "random", "random-asha"])
    run.add_argument("--label", help="write the results of the one method under this name")
    run.add_argument("--workers", nargs="+", type=int, default=[1, 8, 64])
    run.add_argument("--seeds", type=int, default=10)
    run.add_argument(
        "--evaluations", type=int, default=100, help="whole evaluations whose steps are the budget"
    )
    run.add_argument("--out", type=Path, default=RESULTS / "results.jsonl")
    report = commands.add_parser("report", help="tables of results files")
    report.add_argument("files", nargs="+", type=Path)
    report.add_argument("--half", choices=["design", "report"])
    report.add_argument("--methods", nargs="*", help="only these methods")
    report.add_argument("--reference", default="deephyper", help="the method to compare with")
    report.add_argument("--each", action="store_true", help="a table for every task too")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    if arguments.command == "run":
        _run(arguments)
    elif arguments.command == "tabulate":
        _tabulate(arguments)
    elif arguments.command == "describe":
        from benchmarks.curves.describe import describe as make_description

        print(make_description(arguments.half))
    else:
        from benchmarks.curves.report import report as make_report

        print(make_report(arguments))


def _tabulate(arguments: argparse.Namespace) -> None:
    from benchmarks.curves.suite import TASKS
    from benchmarks.curves.tabulate import tabulate

    for name in arguments.tasks:
        if name not in TASKS:
            sys.exit(f"unknown task {name}; choose from {', '.join(TASKS)}")
    for name in arguments.tasks:
        made = tabulate(TASKS[name], arguments.seconds)
        print(f"{name}: {'made' if made else 'to be continued'}", flush=True)


def _run(arguments: argparse.Namespace) -> None:
    from benchmarks.curves.methods import known
    from benchmarks.curves.simulate import simulate
    from benchmarks.curves.suite import tasks

    if arguments.label and len(arguments.methods) > 1:
        sys.exit("--label names the results of one method; give --methods one name")
    makers = {name: known(name) for name in arguments.methods}
    chosen = [
        task
        for task in tasks(arguments.half)
        if not arguments.tasks or any(part in task.name for part in arguments.tasks)
    ]
    if not chosen:
        sys.exit("no task of that half and name has a table; see python -m benchmarks.curves")
    out: Path = arguments.out
    out.parent.mkdir(parents=True, exist_ok=True)
    done = set()
    if out.exists():
        for line in out.read_text().splitlines():
            row = json.loads(line)
            done.add((row["task"], row["method"], row["workers"], row["seed"], row["budget"]))
    cases = [
        (seed, workers, task, method)
        for seed in range(arguments.seeds)
        for workers in arguments.workers
        for task in chosen
        for method in makers
    ]
    with out.open("a") as file:
        for seed, workers, task, method in cases:
            name = arguments.label or method
            if (task.name, name, workers, seed, arguments.evaluations) in done:
                continue
            made = makers[method](task.space.problem(), seed, task.steps)
            run = simulate(task, made, seed, workers, arguments.evaluations)
            row = {
                "task": task.name,
                "half": task.half,
                "method": name,
                "workers": workers,
                "seed": seed,
                "budget": arguments.evaluations,
                "regrets": [float(f"{regret:.4g}") for regret in run.regrets],
                "whole": run.whole,
                "pruned": run.pruned,
                "steps": run.steps,
                "best_stopped": run.best_stopped,
                "seconds": round(run.seconds, 3),
            }
            file.write(json.dumps(row) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
