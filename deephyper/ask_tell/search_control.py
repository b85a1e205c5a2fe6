"""Control of a search that runs, from another process or another node.

A request is a file in a directory that the user alone can read and write;
the answer is another, see :mod:`deephyper.control`.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deephyper.ask_tell.status import require_search
from deephyper.checks import real, whole
from deephyper.control.requests import (
    ANSWER,
    DIRECTORY,
    LONGEST,
    REQUEST,
    Answer,
    Request,
    decode_answer,
    encode,
    new_id,
)
from deephyper.errors import ProblemError, ResultsError, SettingsError, argument
from deephyper.holder import read_holder, session_of
from deephyper.printable import shell_word
from deephyper.safe_files import is_own, open_to_others, open_to_read
from deephyper.search.log_dir import LogDir
from deephyper.standard_streams import open_apart

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

DEFAULT_TIMEOUT = 30.0
"""Seconds that an answer is waited for."""
_POLL_SECONDS = 0.05
_LOOK_SECONDS = 1.0
"""Between two looks whether the search still runs."""
_TAKEN_SECONDS = 10.0
"""The time for an answer to a request that can't be taken back any more."""


class NoAnswer(ResultsError):
    """A search that runs and has not answered in time; the request was taken back."""


class SearchControl:
    """Controls the search that runs in a log directory. Each method returns what was done.

    The search carries a request out between two looks at its evaluations, within a second usually;
    all methods wait for its answer.

    Args:
        log_dir: the directory.
        timeout: seconds to wait for the answer.

    Raises:
        SettingsError: if an argument can't be used.
    """

    def __init__(
        self, log_dir: str | os.PathLike[str], *, timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        self._log_dir = LogDir(log_dir)
        self._timeout = real("timeout", timeout, above=0, unit="seconds")

    def pause(self) -> str:
        """Begin no new evaluations; those that run go on.

        Raises:
            NoAnswer: if it doesn't answer in time, here and in every method.
            ResultsError: if no search runs in the directory, others may write to it, or the search
                refuses, here and in every method.
        """
        return self._ask(Request(action="pause"))

    def resume(self) -> str:
        """Begin evaluations again after :meth:`pause`."""
        return self._ask(Request(action="resume"))

    def stop(self, *, at_once: bool = False) -> str:
        """End the search as Ctrl-C does.

        Args:
            at_once: end what runs too, as the second Ctrl-C does.
        """
        return self._ask(Request(action="stop", at_once=at_once))

    def set_max_evals(self, number: int) -> str:
        """Make so many evaluations in all; a later session keeps to it.

        Args:
            number: evaluations in all, those that have ended included.

        Raises:
            SettingsError: if it is below 1.
        """
        return self._ask(Request(action="max-evals", number=whole("max_evals", number, 1, 10**15)))

    def set_num_workers(self, number: int) -> str:
        """Have more or fewer workers; those that are too many end with their evaluations.

        Args:
            number: of workers.

        Raises:
            SettingsError: if it is below 1.
        """
        return self._ask(Request(action="workers", number=whole("num_workers", number, 1, 10**15)))

    def stop_evaluation(self, id: str | int, *, grace: float | None = None) -> str:
        """End one evaluation: it is asked to end, and ended after a while.

        What it has reported counts, as where the search itself ends it early; without a report it
        has failed, "stopped by its user".

        Args:
            id: of the evaluation.
            grace: seconds that it gets; None for those of the search's ``stop_grace``.

        Raises:
            SettingsError: if an argument can't be used.
        """
        text = str(id)
        if not text.isdecimal() or len(text) > 18 or text != str(int(text)):
            raise SettingsError(f"the evaluation is {text!r}; give its id, such as 12")
        seconds = None if grace is None else real("grace", grace, unit="seconds")
        return self._ask(Request(action="stop-evaluation", evaluation=text, grace=seconds))

    def enqueue(self, point: Mapping[str, Any]) -> str:
        """Evaluate a point as soon as a worker is free, before those that the optimizer proposes.

        It counts as one of the evaluations. A later session keeps it where it has not begun.

        Args:
            point: hyperparameter name -> value; what is missing has its default.

        Raises:
            ProblemError: if it is not one of the search space.
        """
        checked = dict(point)
        require_search(self._log_dir)
        space, has_rules = self._space()
        if space is not None:
            try:
                checked = space.validate(checked, complete=True)
            except ProblemError:
                # The defaults of the problem, which the journal doesn't have, may be others.
                names = set(space.hyperparameter_names)
                if names <= set(checked) or not has_rules:
                    raise
                checked = dict(point)
            else:
                checked = {name: checked[name] for name in point}
        return self._ask(Request(action="enqueue", point=checked))

    # -- the files --------------------------------------------------------------------------------

    def _ask(self, request: Request) -> str:
        """Make a request, and wait for its answer."""
        path = self._log_dir.path
        require_search(self._log_dir)
        self._require_own()
        session = self._session()
        request.session = session
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(path / DIRECTORY, 0o700)
            directory = open_apart(path / DIRECTORY, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            raise ResultsError(
                f"'{path / DIRECTORY}' can't be used ({error.strerror or error}); free some space "
                "or fix the permissions"
            ) from error
        id_ = new_id()
        try:
            status = os.fstat(directory)
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise ResultsError(f"others may write to '{path / DIRECTORY}'; remove it")
            self._put(directory, id_, encode(request))
            try:
                answer = self._wait(directory, id_, session)
            except BaseException:
                _remove(directory, f"{id_}{REQUEST}")
                raise
        except OSError as error:
            raise ResultsError(
                f"'{path / DIRECTORY}' can't be written ({error.strerror or error}); only the user "
                "whose search it is can control it"
            ) from error
        finally:
            os.close(directory)
        with contextlib.suppress(OSError):  # where the search has ended meanwhile
            if session_of(path) is None:
                os.rmdir(path / DIRECTORY)
        if not answer.done:
            raise ResultsError(f"not done: {answer.text}")
        return answer.text

    def _require_own(self) -> None:
        """Check that nobody else can make requests there."""
        path = self._log_dir.path
        if not is_own(path) and os.geteuid() != 0:
            raise ResultsError(
                f"'{path}' belongs to another user, who alone can control the search there"
            )
        if open_to_others(path, group=True):
            raise ResultsError(
                f"others may write to '{path}', so its search takes no requests; "
                f"chmod go-w {shell_word(str(path))} leaves it to you"
            )

    def _session(self) -> str:
        """Return the session that runs.

        Raises:
            ResultsError: if none does.
        """
        path = self._log_dir.path
        holder = read_holder(path)
        session = session_of(path)
        if holder is None or session is None:
            raise ResultsError(
                f"no search runs in '{path}'; resume it first (deephyper status tells how it "
                "stands)"
            )
        if not holder.alive:
            raise ResultsError(
                f"no search runs in '{path}': process {holder.pid} on {holder.host}, which had it, "
                "is gone; resume it first"
            )
        return session

    def _put(self, directory: int, id_: str, data: bytes) -> None:
        """Put a whole file into the directory, which its owner alone can read."""
        if len(data) > LONGEST:
            raise SettingsError("the request is too long; use a shorter point")
        partial = f".{id_}.partial"
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=directory)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
            os.rename(partial, f"{id_}{REQUEST}", src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            _remove(directory, partial)
            raise

    def _wait(self, directory: int, id_: str, session: str) -> Answer:
        """Wait for the answer to a request, and remove it."""
        path = self._log_dir.path
        until = time.monotonic() + self._timeout
        look = time.monotonic() + _LOOK_SECONDS
        while True:
            answer = self._answer(id_)
            if answer is not None:
                _remove(directory, f"{id_}{ANSWER}")
                return answer
            now = time.monotonic()
            if now >= until:
                if _remove(directory, f"{id_}{REQUEST}"):
                    raise NoAnswer(
                        f"the search in '{path}' has not answered for {self._timeout:g} s, and the "
                        f"request was taken back; try it again, or with a longer "
                        f"{argument('timeout')}"
                    )
                if now >= until + _TAKEN_SECONDS:
                    raise NoAnswer(f"the search in '{path}' has taken the request and is gone")
            if now >= look:
                look = now + _LOOK_SECONDS
                holder = read_holder(path)
                gone = holder is None or not holder.alive or session_of(path) != session
                if gone and self._answer(id_) is None and _remove(directory, f"{id_}{REQUEST}"):
                    raise ResultsError(
                        f"the search in '{path}' has ended before it answered; nothing was done"
                    )
            time.sleep(_POLL_SECONDS)

    def _answer(self, id_: str) -> Answer | None:
        """Return the answer to a request; None as long as there is none."""
        try:
            fd = open_to_read(self._log_dir.path / DIRECTORY / f"{id_}{ANSWER}")
        except OSError:
            return None
        try:
            return decode_answer(os.read(fd, LONGEST))
        except (OSError, ValueError):
            return Answer(False, "its answer can't be read")
        finally:
            os.close(fd)

    def _space(self) -> tuple[HpProblem | None, bool]:
        """Return the search space as the journal describes it, None where that can't be read; and
        whether its hyperparameters depend on each other."""
        from deephyper.search import events
        from deephyper.search.replay import read_events
        from deephyper.space_file.config_space import space_of_config_space
        from deephyper.space_file.document import Document

        first = next(read_events(self._log_dir.path), None)
        if not isinstance(first, events.SearchBegan):
            return None, False
        space = first.space
        tree = {
            "hyperparameters": [
                {"name": name, **each} for name, each in space["hyperparameters"].items()
            ],
            "conditions": space["conditions"],
            "forbiddens": space["forbiddens"],
        }
        has_rules = bool(space["conditions"] or space["forbiddens"])
        with contextlib.suppress(ProblemError):
            return space_of_config_space(Document("the journal", tree)).problem, has_rules
        return None, has_rules


def _remove(directory: int, name: str) -> bool:
    """Remove a file; return whether it was there."""
    try:
        os.unlink(name, dir_fd=directory)
    except OSError:
        return False
    return True
