"""A run function: taking it, sending it to a worker, and calling it.

A function is named by a dotted path (``pkg.module.run``, ``pkg.module:run``) or by a file
(``path/to/file.py``, ``path/to/file.py::run``). It is found and called in the worker, so that the
process that runs a search need not import what the function imports.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from deephyper.errors import LoadError, RunFunctionError
from deephyper.evaluator.reporting import Reports, Send
from deephyper.loading import absolute, current_directory, import_path, load_object, split_spec
from deephyper.objective import Failure, FailureKind, Objective, one_line, read_objective

_LONGEST_TRACEBACK = 20_000
"""Characters of a failure's text that are kept."""

Function = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class RunFunction:
    """A run function, or the way to find it, in a form that can be sent to a worker.

    Attributes:
        spec: dotted path or file path; None for a function object.
        function: the function object, where one was given.
        search_path: ``sys.path`` to find the spec with; None for this process's own.
    """

    spec: str | None = None
    function: Function | None = None
    search_path: tuple[str, ...] | None = None

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
        return cls(function=run)

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
        import cloudpickle

        try:
            pickled = cloudpickle.dumps(self.function)
        except Exception as error:
            raise RunFunctionError(
                f"run can't be sent to another process ({one_line(error)}); define it in a "
                "module, without locks or open files, or use the thread evaluator"
            ) from error
        # The function's own module may be found only through this process's path.
        path = import_path()
        return json.dumps({"pickle": base64.b64encode(pickled).decode(), "search_path": path})

    @classmethod
    def loads(cls, text: str) -> RunFunction:
        """Read what :meth:`dumps` has written in a process that we trust: our own parent."""
        message = json.loads(text)
        path = tuple(message["search_path"])
        if "spec" in message:
            return cls(spec=message["spec"], search_path=path)
        import pickle

        sys.path.extend(entry for entry in path if entry not in sys.path)
        return cls(function=pickle.loads(base64.b64decode(message["pickle"])))


def evaluate(
    function: Function, point: dict[str, Any], send: Send | None = None
) -> Objective | Failure:
    """Call ``run`` on a copy of the point, and return the objective or why there is none.

    Nothing is raised, not even SystemExit, so that a worker survives ``sys.exit()`` in user
    code. But a child that ``run`` has forked ends here, as it would have at the end of its program:
    it must not continue as a second worker.

    Args:
        function: ``run``.
        point: the point.
        send: takes what ``run`` reports on its way.
    """
    process = os.getpid()
    try:
        with Reports(send):
            value = function(dict(point))
    except BaseException as error:
        if os.getpid() != process:
            _end_child(error)
        kind: FailureKind = "out_of_memory" if isinstance(error, MemoryError) else "exception"
        return Failure(kind, one_line(error), _traceback(error))
    if os.getpid() != process:
        _end_child(None)
    return read_objective(value)


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
    return "".join(traceback.format_exception(type(error), error, trace))[-_LONGEST_TRACEBACK:]
