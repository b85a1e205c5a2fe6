"""Run functions that break what they can reach, each by a name, and all of them by hand:

python -m tests.evaluator.hostile [thread process subprocess]
"""

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
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Never

from deephyper import evaluation

Point = dict[str, Any]
Hostile = Callable[[Point], Any]

HERE = f"{__file__}::run"
ANYWHERE: dict[str, Hostile] = {}
"""Those that a thread survives too."""
IN_A_PROCESS: dict[str, Hostile] = {}
"""Those that need a process of their own."""
ENDLESS: dict[str, Hostile] = {}
"""Those that end at a time limit only."""


def run(point: Point) -> Any:
    """Do what the point names; without a name, be an evaluation as it should be."""
    name = point.get("do")
    if name is None:
        return 2 * point["x"]
    return {**ANYWHERE, **IN_A_PROCESS, **ENDLESS, **EXCEPTIONS}[name](point)


def anywhere(function: Hostile) -> Hostile:
    ANYWHERE[function.__name__] = function
    return function


def in_a_process(function: Hostile) -> Hostile:
    IN_A_PROCESS[function.__name__] = function
    return function


def endless(function: Hostile) -> Hostile:
    ENDLESS[function.__name__] = function
    return function


def keep_pid(point: Point, pid: int) -> None:
    with Path(point["pids"]).open("a") as file:
        file.write(f"{pid}\n")


def descriptors() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]


# Descriptors.


@in_a_process
def write_to_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.write(fd, b"x")
    return 1.0


@in_a_process
def write_messages_to_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.write(fd, b'{"says": "JobEnded", "job_id": "0", "result": 9.0, "end": "now"}\n' * 99)
    return 1.0


@in_a_process
def write_then_sleep(point: Point) -> Any:
    write_to_all(point)
    time.sleep(100)


@in_a_process
def close_all(point: Point) -> Any:
    os.closerange(0, 1 << 16)
    return 1.0


@anywhere
def close_low(point: Point) -> Any:
    if threading.current_thread() is threading.main_thread():
        os.closerange(3, 256)
    return 1.0


@in_a_process
def close_standard(point: Point) -> Any:
    os.closerange(0, 3)
    return 1.0


@in_a_process
def replace_all(point: Point) -> Any:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.dup2(null, fd)
    return 1.0


@in_a_process
def unblock_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.set_blocking(fd, False)
    return 1.0


@in_a_process
def shut_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError), socket.socket(fileno=fd) as connection:
            connection.shutdown(socket.SHUT_RDWR)
            connection.detach()
    return 1.0


@in_a_process
def read_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.set_blocking(fd, False)
            os.read(fd, 100)
    return 1.0


@in_a_process
def exhaust_descriptors(point: Point) -> Any:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    with contextlib.suppress(OSError):
        while True:
            os.dup(0)
    return 1.0


# The end of the process.


@in_a_process
def exit_at_once(point: Point) -> Any:
    os._exit(0)


@in_a_process
def exec_another(point: Point) -> Any:
    os.execvp("true", ["true"])


@in_a_process
def kill_supervisor(point: Point) -> Any:
    os.kill(os.getppid(), signal.SIGKILL)
    return 1.0


@in_a_process
def stop_supervisor(point: Point) -> Any:
    os.kill(os.getppid(), signal.SIGSTOP)
    os._exit(1)


@in_a_process
def kill_group(point: Point) -> Any:
    os.killpg(0, signal.SIGKILL)


@in_a_process
def stop_traced(point: Point) -> Any:
    ctypes.CDLL(None).ptrace(0, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGUSR1)


@in_a_process
def abort(point: Point) -> Any:
    os.abort()


@in_a_process
def segfault(point: Point) -> Any:
    faulthandler.disable()
    ctypes.string_at(0)


# Processes.


@in_a_process
def leave_child(point: Point) -> Any:
    keep_pid(point, subprocess.Popen(["sleep", "1000"]).pid)
    return 1.0


@in_a_process
def leave_session_and_die(point: Point) -> Any:
    keep_pid(point, subprocess.Popen(["sleep", "1000"], start_new_session=True).pid)
    os._exit(1)


@in_a_process
def leave_without_environment_and_die(point: Point) -> Any:
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True, env={})
    keep_pid(point, child.pid)
    os.kill(os.getpid(), signal.SIGKILL)


@in_a_process
def daemonize(point: Point) -> Any:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 1 << 16)
            time.sleep(1000)
        os._exit(0)
    os.wait()
    return 1.0


@in_a_process
def kill_supervisor_of_daemon(point: Point) -> Any:
    keep_pid(point, subprocess.Popen(["sleep", "1000"], start_new_session=True).pid)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(100)


@in_a_process
def fork_and_return_in_both(point: Point) -> Any:
    os.fork()
    return 1.0


@in_a_process
def fork_in_thread(point: Point) -> Any:
    thread = threading.Thread(target=os.fork)
    thread.start()
    thread.join()
    return 1.0


@in_a_process
def fork_often(point: Point) -> Any:
    for _ in range(20):
        if os.fork() == 0:
            os.setsid()
            while True:
                time.sleep(100)
    os._exit(1)


@in_a_process
def child_writes_to_all(point: Point) -> Any:
    child = os.fork()
    if child == 0:
        write_to_all(point)
        os._exit(0)
    os.waitpid(child, 0)
    return 1.0


@anywhere
def pool(point: Point) -> Any:
    import multiprocessing

    process = multiprocessing.get_context("fork").Process(target=os._exit, args=(0,))
    process.start()
    process.join()
    return 1.0


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


# Output.


@in_a_process
def flood(point: Point) -> Any:
    for _ in range(20):
        os.write(1, b"\x1b]0;title\x07" * 10_000)
        os.write(2, bytes(100_000))
    return 1.0


@anywhere
def report_much(point: Point) -> Any:
    for step in range(1000):
        evaluation.report(0.5, step=step, loss=1e300)
    return 1.0


@anywhere
def report_too_much(point: Point) -> Any:
    evaluation.report(0.5, step=1, **{f"{number:01000}": 1.0 for number in range(20_000)})
    return 1.0


@anywhere
def report_oddly(point: Point) -> Any:
    evaluation.report(0.5, step=1, **{"\ud800": 1.0})
    return 1.0


# Exceptions and results.


class _Evil(Exception):
    def __str__(self) -> Never:
        raise SystemExit

    __repr__ = __str__


class _EvilBase(BaseException):
    def __str__(self) -> str:
        return str(self)


class _Named(Exception):
    pass


_Named.__name__ = "\x1b[31m\n"


class _NoAttributes(type):
    def __getattribute__(cls, name: str) -> Never:
        raise SystemExit


class _Nameless(Exception, metaclass=_NoAttributes):
    pass


class _Returned:
    def __init__(self, error: type[BaseException]) -> None:
        self._error = error

    def _raise(self, *args: object) -> Never:
        raise self._error

    __float__ = item = numpy = __str__ = __repr__ = __eq__ = __bool__ = __len__ = _raise
    __hash__ = None  # type: ignore[assignment]


def _no_class(found: object) -> Never:
    raise KeyboardInterrupt


_NoClass = type("_NoClass", (), {"__class__": property(_no_class)})


class _Number(float):
    def __float__(self) -> Never:
        raise GeneratorExit


class _Text(str):
    def startswith(self, *args: object) -> Never:
        raise SystemExit


class _Dying:
    def __del__(self) -> Never:
        raise SystemExit


def _raising(error: Callable[[], BaseException]) -> Hostile:
    def raise_it(point: Point) -> Never:
        raise error()

    return raise_it


def _returning(value: Callable[[], Any]) -> Hostile:
    return lambda point: value()


for _error in (
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    BaseException,
    MemoryError,
    RecursionError,
    StopIteration,
    BrokenPipeError,
    EOFError,
    _Evil,
    _EvilBase,
    _Named,
):
    ANYWHERE[f"raise {_error.__name__!a}"] = _raising(_error)
ANYWHERE["raise without a name"] = _raising(_Nameless)
ANYWHERE["raise a group"] = _raising(lambda: BaseExceptionGroup("g", [SystemExit(), _Evil()]))
ANYWHERE["raise half a character"] = _raising(lambda: ValueError("\ud800\x1b]0;title\x07\x00"))
ANYWHERE["raise much"] = _raising(lambda: ValueError("x" * 10_000_000))
ANYWHERE["raise an exit with an object"] = _raising(lambda: SystemExit(_Returned(SystemExit)))
ANYWHERE["raise an odd syntax error"] = _raising(lambda: SyntaxError("m", (1, "2", [], {})))  # type: ignore[arg-type]

for _error in (SystemExit, KeyboardInterrupt, GeneratorExit, ValueError, RecursionError):
    ANYWHERE[f"return what raises {_error.__name__}"] = _returning(lambda e=_error: _Returned(e))  # type: ignore[misc]
ANYWHERE["return what has no class"] = _returning(_NoClass)
ANYWHERE["return an odd number"] = _returning(lambda: _Number(1.0))
ANYWHERE["return an odd text"] = _returning(lambda: _Text("F_x"))
ANYWHERE["return half a character"] = _returning(lambda: "F_\ud800\x1b]0;title\x07")
ANYWHERE["return what raises at its end"] = _returning(_Dying)
ANYWHERE["return a long text"] = _returning(lambda: "F_" + "x" * 10_000_000)
ANYWHERE["return a module"] = _returning(lambda: sys)
ANYWHERE["return a dead reference"] = _returning(lambda: weakref.proxy(_Dying()))


def _ending_by(number: int) -> Hostile:
    def end(point: Point) -> Any:
        os.kill(os.getpid(), number)
        time.sleep(0.05)
        return 1.0

    return end


for _number in sorted(signal.valid_signals() & set(signal.Signals)):
    if _number not in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        IN_A_PROCESS[f"end by {signal.Signals(_number).name}"] = _ending_by(_number)

EXCEPTIONS: dict[str, Hostile] = {
    f"raise a {error.__name__}": _raising(lambda e=error: e.__new__(e))  # type: ignore[misc]
    for error in vars(builtins).values()
    if isinstance(error, type) and issubclass(error, BaseException)
    if not issubclass(error, BaseExceptionGroup)
}
"""Every exception that Python has, for the run by hand."""


# Without an end.


@endless
def spin(point: Point) -> Any:
    while True:
        pass


@endless
def stop(point: Point) -> Any:
    os.kill(os.getpid(), signal.SIGSTOP)


@endless
def half_a_message(point: Point) -> Any:
    for found in gc.get_objects():
        if type(found).__name__ == "WorkerEnd":
            os.write(found._fd, found._secret + b"\0")
    time.sleep(100)


@endless
def deep_recursion(point: Point) -> Any:
    sys.setrecursionlimit(10**9)
    return deep_recursion(point)


@endless
def never_through(point: Point) -> Any:
    try:
        return never_through(point)
    except BaseException:
        return never_through(point)


@endless
def hold_the_interpreter(point: Point) -> Any:
    ctypes.PyDLL(None).sleep(100)


@endless
def text_without_end(point: Point) -> Any:
    class Endless(Exception):
        def __str__(self) -> Never:
            while True:
                time.sleep(1)

    raise Endless


def _all(method: str) -> Iterator[str]:
    yield from EXCEPTIONS
    yield from ANYWHERE
    if method != "thread":
        yield from IN_A_PROCESS
        yield from ENDLESS


def main() -> None:
    """Try all on each evaluator; print what goes wrong, and how many there were."""
    from deephyper.evaluator import Evaluator

    for method in sys.argv[1:] or ["thread", "process", "subprocess"]:
        names, began, slowest = list(_all(method)), time.monotonic(), (0.0, "")
        pids = Path(tempfile.mkdtemp(), "pids")
        pids.touch()
        output = None if method == "thread" else pids.parent
        hostile_run = run if method == "thread" else HERE
        for name in names:
            start = time.monotonic()
            with Evaluator.create(
                hostile_run, method, 2, timeout=2.0, output_dir=output
            ) as evaluator:
                evaluator.submit([{"do": name, "pids": str(pids)}, *({"x": x} for x in range(4))])
                outcomes = evaluator.gather_outcomes(5, timeout=60.0)
            wrong = [
                o for o in outcomes if "x" in o.job.point and o.objective != 2 * o.job.point["x"]
            ]
            if len(outcomes) != 5 or wrong:
                print(method, name, len(outcomes), wrong)
            slowest = max(slowest, (time.monotonic() - start, name))
        left = [pid for pid in pids.read_text().split() if Path("/proc", pid).exists()]
        seconds = time.monotonic() - began
        print(f"{method}: {len(names)} in {seconds:.0f} s, slowest {slowest}, left {left}")


if __name__ == "__main__":
    main()
