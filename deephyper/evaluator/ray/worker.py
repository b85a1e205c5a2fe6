"""The actor of a worker, on any node of a Ray cluster."""

from __future__ import annotations

import os
import pickle
import threading
import time
from dataclasses import dataclass, replace

from deephyper.evaluator.bookkeeping import LOAD_SECONDS
from deephyper.evaluator.ray.package import import_ray
from deephyper.evaluator.worker.guard import Reaper
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobStarted, LoadFailed
from deephyper.evaluator.worker.worker_process import WorkerProcess
from deephyper.job import Failure, Job

_POLL_SECONDS = 1.0
_TOGETHER_SECONDS = 0.002
"""The time to wait for what can be said in the same answer: an answer costs about as much."""


@dataclass(frozen=True)
class Placed:
    """A worker has its place.

    Attributes:
        node_id: Ray's id of the node.
    """

    node_id: str


class Worker:
    """An actor that holds the resources of a worker and a process that evaluates, on any node.

    Args:
        run: the run function as :meth:`RunFunction.dumps` gives it.
        number: which of the workers this is.
        environment: variables of the process.
        label: its name, as ps shows it.
    """

    def __init__(self, run: str, number: int, environment: dict[str, str], label: str) -> None:
        ray = import_ray()
        self._name = f"{ray.util.get_node_ip_address()}/{number}"
        self._placed: Placed | None = Placed(ray.get_runtime_context().get_node_id())
        self._next: tuple[Job, str | None] | None = None  # a job that is yet to begin
        self._run = run
        self._environment = environment
        self._label = label
        self._reaper = Reaper()
        self._process: WorkerProcess | None = None
        self._lock = threading.Lock()
        self._closed = False

    def load(self) -> LoadFailed | None:
        """Load the run function; return the reason if that fails."""
        answer = self._worker_process().load(LOAD_SECONDS)
        if isinstance(answer, LoadFailed):
            self._discard()
            return answer
        return None

    def evaluate(self, given: bytes) -> bytes:
        """Take a job; return the first that there is to say, and :meth:`listen` the rest.

        The first job of all is answered at once, by where the worker has its place: loading the run
        function may take long.

        Args:
            given: the job, and the file for what it prints or None. It is pickled here and not by
                Ray, which takes as long for a few objects of our classes as for half a call.

        Returns:
            A list of Placed and JobMessage, pickled too.
        """
        self._next = pickle.loads(given)
        if self._placed is None:
            return self.listen()
        placed, self._placed = self._placed, None
        return pickle.dumps([placed])

    def listen(self) -> bytes:
        """Wait until something happens to the job; return it, with what follows at once."""
        return pickle.dumps(self._events())

    def request_stop(self, job_id: str) -> None:
        """Ask a job to end early."""
        process = self._process
        if process is not None:
            process.request_stop(job_id)

    def close(self) -> None:
        """End the process, even in the middle of an evaluation."""
        with self._lock:
            self._closed = True
            # Its group is killed when the reaper's input closes; evaluate() sees it die.
            self._reaper.close()

    def _events(self) -> list[JobMessage]:
        if self._next is not None:
            (job, output), self._next = self._next, None
            if output is not None:
                os.makedirs(os.path.dirname(output), exist_ok=True)
            failed = self.load()
            if failed is not None:
                failure = Failure("exception", failed.message)
                return [JobEnded(job.id, failure, None, time.time())]
            self._worker_process().start(job, output, worker=self._name)
        process = self._process
        if process is None:
            raise RuntimeError("the worker is closed")
        said: list[JobMessage] = []
        while not said:
            said = process.events(_POLL_SECONDS)
        if not isinstance(said[-1], JobEnded):
            said += process.events(_TOGETHER_SECONDS)
        return [replace(m, worker=self._name) if isinstance(m, JobStarted) else m for m in said]

    def _worker_process(self) -> WorkerProcess:
        with self._lock:
            if self._process is not None and not self._process.usable:
                self._process.kill()
                self._process = None
            if self._process is None:
                if self._closed:
                    raise RuntimeError("the worker is closed")
                self._process = WorkerProcess(
                    self._run, self._reaper, self._environment, self._label
                )
            return self._process

    def _discard(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process = None
