"""The program that keeps a worker between the evaluations of a launcher in the job mode serial.

It is started by the first of them, see :mod:`deephyper.balsam.kept_worker`, and ends when the
launcher has ended, when nobody has needed the worker for a while, when an evaluation goes away in
the middle, or when its worker can't be used any more. Its worker ends with it, however it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any

from deephyper.balsam.kept_worker import Lines, Place, began, is_ours, make_private
from deephyper.evaluator.worker.environment import thread_variables
from deephyper.evaluator.worker.guard import Reaper
from deephyper.evaluator.worker.messages import JobEnded, to_json
from deephyper.evaluator.worker.worker_process import POLL_SECONDS, WorkerProcess
from deephyper.job import Job

_REQUEST_SECONDS = 60.0
"""The time in which whoever connects says what it wants."""


def main() -> None:
    """Keep the worker of the evaluation that has started this program."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    first = Lines(socket.socket(fileno=int(sys.argv[1])))
    settings = json.loads(sys.argv[2])
    place = Place(**settings["place"])
    launcher = os.pidfd_open(place.launcher)
    if began(place.launcher) != place.began:
        return
    run = first.receive(_REQUEST_SECONDS)
    variables = thread_variables(settings["threads"])
    _Keeper(run, variables, place, launcher, settings["idle"]).serve(first)


class _Keeper:
    """The keeper in this process.

    Args:
        run: the run function as :meth:`RunFunction.dumps` gives it.
        variables: to set in the worker's environment.
        place: where to be found.
        launcher: descriptor of the launcher's process.
        idle: seconds for which a worker is kept that nobody needs.
    """

    def __init__(
        self, run: str, variables: dict[str, str], place: Place, launcher: int, idle: float
    ) -> None:
        self._place = place
        self._address = place.address(os.getpid())
        self._launcher = launcher
        self._idle = idle
        self._listener: socket.socket | None = None
        self._reaper = Reaper()
        self._worker = WorkerProcess(run, self._reaper, variables)
        self._worker_ended = False

    def serve(self, connection: Lines | None) -> None:
        """Serve an evaluation, and others after it, as long as the worker can be kept."""
        try:
            while connection is not None and self._evaluate(connection):
                connection.close()
                connection = self._next()
        finally:
            # In this order: an evaluation waits until its worker has ended.
            self._stop_listening()
            self._end_worker()
            self._reaper.close()
            if connection is not None:
                connection.close()
            with contextlib.suppress(OSError):
                os.rmdir(self._place.directory)

    def _evaluate(self, connection: Lines) -> bool:
        """Run the job of an evaluation; return whether the worker is kept."""
        try:
            request = connection.receive(_REQUEST_SECONDS)
            if request is None:
                return False
            connection.send("taken")
            self._start(request)
            while not connection.closed:
                self._wait(connection)
                for message in self._worker.events():
                    ended = isinstance(message, JobEnded)
                    # The next evaluation may look for it as soon as this one has ended.
                    kept = ended and self._worker.usable and self._listen()
                    if ended and not kept:
                        self._end_worker()
                    connection.send(to_json(message))
                    if ended:
                        return kept
        except (OSError, ValueError):
            pass  # the evaluation has gone away
        return False

    def _start(self, request: dict[str, Any]) -> None:
        job = Job(
            request["id"],
            request["point"],
            request["attempt"],
            request["own_directory"],
            request["seed"],
        )
        self._worker.start(
            job,
            request["output"],
            request["directory"],
            request["variables"],
            worker=socket.gethostname(),
        )

    def _end_worker(self) -> None:
        if not self._worker_ended:
            self._worker_ended = True
            self._worker.kill()

    def _wait(self, connection: Lines) -> None:
        """Wait for the worker to say something, or for the evaluation to go away."""
        poll = select.poll()
        for fd, events in self._worker.interest.items():
            poll.register(fd, events)
        poll.register(connection.fileno(), select.POLLIN)
        ready = poll.poll(1000 * POLL_SECONDS if self._worker.has_to_be_asked else None)
        if connection.fileno() in {fd for fd, _ in ready}:
            for line in connection.waiting(0.0):
                if isinstance(line, dict) and "stop" in line:
                    self._worker.request_stop(line["stop"])

    def _listen(self) -> bool:
        """Be found by the next evaluation; return whether that is possible."""
        listener = socket.socket(socket.AF_UNIX)
        # Its name appears when it can be connected to.
        before = self._place.address_before(os.getpid())
        try:
            self._bind(listener, before)
            listener.listen()
            os.rename(before, self._address)
        except OSError:
            listener.close()
            with contextlib.suppress(OSError):
                os.unlink(before)
            return False
        self._listener = listener
        return True

    def _bind(self, listener: socket.socket, address: str) -> None:
        while True:
            make_private(self._place.directory)
            with contextlib.suppress(FileNotFoundError):  # another keeper has removed it just now
                listener.bind(address)
                return

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            with contextlib.suppress(OSError):
                os.unlink(self._address)

    def _next(self) -> Lines | None:
        """Wait for the next evaluation; return its connection, None if there will be none."""
        until = time.monotonic() + self._idle
        while (left := until - time.monotonic()) > 0:
            assert self._listener is not None
            poll = select.poll()
            for fd, events in self._worker.interest.items():
                poll.register(fd, events)
            poll.register(self._launcher, select.POLLIN)
            poll.register(self._listener, select.POLLIN)
            wait = min(left, POLL_SECONDS) if self._worker.has_to_be_asked else left
            ready = {fd for fd, _ in poll.poll(1000 * wait)}
            self._worker.receive()
            if self._launcher in ready or not self._worker.usable:
                return None
            if self._listener.fileno() in ready:
                connection, _ = self._listener.accept()
                if is_ours(connection):
                    self._stop_listening()
                    return Lines(connection)
                connection.close()
        return None


if __name__ == "__main__":
    main()
