"""The supervisor of a worker: its parent, which ends all that it has started.

A worker may die by itself (``os._exit``, a segmentation fault, the kernel's lack of memory) while
what it has started lives on, in sessions of its own and with an environment of its own. And the
process that runs the search may be killed while a worker is in the middle of ``run``. So a worker
is forked from a process in which no user code ever runs. It adopts what the worker's own processes
leave behind, waits for the end of the worker or of the search, and kills whatever is left then. It
ends as the worker has ended.

It is forked before anything large is imported, so that it takes next to no memory.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
from typing import NoReturn

from deephyper.evaluator.worker.reaper import descendants, kill
from deephyper.evaluator.worker.title import name_process

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 1.0
"""The time between two looks at the parent, where the system has no descriptor for its death."""
_FORK_FAILED = 71  # EX_OSERR


def split_off(parent: int, private: int, label: str) -> None:
    """Become the supervisor of a new process, in which alone this returns.

    Args:
        parent: process id of the parent that started this one.
        private: a descriptor that is the worker's alone.
        label: the name of the worker.
    """
    if sys.platform == "linux":
        import ctypes

        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    me = os.getpid()
    inherited = {number: signal.getsignal(number) for number in _catchable()}
    for number in inherited:
        signal.signal(number, signal.SIG_IGN)
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, _note)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    try:
        worker = os.fork()
    except OSError:
        os._exit(_FORK_FAILED)
    if worker:
        os.close(private)
        name_process(f"deephyper supervisor of {label}", "deephyper-super")
        _supervise(worker, parent, wake)
    name_process(f"deephyper {label}", "deephyper-work")
    signal.set_wakeup_fd(-1)
    os.close(wake)
    os.close(woken)
    for number, handler in inherited.items():
        signal.signal(number, handler)
    os.setsid()  # what it sends to its own group doesn't reach the supervisor
    if sys.platform == "linux":
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != me:
            os._exit(_FORK_FAILED)


def _supervise(worker: int, parent: int, wake: int) -> NoReturn:
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    timeout: float | None = None
    try:
        poll.register(os.pidfd_open(parent), select.POLLIN)
    except (AttributeError, OSError):
        timeout = 1000 * _POLL_SECONDS
    status = None
    while status is None and os.getppid() == parent:
        poll.poll(timeout)
        with contextlib.suppress(OSError):
            os.read(wake, 4096)
        status = _reap(worker)
    if status is None:
        kill([worker])
    _end_all(worker)
    _end_as(signal.SIGKILL if status is None else status)


def _reap(worker: int) -> int | None:
    """Take note of processes that have ended; return the status of the worker if it is one."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, ended = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == worker:
                # One that has itself traced stops at a signal, and nobody would wake it.
                status = signal.SIGKILL if os.WIFSTOPPED(ended) else ended
    return status


def _end_all(worker: int) -> None:
    """Kill whatever the worker has left, until nothing is left."""
    with contextlib.suppress(OSError):
        os.killpg(worker, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            kill(descendants(os.getpid()))
            os.waitpid(-1, 0)


def _end_as(status: int) -> NoReturn:
    """End with the status of another process."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        os._exit(128 + number)
    os._exit(os.waitstatus_to_exitcode(status))


def _catchable() -> set[int]:
    return {int(n) for n in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}}


def _note(number: int, frame: object) -> None:
    """Take a signal; the descriptor that it wakes is polled."""
