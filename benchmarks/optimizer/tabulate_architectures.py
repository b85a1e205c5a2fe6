"""Make the tables of architectures.py.

    python -m benchmarks.optimizer.tabulate_architectures DIR --macro nas-bench-macro.csv --graph

--macro takes the table of NAS-Bench-Macro (columns arch, acc1, acc2, acc3); --graph needs the
package nas_bench_graph, whose files are pickles, so that nothing else reads them.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.optimizer.architectures import GRAPHS, LINKS, MACRO, operations
from deephyper.optimizer.arrays import Array


def macro(source: Path) -> Array:
    """Return the mean accuracy of each network, shape (3, ..., 3)."""
    scores = np.full((len(MACRO),) * 8, np.nan)
    with source.open(newline="") as file:
        for row in csv.DictReader(file):
            place = tuple(int(digit) for digit in row["arch"])
            scores[place] = np.mean([float(row[f"acc{i}"]) for i in (1, 2, 3)])
    return scores


def graph(data: str) -> Array:
    """Return the validation accuracy of each network, shape (9, k, k, k, k)."""
    from nas_bench_graph import Arch, light_read

    found: dict[int, dict[str, Any]] = light_read(data)
    kinds = operations(data)
    scores = np.full((len(LINKS), *(len(kinds),) * 4), np.nan)
    for i, links in enumerate(LINKS):
        for layers in itertools.product(range(len(kinds)), repeat=4):
            network = Arch([int(each) for each in links], [kinds[j] for j in layers])
            try:
                scores[(i, *layers)] = found[network.valid_hash()]["valid_perf"]
            except (KeyError, UnboundLocalError):
                continue  # it isn't there, or has no normal form
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--macro", type=Path)
    parser.add_argument("--graph", action="store_true")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    tables = {"macro": macro(arguments.macro)} if arguments.macro else {}
    for data in GRAPHS if arguments.graph else ():
        tables[f"graph-{data}"] = graph(data)
    for name, scores in tables.items():
        np.savez_compressed(arguments.directory / f"{name}.npz", scores=scores)
        there = ~np.isnan(scores)
        print(f"{name}: {there.sum()} of {scores.size} points, best {np.nanmax(scores):.5g}")


if __name__ == "__main__":
    main()
