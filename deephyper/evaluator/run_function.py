"""Finding a run function, calling it, and deciding what counts as an objective.

A function is named by a dotted path (``pkg.module.run``, ``pkg.module:run``) or by a file
(``path/to/file.py``, ``path/to/file.py::run``). It is found and called in the worker, so that the
process that steers a search need not import what the function imports.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import importlib.util
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from deephyper.errors import DeepHyperError, RunFunctionError
from deephyper.evaluator.job import Failure, FailureKind

_LONGEST_MESSAGE = 500
_LONGEST_TRACEBACK = 20_000
"""Characters of a failure that are kept."""

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
            _, file, attribute = _split(run, "run")
            spec = run if file is None else f"{file.absolute()}::{attribute}"
            return cls(spec=spec, search_path=(*import_path(), _working_directory()))
        if not callable(run):
            raise RunFunctionError(
                f"run is of type {type(run).__name__}, which can't be called; give a function of "
                "one argument, the point"
            )
        return cls(function=run)

    def load(self) -> Function:
        """The function itself, imported here if need be.

        Raises:
            RunFunctionError: if it can't be found, imported or called.
        """
        if self.function is not None:
            return self.function
        assert self.spec is not None
        for entry in self.search_path or ():
            if entry not in sys.path:
                sys.path.append(entry)
        run = load_object(self.spec, "run")
        if not callable(run):
            raise RunFunctionError(
                f"'{self.spec}' is of type {type(run).__name__}, which can't be called; name a "
                "function of one argument, the point"
            )
        return run

    def dumps(self) -> str:
        """A text that :meth:`loads` turns back, in another process too.

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
                f"run can't be sent to another process ({_one_line(error)}); define it in a "
                "module, without locks or open files, or use the thread evaluator"
            ) from error
        # The function's own module may be found only through this process's path.
        path = import_path()
        return json.dumps({"pickle": base64.b64encode(pickled).decode(), "search_path": path})

    @classmethod
    def loads(cls, text: str) -> RunFunction:
        """Turn back what :meth:`dumps` of a process that we trust, our own parent, wrote."""
        message = json.loads(text)
        path = tuple(message["search_path"])
        if "spec" in message:
            return cls(spec=message["spec"], search_path=path)
        import pickle

        sys.path.extend(entry for entry in path if entry not in sys.path)
        return cls(function=pickle.loads(base64.b64decode(message["pickle"])))


def evaluate(function: Function, point: dict[str, Any]) -> float | Failure:
    """Call ``run`` on a copy of the point and say what came of it. Never raises.

    Only what must end the process is let through: nothing, not even SystemExit, so that a worker
    lives on after ``sys.exit()`` in user code. But a child that ``run`` has forked ends here, as it
    would have at the end of its program: it must not go on as a second worker.
    """
    process = os.getpid()
    try:
        value = function(dict(point))
    except BaseException as error:
        if os.getpid() != process:
            _end_child(error)
        kind: FailureKind = "out_of_memory" if isinstance(error, MemoryError) else "exception"
        return Failure(kind, _one_line(error), _traceback(error))
    if os.getpid() != process:
        _end_child(None)
    try:
        return read_objective(value)
    except Exception as error:
        return Failure("not_a_number", f"the result can't be read: {_one_line(error)}")


def read_objective(value: Any) -> float | Failure:
    """A finite number, or why what ``run`` returned is none.

    Numbers, and scalars of numpy, TensorFlow and PyTorch count; ``"F_reason"`` reports a failure.
    """
    if value is None:
        return Failure("none", "run returned None; return the objective to maximize")
    if isinstance(value, str):
        if value == "F" or value.startswith("F_"):
            reason = value[2:].strip()
            reason = " ".join(reason.split())[:_LONGEST_MESSAGE]
            return Failure("reported", reason or "run reported a failure")
        return Failure("not_a_number", f"run returned the text {value[:80]!r}, not a number")
    if not isinstance(value, (int, float)):
        try:
            value = value.item() if hasattr(value, "item") else value
            value = value.numpy() if hasattr(value, "numpy") else value
            value = float(value)
        except Exception:
            what = f"run returned something of type {type(value).__name__}, not a number"
            return Failure("not_a_number", what)
    try:
        number = float(value)
    except OverflowError:
        return Failure("infinite", "run returned a number too large for a float")
    if math.isnan(number):
        return Failure("nan", "run returned NaN")
    if math.isinf(number):
        return Failure("infinite", f"run returned {number}")
    return number


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError as error:
        raise RunFunctionError(
            f"the current folder can't be told ({error.strerror}); go to one that exists"
        ) from error


def import_path() -> list[str]:
    """Where modules are looked for: ``sys.path`` without what isn't text, as Python skips it."""
    return [entry for entry in sys.path if isinstance(entry, str)]


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


def load_object(spec: str, default: str) -> Any:
    """The object that a dotted path or a file names.

    Args:
        spec: ``pkg.module.name``, ``pkg.module:name``, ``pkg.module`` or ``path/to/file.py``,
            the latter two with ``default`` as the name; ``path/to/file.py::name`` also works.
        default: name to look for where the spec names only a module or file.

    Raises:
        RunFunctionError: if it isn't there, or importing it fails.
    """
    module_name, file, attribute = _split(spec, default)
    if file is not None:
        module = _import_file(file)
    else:
        if _working_directory() not in sys.path:
            # Behind everything that is installed, so that a folder here hides nothing.
            sys.path.append(_working_directory())
        module_name, attribute = _module_and_attribute(spec, module_name, attribute, default)
        module = _import(module_name)
    found: Any = module
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            import difflib

            near = difflib.get_close_matches(part, vars(module), n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"define '{part}' there"
            where = file or f"module '{module_name}'"
            raise RunFunctionError(f"{where} has no '{attribute}'; {hint}") from None
    return found


def _split(spec: str, default: str) -> tuple[str, Path | None, str]:
    """Module name, file and attribute; either of the first two is empty."""
    text = spec.strip()
    path, separator, attribute = text.partition(".py:")
    if separator:
        return "", Path(path + ".py"), attribute.lstrip(":") or default
    if text.endswith(".py") or os.sep in text:
        path, _, attribute = text.partition("::")
        return "", Path(path), attribute or default
    module, _, attribute = text.partition(":")
    return module, None, attribute.lstrip(":")


def _module_and_attribute(
    spec: str, module_name: str, attribute: str, default: str
) -> tuple[str, str]:
    parts = module_name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise RunFunctionError(
            f"'{spec}' is neither a file nor a dotted path such as 'package.module.{default}'"
        )
    if attribute:
        return module_name, attribute
    if len(parts) == 1 or (parts[-1] != default and _is_module(module_name)):
        return module_name, default
    return ".".join(parts[:-1]), parts[-1]


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except Exception:
        return False


_imports = 0


def importing() -> bool:
    """Whether the file of a problem or a run function is being imported just now."""
    return _imports > 0


@contextlib.contextmanager
def _marked_as_import() -> Iterator[None]:
    global _imports
    _imports += 1
    try:
        yield
    finally:
        _imports -= 1


def _import(name: str) -> ModuleType:
    try:
        with _marked_as_import():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise RunFunctionError(
                f"there is no module '{error.name}'; check the name, install it, or run from the "
                "folder that holds it"
            ) from error
        raise _import_failed(name, error) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _import_failed(name, error) from error


def _import_file(file: Path) -> ModuleType:
    """Import a file so that its siblings, and its package if it is in one, can be imported too."""
    try:
        there = file.exists()
    except OSError as error:
        raise RunFunctionError(f"'{file}' can't be read: {error.strerror or error}") from error
    if not there:
        raise RunFunctionError(f"there is no file '{file}'; check the path")
    if file.suffix != ".py" or not file.is_file():
        raise RunFunctionError(f"'{file}' is not a Python file; give one that ends in .py")
    file = file.resolve()
    root, parts = file.parent, [file.stem]
    while (root / "__init__.py").is_file() and root.name.isidentifier():
        parts.insert(0, root.name)
        root = root.parent
    for entry in (str(root), str(file.parent)):
        if entry not in sys.path:
            sys.path.insert(0, entry)
    name = ".".join(parts)
    if not _imports_as(name, file):
        # Another module has the name already; this one gets a name of its own.
        import hashlib

        name = f"{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"
        if name not in sys.modules:
            return _execute(name, file)
    return _import(name)


def _imports_as(name: str, file: Path) -> bool:
    with contextlib.suppress(Exception):
        spec = importlib.util.find_spec(name)
        return spec is not None and spec.origin is not None and file.samefile(spec.origin)
    return False


def _execute(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _marked_as_import():
            spec.loader.exec_module(module)
    except KeyboardInterrupt:
        del sys.modules[name]
        raise
    except BaseException as error:
        del sys.modules[name]
        raise _import_failed(str(file), error) from error
    return module


def _import_failed(what: str, error: BaseException) -> RunFunctionError:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen")
        and frame.filename != __file__
        and Path(frame.filename).parent.name != "importlib"
    ]
    if isinstance(error, SyntaxError):
        where = f" ({error.filename}, line {error.lineno})" if error.filename else ""
        return RunFunctionError(f"importing '{what}' failed: SyntaxError: {error.msg}{where}")
    # The line that a user can change, rather than that of a package which it calls.
    own = [frame for frame in frames if not _is_installed(frame.filename)] or frames
    where = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    # Ours say what to mend; the name of their class says no more.
    reason = str(error) if isinstance(error, DeepHyperError) else _one_line(error)
    return RunFunctionError(f"importing '{what}' failed: {reason}{where}")


def _is_installed(filename: str) -> bool:
    path = Path(filename)
    return "site-packages" in path.parts or Path(__file__).parents[1] in path.parents


def _one_line(error: BaseException) -> str:
    return " ".join("".join(traceback.format_exception_only(error)).split())[:_LONGEST_MESSAGE]


def _traceback(error: BaseException) -> str:
    """The traceback from the user's function on, without our own frame."""
    trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
    return "".join(traceback.format_exception(type(error), error, trace))[-_LONGEST_TRACEBACK:]
