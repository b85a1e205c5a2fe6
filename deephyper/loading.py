"""Loading what a user names: an object by a dotted path or by a file.

``pkg.module.name``, ``pkg.module:name``, ``path/to/file.py``, ``path/to/file.py::name``. In place
of a run function a program may be named: ``-- words of its command line``.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from deephyper.errors import DeepHyperError, LoadError
from deephyper.objective import one_line
from deephyper.suggest import did_you_mean, nearest

PROGRAM = "-- "
"""What the name of a program begins with."""


def current_directory() -> str | None:
    """Return the current directory; None if it has been removed or can't be read."""
    try:
        return os.getcwd()
    except OSError:
        return None


def absolute(path: Path) -> Path:
    """Return an absolute path.

    Raises:
        LoadError: if it is relative to a current directory that has been removed.
    """
    if path.is_absolute():
        return path
    here = current_directory()
    if here is None:
        raise LoadError(
            f"'{path}' can't be found, because the current directory was removed; change to one "
            "that exists, or give an absolute path"
        )
    return Path(here, path)


def import_path() -> list[str]:
    """Return where modules are looked for: ``sys.path`` without what isn't text, as Python does."""
    return [entry for entry in sys.path if isinstance(entry, str)]


def load_object(spec: str, default: str) -> Any:
    """Return the object that a dotted path or a file names.

    Args:
        spec: ``pkg.module.name``, ``pkg.module:name``, ``pkg.module`` or ``path/to/file.py``,
            the latter two with ``default`` as the name; ``path/to/file.py::name`` also works.
        default: name to look for where the spec names only a module or file.

    Raises:
        LoadError: if it isn't there, or importing it fails.
    """
    module_name, file, attribute = split_spec(spec, default)
    if file is not None:
        module = _import_file(file)
    else:
        here = current_directory()
        if here is not None and here not in sys.path:
            # Behind everything that is installed, so that a directory here hides nothing.
            sys.path.append(here)
        _check_no_file(spec)
        module_name, attribute = _module_and_attribute(spec, module_name, attribute, default)
        module = _import(module_name)
    found: Any = module
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            hint = did_you_mean(part, vars(module), otherwise=f"define '{part}' there")
            where = file or f"module '{module_name}'"
            raise LoadError(f"{where} has no '{attribute}'; {hint}") from None
    return found


def names_program(spec: str) -> bool:
    """Return whether a program is named, in place of a run function."""
    return spec.startswith(PROGRAM)


def split_spec(spec: str, default: str) -> tuple[str, Path | None, str]:
    """Return module name, file and attribute; one of the first two is empty or None.

    Of a program, all of them are.
    """
    if names_program(spec):
        return "", None, ""
    text = spec.strip()
    path, separator, attribute = text.partition(".py:")
    if separator:
        return "", Path(path + ".py"), attribute.lstrip(":") or default
    if text.endswith(".py") or os.sep in text:
        path, _, attribute = text.partition("::")
        return "", Path(path), attribute or default
    module, _, attribute = text.partition(":")
    return module, None, attribute.lstrip(":")


def _check_no_file(spec: str) -> None:
    """Raise LoadError for the name of a file that is there and not a Python file."""
    path = Path(spec.strip())
    try:
        there = bool(path.suffix) and path.is_file()
    except (OSError, ValueError):  # it can't be the name of a file
        return
    if there:
        raise LoadError(f"'{path}' is not a Python file; give one that ends in .py")


def _module_and_attribute(
    spec: str, module_name: str, attribute: str, default: str
) -> tuple[str, str]:
    parts = module_name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise LoadError(
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


def file_of(spec: str, default: str) -> str:
    """Return the file that holds what a dotted path or a file names, without importing anything.

    Args:
        spec: as :func:`load_object` takes it.
        default: name to look for where the spec names only a module or file.

    Returns:
        Its path; for a module that has none, the module's name.
    """
    module_name, file, attribute = split_spec(spec, default)
    if file is not None:
        return str(file.absolute())
    names = [module_name] if attribute else [module_name, module_name.rpartition(".")[0]]
    origins = [origin for name in names if name and (origin := _origin(name)) is not None]
    return origins[0] if origins else module_name


def _origin(name: str) -> str | None:
    """Return the file of a module; None if there is none."""
    from importlib.machinery import PathFinder

    path: list[str] | None = None
    found: str | None = None
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        with contextlib.suppress(Exception):
            spec = PathFinder.find_spec(".".join(parts[:end]), path)
            if spec is None:
                return None
            found, path = spec.origin, list(spec.submodule_search_locations or ())
    return found


class _Imports:
    """The imports of users' modules that are under way.

    Process-wide, because a module that starts a search while it is imported calls us from its top
    level, where nothing of the import that it is part of could be handed to it.
    """

    def __init__(self) -> None:
        self._depth = 0

    @property
    def under_way(self) -> bool:
        return self._depth > 0

    @contextlib.contextmanager
    def one_more(self, file: str) -> Iterator[None]:
        """Import what a file holds, with the command line that it would have by itself."""
        self._depth += 1
        try:
            with script_arguments([file]):
                yield
        finally:
            self._depth -= 1


_IMPORTS = _Imports()


@contextlib.contextmanager
def script_arguments(arguments: list[str]) -> Iterator[None]:
    """Let ``sys.argv`` be these words for a while: our own options are not for users' parsers."""
    own = sys.argv
    sys.argv = list(arguments)
    try:
        yield
    finally:
        sys.argv = own


def importing() -> bool:
    """Return whether the module of a problem or a run function is being imported just now."""
    return _IMPORTS.under_way


def _import(name: str, file: str | None = None) -> ModuleType:
    try:
        with _IMPORTS.one_more(file or _origin(name) or name):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise LoadError(
                f"there is no module '{error.name}'; check the name, install it, or run from the "
                "directory that holds it"
            ) from error
        raise _import_failed(file or name, error) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _import_failed(file or name, error) from error


def _import_file(file: Path) -> ModuleType:
    """Import a file so that its siblings, and its package if it is in one, can be imported too."""
    try:
        there = file.exists()
    except OSError as error:
        raise LoadError(f"'{file}' can't be read: {error.strerror or error}") from error
    if not there:
        raise LoadError(f"there is no file '{file}'; {_other_file(file)}")
    if file.suffix != ".py" or not file.is_file():
        raise LoadError(f"'{file}' is not a Python file; give one that ends in .py")
    file = absolute(file).resolve()
    root, parts = file.parent, [file.stem]
    while (root / "__init__.py").is_file() and root.name.isidentifier():
        parts.insert(0, root.name)
        root = root.parent
    for entry in (str(root), str(file.parent)):
        if entry not in sys.path:
            sys.path.insert(0, entry)
    name = ".".join(parts)
    if "." in file.stem or not _imports_as(name, file):
        # Another module has the name already, or none can have it; this one gets a name of its own.
        from deephyper.user_file import name_of

        name = name_of(file)
    return _import(name, str(file))


def _other_file(file: Path) -> str:
    """Return a hint for a file that isn't there."""
    with contextlib.suppress(OSError):
        there = [each.name for each in file.parent.iterdir() if each.suffix == ".py"]
        near = nearest(file.name.removesuffix(".py") + ".py", there, similar=0.8)
        if near is not None:
            return f"did you mean '{file.with_name(near)}'?"
    return "check the path"


def _imports_as(name: str, file: Path) -> bool:
    with contextlib.suppress(Exception):
        spec = importlib.util.find_spec(name)
        return spec is not None and spec.origin is not None and file.samefile(spec.origin)
    return False


def _import_failed(what: str, error: BaseException) -> LoadError:
    if isinstance(error, SyntaxError):
        where = f" ({error.filename}, line {error.lineno})" if error.filename else ""
        return LoadError(f"importing '{what}' failed: SyntaxError: {error.msg}{where}")
    line = line_of(error)
    where = f" ({line})" if line else ""
    if isinstance(error, SystemExit):
        return LoadError(f"importing '{what}' failed: {explain_exit(error, 'it')}{where}")
    # Ours say how to fix it; the name of their class adds nothing.
    reason = str(error) if isinstance(error, DeepHyperError) else one_line(error)
    return LoadError(f"importing '{what}' failed: {reason}{where}")


def explain_exit(error: SystemExit, who: str) -> str:
    """Return what is wrong about user code that ends the program, and what to do.

    Args:
        error: what it raised.
        who: the code, as the subject of a sentence.
    """
    import argparse

    files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
    code = one_line(error)
    if argparse.__file__ in files:
        return (
            f"{code}: {who} parses the command line, which holds its own file alone here; give the "
            "options defaults, or parse them under if __name__ == '__main__':"
        )
    return (
        f"{code}: {who} ends the program; leave that out, or do it under if __name__ == '__main__':"
    )


def line_of(error: BaseException) -> str:
    """Return the file and line of user code where an exception comes from; empty for none."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename != __file__
    ]
    # The line that a user can change, rather than that of a package which it calls.
    own = [frame for frame in frames if not _is_installed(frame.filename)] or frames
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else ""


def _is_installed(filename: str) -> bool:
    path = Path(filename)
    installed = (Path(__file__).parent, Path(os.__file__).parent)
    return "site-packages" in path.parts or any(place in path.parents for place in installed)
