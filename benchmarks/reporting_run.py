"""The run function of the reports' benchmark: it measures what its own reports take."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deephyper import evaluation

METRICS = {"loss": 0.123, "accuracy": 0.876, "learning_rate": 1e-3, "epoch_sec": 12.5}
Say = Callable[[int, Mapping[str, float]], object]
"""Takes a step and metrics."""


def run(point: dict[str, Any]) -> dict[str, Any]:
    """Report many times, with metrics and without, and say the same in the bare way in turns.

    Args:
        point: ``number`` of reports of each kind, ``pause`` before each in seconds, and ``bare``,
            "queue" or "pipe".

    Returns:
        The median, the mean and the 99th percentile of each kind, in seconds, as metrics.
    """
    taken: dict[str, list[float]] = {}
    with (_queue if point["bare"] == "queue" else _pipe)() as bare:
        ways: dict[str, Say] = {"report": _report, "bare": bare}
        for step in range(point["number"]):
            for metrics in ({}, METRICS):
                for name, say in ways.items():
                    time.sleep(point["pause"])
                    began = time.perf_counter()
                    say(step, metrics)
                    ended = time.perf_counter()
                    taken.setdefault(f"{name} {len(metrics)}", []).append(ended - began)
    found = {}
    for kind, seconds in taken.items():
        ordered = sorted(seconds)
        found[f"{kind} median"] = ordered[len(ordered) // 2]
        found[f"{kind} mean"] = sum(ordered) / len(ordered)
        found[f"{kind} p99"] = ordered[len(ordered) * 99 // 100]
    return {"objective": 0.0, "metrics": found}


def _report(step: int, metrics: Mapping[str, float]) -> None:
    evaluation.report(0.5, step=step, **metrics)


@contextmanager
def _queue() -> Iterator[Say]:
    """Give a queue that another thread empties."""
    said = queue.SimpleQueue[Any]()
    reader = threading.Thread(target=lambda: [*iter(said.get, None)])
    reader.start()
    yield lambda step, metrics: said.put((step, 0.5, metrics))
    said.put(None)
    reader.join()


@contextmanager
def _pipe() -> Iterator[Say]:
    """Give a pipe that another process reads, line by line."""
    reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert reader.stdin is not None
    fd = reader.stdin.fileno()

    def say(step: int, metrics: Mapping[str, float]) -> None:
        line = json.dumps({"step": step, "objective": 0.5, **metrics})
        os.write(fd, line.encode() + b"\n")

    yield say
    reader.stdin.close()
    reader.wait()
