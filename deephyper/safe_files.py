"""Files in a directory that others may write to, opened so that nothing planted there does harm.

Whoever may write to the directory of a search could put something else in the place of one of its
files: a link, which would lead what is written into another file of the user's, a FIFO, which
blocks who opens it, a device, which never ends. So the last part of a path is never a link that is
followed, what is opened is a regular file of the user's own, and new files are made under names
that nobody can guess, then renamed.
"""

from __future__ import annotations

import errno
import glob
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from deephyper.checks import user_path
from deephyper.errors import ResultsError, argument
from deephyper.standard_streams import open_apart

_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PARTIAL = ".partial"
_CHUNK = 1 << 20  # bytes
_TAIL = 1 << 16
"""Bytes at the end of a file in which its last lines are looked for."""
_COPY = "replace it with a copy of your own"


def open_to_read(path: Path) -> int:
    """Return the descriptor of a file to read.

    Raises:
        ResultsError: if it is a link, something else than a file, or somebody else's.
        OSError: if it can't be read.
    """
    return _checked(path, os.O_RDONLY, written=False)


def last_lines(path: Path, lines: int) -> list[str]:
    """Return the last lines of a text file; none where it can't be read."""
    try:
        with os.fdopen(open_to_read(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _TAIL))
            return file.read(_TAIL).decode(errors="replace").splitlines()[-lines:]
    except (OSError, ResultsError):
        return []


def open_to_append(path: Path) -> int:
    """Return the descriptor of a file to read and to append to; it is made if it isn't there.

    Raises:
        ResultsError: if it is a link, has a second name, is something else than a file, or somebody
            else's.
        OSError: if it can't be written.
    """
    return _checked(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, written=True)


def open_partial(path: Path) -> tuple[int, Path]:
    """Make a file that is to replace another one, and return its descriptor and its path.

    Args:
        path: the file that it is to replace.

    Raises:
        OSError: if it can't be made.
    """
    partial = path.with_name(f"{_prefix(path)}{secrets.token_hex(8)}{_PARTIAL}")
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
    return open_apart(partial, flags | _SAFELY, 0o666), partial


def save_whole(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write all of a file or nothing of it; a link leads to the file that is written.

    Args:
        path: the file.
        data: what it is to hold.
        force: write over a file that is there.

    Raises:
        ResultsError: if the file exists, or it can't be written.
    """
    try:
        _save_whole(Path(os.path.realpath(path)), data, force)
    except FileExistsError:
        raise exists_already(path) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(f"'{path}' can't be written ({reason}); choose another place") from error


def new_file(
    path: str | os.PathLike[str], endings: Sequence[str], *, named: str, force: bool = False
) -> Path:
    """Return the path of a file that can be saved in, as far as that is known before.

    Args:
        path: of the file.
        endings: one of which its name has, in lower case.
        named: those that an error tells of.
        force: write over a file that is there.

    Raises:
        ResultsError: if the ending is another, the file exists, or its directory doesn't.
        SettingsError: if it isn't a path.
    """
    path = user_path("the file to save in", path)
    if path.suffix.lower() not in endings:
        raise ResultsError(f"'{path}' should be a name that ends in {named}")
    if not force and os.path.lexists(path):
        raise exists_already(path)
    if not path.parent.is_dir():
        raise ResultsError(
            f"'{path}' can't be written (there is no directory '{path.parent}'); choose another "
            "place"
        )
    return path


def exists_already(path: Path) -> ResultsError:
    """Return the error about a file that is there and isn't to be replaced."""
    return ResultsError(
        f"'{path}' exists already; choose another name, or replace it with "
        f"{argument('force', 'True')}"
    )


def remove_partial(path: Path) -> None:
    """Remove what processes that were killed have left of files that were to replace another one.

    Args:
        path: the file that they were to replace; nobody else may be replacing it now.
    """
    for partial in path.parent.glob(f"{glob.escape(_prefix(path))}*{_PARTIAL}"):
        partial.unlink(missing_ok=True)


def open_to_others(directory: Path, *, group: bool = False) -> bool:
    """Return whether others than its owner may write to a directory.

    Args:
        directory: it; one that isn't there is open to nobody.
        group: whether the members of its group count. A group that is the user's alone has the
            user's name and doesn't.
    """
    try:
        status = os.stat(directory)
    except OSError:
        return False
    if status.st_mode & stat.S_IWOTH:
        return True
    return group and bool(status.st_mode & stat.S_IWGRP) and not _is_private(status)


def is_own(path: Path) -> bool:
    """Return whether a file or directory belongs to the user that this process runs as."""
    try:
        return os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False


def _checked(path: Path, flags: int, *, written: bool) -> int:
    try:
        fd = open_apart(path, flags | _SAFELY, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP and path.is_symlink():
            raise _refused(path, "is a symbolic link", "put the file itself there") from error
        if error.errno in (errno.ENXIO, errno.EISDIR, errno.ENODEV) and os.path.lexists(path):
            raise _refused(path, "is not a regular file", "move it away") from error
        raise
    try:
        _check(path, os.fstat(fd), written)
        os.set_blocking(fd, True)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _check(path: Path, status: os.stat_result, written: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _refused(path, "is not a regular file", "move it away")
    # In a container the user may be root, and the directory and all in it another's.
    if status.st_uid not in (os.geteuid(), os.stat(path.parent).st_uid):
        raise _refused(path, f"belongs to another user (uid {status.st_uid})", _COPY)
    if written and status.st_nlink > 1:
        raise _refused(path, "has a second name (a hard link)", _COPY)


def _save_whole(path: Path, data: bytes, force: bool) -> None:
    """Write all of a file or nothing.

    Raises:
        FileExistsError: if it is there and ``force`` isn't given.
        OSError: if it can't be written.
    """
    if force and path.exists() and not path.is_file():
        path.write_bytes(data)  # a pipe or a device, which must stay one
        return
    fd, partial = open_partial(path)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        _move(partial, path, force)
    finally:
        partial.unlink(missing_ok=True)


def _move(path: Path, target: Path, force: bool) -> None:
    if not force:
        try:
            os.link(path, target)
            return
        except FileExistsError:
            raise
        except OSError as error:  # a file system without links
            if target.exists():
                raise FileExistsError(target) from error
    path.replace(target)


def _refused(path: Path, what: str, remedy: str) -> ResultsError:
    return ResultsError(f"'{path}' {what}; {remedy}, or use another directory")


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _is_private(status: os.stat_result) -> bool:
    import grp
    import pwd

    try:
        group = grp.getgrgid(status.st_gid)
        return not group.gr_mem and group.gr_name == pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return False


def begins(file: BinaryIO, written: int) -> bool:
    """Return whether the whole lines of a file are the first ones of another, not shorter one."""
    if os.fstat(file.fileno()).st_size > os.fstat(written).st_size:
        return False
    place = 0
    while chunk := file.read(_CHUNK):
        expected = os.pread(written, len(chunk), place)
        place += len(chunk)
        if chunk != expected:
            pairs = enumerate(zip(chunk, expected, strict=False))
            other = chunk[next((i for i, (a, b) in pairs if a != b), len(expected)) :]
            while other and b"\n" not in other:
                other = file.read(_CHUNK)
            return not other
    return True
