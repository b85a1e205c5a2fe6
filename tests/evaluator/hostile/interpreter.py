"""Run functions that break what Python needs, and what a process has."""

from __future__ import annotations

import _thread
import builtins
import contextlib
import ctypes
import faulthandler
import gc
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from typing import Any, Never

from tests.evaluator.hostile.named import Point, anywhere, in_a_process

# What Python needs.


def _fail(*args: Any, **kwargs: Any) -> Never:
    raise SystemExit("replaced")


@in_a_process
def replace_json(point: Point) -> Any:
    for name in ("dumps", "loads", "JSONEncoder", "JSONDecoder"):
        setattr(json, name, _fail)
    return 1.0


@in_a_process
def replace_time(point: Point) -> Any:
    time.time = time.monotonic = time.perf_counter = lambda: "noon"  # type: ignore[assignment, return-value]
    return 1.0


@in_a_process
def turn_time_back(point: Point) -> Any:
    time.time = time.monotonic = lambda: -1e12
    return 1.0


@in_a_process
def replace_os(point: Point) -> Any:
    for name in ("read", "write", "fstat", "dup2", "close", "open", "chdir", "getpid", "_exit"):
        setattr(os, name, _fail)
    return 1.0


@in_a_process
def replace_builtins(point: Point) -> Any:
    for name in ("isinstance", "len", "dict", "float", "open", "type", "zip", "getattr"):
        setattr(builtins, name, _fail)
    return 1.0


@in_a_process
def clear_modules(point: Point) -> Any:
    sys.modules.clear()
    return 1.0


@in_a_process
def clear_builtins(point: Point) -> Any:
    vars(builtins).clear()
    return 1.0


@in_a_process
def break_our_frames(point: Point) -> Any:
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        frame.f_globals.clear()
    return 1.0


@in_a_process
def close_found_objects(point: Point) -> Any:
    for found in gc.get_objects():
        if hasattr(type(found), "close") and not isinstance(found, type):
            with contextlib.suppress(BaseException):
                found.close()
    return 1.0


@anywhere
def replace_streams(point: Point) -> Any:
    sys.stdout = sys.stderr = None
    return 1.0


@in_a_process
def streams_that_raise(point: Point) -> Any:
    class Stream:
        closed = False

        def write(self, text: str) -> Never:
            raise SystemExit

        flush = write

    sys.stdout = sys.stderr = Stream()
    return 1.0


@in_a_process
def close_streams(point: Point) -> Any:
    sys.stdout.close()
    sys.stderr.close()
    return 1.0


@anywhere
def change_argv(point: Point) -> Any:
    sys.argv[:] = ["--all"]
    return 1.0


@anywhere
def shallow_recursion(point: Point) -> Any:
    sys.setrecursionlimit(sys.getrecursionlimit() // 3)
    return shallow_recursion(point)


@anywhere
def recursion(point: Point) -> Any:
    return recursion(dict(point))


@in_a_process
def recursion_in_c(point: Point) -> Any:
    faulthandler.disable()
    sys.setrecursionlimit(10**9)
    return max([point], key=recursion_in_c)


@anywhere
def recursion_of_causes(point: Point) -> Any:
    try:
        return recursion_of_causes(point)
    except Exception as error:
        raise ValueError("again") from error


@in_a_process
def trace_raises(point: Point) -> Any:
    sys.settrace(_fail)
    sys.setprofile(_fail)
    return 1.0


@in_a_process
def no_collection(point: Point) -> Any:
    gc.disable()
    gc.freeze()
    gc.callbacks.append(_fail)
    return 1.0


# Directories, limits, signals, users.


@anywhere
def gone_directory(point: Point) -> Any:
    directory = tempfile.mkdtemp()
    os.chdir(directory)
    os.rmdir(directory)
    return 1.0


@in_a_process
def another_root(point: Point) -> Any:
    with contextlib.suppress(PermissionError):
        os.chroot(tempfile.mkdtemp())
    return 1.0


@in_a_process
def another_user(point: Point) -> Any:
    with contextlib.suppress(PermissionError):
        os.setuid(65534)
    return 1.0


@in_a_process
def no_files(point: Point) -> Any:
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    return 1.0


@in_a_process
def no_file_size(point: Point) -> Any:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    print("lost")
    return 1.0


@in_a_process
def no_memory(point: Point) -> Any:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))
    return len(bytearray(1 << 30))


@in_a_process
def no_processor_time(point: Point) -> Any:
    resource.setrlimit(resource.RLIMIT_CPU, (0, 1))
    while True:
        pass


@in_a_process
def block_signals(point: Point) -> Any:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    return 1.0


@in_a_process
def ignore_signals(point: Point) -> Any:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    return 1.0


@in_a_process
def alarm_later(point: Point) -> Any:
    signal.signal(signal.SIGALRM, _fail)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    return 1.0


# Threads.


@anywhere
def leave_thread(point: Point) -> Any:
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    return 1.0


@in_a_process
def leave_thread_that_is_waited_for(point: Point) -> Any:
    threading.Thread(target=time.sleep, args=(1000,), daemon=False).start()
    return 1.0


@anywhere
def exit_from_thread(point: Point) -> Any:
    threading.Thread(target=_thread.exit, daemon=True).start()
    return 1.0


@in_a_process
def interrupt_from_thread(point: Point) -> Any:
    thread = threading.Thread(target=_thread.interrupt_main)
    thread.start()
    thread.join()
    return 1.0


@in_a_process
def raise_late_in_main_thread(point: Point) -> Any:
    main = threading.main_thread().ident
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main or 0), ctypes.py_object(OSError))
    return 1.0
