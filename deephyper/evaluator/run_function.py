"""A run function: taking it, sending it to a worker, and calling it.

A function is named by a dotted path (``pkg.module.run``, ``pkg.module:run``) or by a file
(``path/to/file.py``, ``path/to/file.py::run``). It is found and called in the worker, so that the
process that runs a search need not import what the function imports.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from deephyper.errors import LoadError, ResultsError, RunFunctionError
from deephyper.evaluator.current import Context
from deephyper.loading import (
    absolute,
    current_directory,
    explain_exit,
    file_of,
    import_path,
    line_of,
    load_object,
    split_spec,
)
from deephyper.objective import Failure, FailureKind, Objective, Result, one_line, read_result

_LONGEST_TRACEBACK = 20_000
"""Characters of a failure's text that are kept."""
_MOST_FRAMES = 100
"""Calls of an exception that are kept, the last ones; of one that comes of another, of each."""
_NAME = vars(type)["__name__"]

Function = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class RunFunction:
    """A run function, or the way to find it, in a form that can be sent to a worker.

    Attributes:
        spec: dotted path or file path; None for a function object.
        function: the function object, where one was given.
        search_path: ``sys.path`` to find the spec with; None for this process's own.
        file: where a function object was defined; empty if that is no file.
    """

    spec: str | None = None
    function: Function | None = None
    search_path: tuple[str, ...] | None = None
    file: str = ""

    @classmethod
    def of(cls, run: str | Function | RunFunction) -> RunFunction:
        """Take a spec, a function or a RunFunction.

        Raises:
            RunFunctionError: if it is none of them.
        """
        if isinstance(run, RunFunction):
            return run
        if isinstance(run, str):
            _, file, attribute = split_spec(run, "run")
            spec = run if file is None else f"{absolute(file)}::{attribute}"
            here = current_directory()
            return cls(spec=spec, search_path=(*import_path(), *([here] if here else [])))
        if not callable(run):
            raise RunFunctionError(
                f"run is of type {type(run).__name__}, which can't be called; give a function of "
                "one argument, the point"
            )
        return cls(function=run, file=_defined_in(run))

    def argv(self) -> list[str]:
        """Return the words of the command line as the function is to see them: its file alone."""
        return [self.file if self.spec is None else file_of(self.spec, "run")]

    def load(self) -> Function:
        """Return the function itself, imported here if need be.

        Raises:
            RunFunctionError: if it can't be found, imported or called.
        """
        if self.function is not None:
            return self.function
        assert self.spec is not None
        for entry in self.search_path or ():
            if entry not in sys.path:
                sys.path.append(entry)
        try:
            run: Function = load_object(self.spec, "run")
        except LoadError as error:
            raise RunFunctionError(str(error)) from error
        if not callable(run):
            raise RunFunctionError(
                f"'{self.spec}' is of type {type(run).__name__}, which can't be called; name a "
                "function of one argument, the point"
            )
        return run

    def dumps(self) -> str:
        """Return a text that :meth:`loads` turns back, in another process too.

        Raises:
            RunFunctionError: if a function object can't be sent to another process.
        """
        if self.function is None:
            path = self.search_path or import_path()
            return json.dumps({"spec": self.spec, "search_path": path})
        from deephyper.evaluator.worker.main_module import pickled

        try:
            data = pickled(self.function)
        except Exception as error:
            raise RunFunctionError(
                f"run can't be sent to another process ({one_line(error)}); define it in a "
                "module, without locks or open files, or use the thread evaluator"
            ) from error
        # The function's own module may be found only through this process's path.
        values = {"pickle": base64.b64encode(data).decode(), "search_path": import_path()}
        return json.dumps({**values, "file": self.file})

    @classmethod
    def loads(cls, text: str) -> RunFunction:
        """Read what :meth:`dumps` has written in a process that we trust: our own parent."""
        message = json.loads(text)
        path = tuple(message["search_path"])
        if "spec" in message:
            return cls(spec=message["spec"], search_path=path)
        from deephyper.evaluator.worker.main_module import unpickled

        sys.path.extend(entry for entry in path if entry not in sys.path)
        file = message["file"]
        sys.argv = [file]  # what it needs is imported now
        return cls(function=unpickled(base64.b64decode(message["pickle"])), file=file)


def _defined_in(function: Function) -> str:
    """Return the file of a function, or of what can be called; empty for none."""
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    name = getattr(inner, "__module__", None)
    module = sys.modules.get(name) if isinstance(name, str) else None
    file = getattr(module, "__file__", None)
    return os.path.abspath(file) if isinstance(file, str) else ""


def evaluate(function: Function, point: dict[str, Any]) -> Objective | Failure:
    """Call ``run`` as :func:`call` does; return the objective alone, or why there is none."""
    return call(function, point).value


def call(function: Function, point: dict[str, Any], context: Context | None = None) -> Result:
    """Call ``run`` on a copy of the point, and return what it came to.

    Nothing is raised, not even SystemExit, so that a worker survives ``sys.exit()`` in user
    code. But a child that ``run`` has forked ends here, as it would have at the end of its program:
    it must not continue as a second worker.

    Args:
        function: ``run``.
        point: the point.
        context: the evaluation, as what ``run`` calls sees it; None for none.
    """
    process = os.getpid()
    depth = sys.getrecursionlimit()
    try:
        with context or contextlib.nullcontext():
            value = function(dict(point))
    except BaseException as error:
        sys.setrecursionlimit(depth)
        if os.getpid() != process:
            _end_child(error)
        pruned = context is not None and context.pruned
        if context is not None and not pruned and _is_final(error):
            context.discard_claimed()
        return Result(failure_of(error), pruned=pruned)
    sys.setrecursionlimit(depth)
    if os.getpid() != process:
        _end_child(None)
    if context is not None and context.pruned:
        return Result(Failure("reported", "it was ended early"), pruned=True)
    result = read_result(value)
    if context is not None and isinstance(result.value, Failure):
        context.discard_claimed()
    return result


def _is_final(error: BaseException) -> bool:
    """Return whether nothing is to continue from the files of the evaluation.

    KeyboardInterrupt and SystemExit may come from outside. A file that can't be used is what its
    error tells of, and stays to be looked at.
    """
    return isinstance(error, Exception) and not isinstance(error, ResultsError)


def failure_of(error: BaseException) -> Failure:
    """Return the failure that an exception is, whatever user code does where it is looked at."""
    kind: FailureKind = "exception"
    try:
        if isinstance(error, MemoryError):
            kind = "out_of_memory"
        return Failure(kind, _message(error), _traceback(error))
    except BaseException:
        name = _NAME.__get__(type(error))  # whatever the class makes of its attributes
        return Failure(kind, f"{name}, which can't be shown")


def _message(error: BaseException) -> str:
    if not isinstance(error, SystemExit):
        return one_line(error)
    line = line_of(error)
    return explain_exit(error, "run") + (f" ({line})" if line else "")


def _end_child(error: BaseException | None) -> NoReturn:
    """End a forked process with the status that its interpreter would end with."""
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        traceback.print_exception(error)
        status = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status & 0xFF)


def _traceback(error: BaseException) -> str:
    """Return the traceback from the user's function on, without our own frame."""
    trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
    lines = traceback.TracebackException(
        type(error), error, trace, limit=-_MOST_FRAMES, compact=True
    ).format()
    return "".join(lines)[-_LONGEST_TRACEBACK:]
