"""Run functions of the evaluators' tests, found by path in every kind of worker."""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from deephyper import evaluation


def behave(point: dict[str, Any]) -> Any:
    """Do what the point says."""
    return globals()[f"_{point['do']}"](point)


def behave_at_once(point: dict[str, Any]) -> Any:
    """Do what the point says; what takes real time there takes virtual time instead."""
    if point["do"] == "report":
        return point["objectives"][-1]
    return point.get("seconds", 1.0) if point["do"] in WAITING else behave(point)


WAITING = ("sleep", "ignore_sigterm", "wait_for")


def duration(point: dict[str, Any]) -> float:
    """The virtual seconds that a point takes."""
    if point["do"] in ("wait_for", "ignore_sigterm") or point.get("then_wait_for"):
        return 1000.0
    return float(point.get("seconds", 0.01))


def reports(point: dict[str, Any]) -> list[tuple[float, int, float]]:
    """The reports of a point in virtual time."""
    return [(0.001 * i, i, o) for i, o in enumerate(point.get("objectives", []), start=1)]


def _double(point: dict[str, Any]) -> Any:
    return 2 * point["x"]


def _sleep(point: dict[str, Any]) -> Any:
    time.sleep(point["seconds"])
    return point["seconds"]


def _wait_for(point: dict[str, Any]) -> Any:
    """Wait until the test makes a file."""
    while not Path(point["file"]).exists():
        time.sleep(0.01)
    return 1.0


def _report(point: dict[str, Any]) -> Any:
    """Report objectives, one a step; then wait until the test makes a file, if it names one."""
    for step, objective in enumerate(point["objectives"], start=1):
        evaluation.report(objective, step=step, loss=1.0 - objective)
    if "then_wait_for" in point:
        _wait_for({"file": point["then_wait_for"]})
    return point["objectives"][-1]


def _report_until(point: dict[str, Any]) -> Any:
    """Report until the search ends it; leave a file behind as clean-up code does."""
    try:
        for step in range(1, 100_000):
            with contextlib.suppress(Exception):  # which must not keep it alive
                evaluation.report(step / 100_000, step=step)
            time.sleep(0.005)
    finally:
        Path(point["file"]).write_text("cleaned up")
    return 1.0


def _count_on(point: dict[str, Any]) -> Any:
    """Report once and count in a file until the test makes another; then report once more."""
    file, draft = Path(point["file"]), Path(point["file"] + ".draft")

    def write(text: str) -> None:
        draft.write_text(text)
        draft.replace(file)

    write("0")
    evaluation.report(0.5, step=1)
    number = 0
    try:
        while not Path(point["held"]).exists():
            number += 1
            write(f"{number}")
            time.sleep(0.005)
        while True:
            evaluation.report(0.5, step=2)
            time.sleep(0.005)
    finally:
        write("ended")


def _ask_until(point: dict[str, Any]) -> Any:
    """Report, and ask until the search ends it; return what nobody should take."""
    evaluation.report(0.25, step=3)
    while not evaluation.should_stop():
        time.sleep(0.005)
    return 99.0


def _train(point: dict[str, Any]) -> Any:
    """Make six steps from a checkpoint on; the first attempt waits after three until it ends."""
    checkpoint = evaluation.directory / "step"
    first = int(checkpoint.read_text()) if checkpoint.exists() else 0
    for step in range(first + 1, 7):
        checkpoint.write_text(f"{step}")
        evaluation.report(step / 8, step=step)
        while evaluation.attempt == 1 and step == 3:
            if point["asks"] and evaluation.should_stop():
                break
            time.sleep(0.005)
    return 0.75


def _tell_about_itself(point: dict[str, Any]) -> Any:
    """Write what it knows of itself into its own directory, and count its attempts there."""
    directory = evaluation.directory
    with (directory / "attempts").open("a") as file:
        file.write(f"{evaluation.attempt}\n")
    about = [evaluation.id, evaluation.worker, evaluation.seed, str(directory)]
    Path(point["file"]).write_text(json.dumps(about))
    return float(evaluation.attempt)


def _report_badly(point: dict[str, Any]) -> Any:
    evaluation.report(0.5, step=3)
    evaluation.report(float(point["objective"]), step=point["step"])
    return 1.0


def _report_from_child(point: dict[str, Any]) -> Any:
    """Report from a forked child, which is not the evaluation, then from the evaluation."""
    child = os.fork()
    if child == 0:
        evaluation.report(0.9, step=1)
        os._exit(0)
    os.waitpid(child, 0)
    evaluation.report(0.5, step=2)
    return 0.5


def _report_late(point: dict[str, Any]) -> Any:
    """Leave a thread behind that reports when the test makes a file."""

    def wait_and_report() -> None:
        _wait_for({"file": point["file"]})
        evaluation.report(0.7, step=7)
        Path(point["done"]).touch()

    threading.Thread(
        target=contextvars.copy_context().run, args=(wait_and_report,), daemon=True
    ).start()
    return 1.0


def _raise(point: dict[str, Any]) -> Any:
    print("before the fault")
    raise ValueError("no such kernel")


def _return(point: dict[str, Any]) -> Any:
    values: dict[str, Any] = {
        "none": None,
        "nan": float("nan"),
        "inf": float("inf"),
        "minus_inf": float("-inf"),
        "string": "0.5",
        "reason": "F_too_large",
        "list": [1.0],
        "huge": 10**400,
        "bool": True,
        "metrics": {"objective": 0.5, "metrics": {"loss": 0.25}, "epochs": 3},
        "failed_with_metrics": {"objective": "F_diverged", "epochs": 3},
        "bad_metric": {"objective": 0.5, "model": "resnet"},
        "int": 3,
    }
    return values[point["value"]]


def _numpy(point: dict[str, Any]) -> Any:
    import numpy as np

    return np.float32(0.5) if point["x"] else np.array(0.5)


def _system_exit(point: dict[str, Any]) -> Any:
    sys.exit(3)


def _os_exit(point: dict[str, Any]) -> Any:
    os._exit(1)


def _sigkill(point: dict[str, Any]) -> Any:
    print("about to die", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def _die_before_a_child(point: dict[str, Any]) -> Any:
    """Leave a forked child that holds all descriptors open."""
    if os.fork() == 0:
        time.sleep(100)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)


def _remove(point: dict[str, Any]) -> Any:
    Path(point["file"]).unlink()
    return 1.0


def _segfault(point: dict[str, Any]) -> Any:
    ctypes.string_at(0)


def _spin(point: dict[str, Any]) -> Any:
    while True:
        pass


def _ignore_sigterm(point: dict[str, Any]) -> Any:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)


def _flood(point: dict[str, Any]) -> Any:
    line = "x" * 999 + "\n"
    for _ in range(2):
        sys.stdout.write(line * 1000)
    return 1.0


def _change_point(point: dict[str, Any]) -> Any:
    point["x"] = -1
    point.pop("do")
    return 1.0


def _change_directory(point: dict[str, Any]) -> Any:
    os.chdir("/")
    return 1.0


def _directory(point: dict[str, Any]) -> Any:
    return os.stat(".").st_ino


def _start_child(point: dict[str, Any]) -> Any:
    child = subprocess.Popen(["sleep", "1000"])
    Path(point["file"]).write_text(str(child.pid))
    if point.get("wait"):
        child.wait()
    return 1.0


def _start_daemon(point: dict[str, Any]) -> Any:
    shell = f"setsid sleep 1000 & echo $! > {point['file']}"
    subprocess.run(["sh", "-c", shell], check=True)
    return 1.0


def _environment(point: dict[str, Any]) -> Any:
    return float(os.environ.get(point["name"], "-1") == point["value"])


def _print(point: dict[str, Any]) -> Any:
    print("to stdout")
    print("to stderr", file=sys.stderr)
    os.write(1, b"from below\n")
    return 1.0


def _process_id(point: dict[str, Any]) -> Any:
    return os.getpid()


def _fork(point: dict[str, Any]) -> Any:
    """Fork a child that ends late or raises, and give the objective after it has ended, or not."""
    child = os.fork()
    if child == 0:
        time.sleep(point.get("child_sleeps", 0.0))
        if point["child"] == "raises":
            raise ValueError("the child fails")
        if point["child"] == "exits":
            sys.exit(3)
        return -1.0
    if point.get("wait"):
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == {"raises": 1, "exits": 3, "returns": 0}[point["child"]]
    return point["x"]


def _close_output(point: dict[str, Any]) -> Any:
    print("closing")
    sys.stdout.close()
    return 1.0


def _memory(point: dict[str, Any]) -> Any:
    raise MemoryError


NOT_CALLABLE = 3
