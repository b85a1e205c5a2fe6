"""Run functions that print, report, raise and return what they shouldn't, or never end."""

from __future__ import annotations

import builtins
import ctypes
import gc
import os
import signal
import sys
import time
import weakref
from collections.abc import Callable
from typing import Any, Never

from deephyper import evaluation
from tests.evaluator.hostile.named import (
    ANYWHERE,
    IN_A_PROCESS,
    Hostile,
    Point,
    anywhere,
    endless,
    in_a_process,
)

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
