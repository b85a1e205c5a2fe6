"""The actor of a worker, on any node of a Ray cluster."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from deephyper.evaluator.evaluator import LOAD_SECONDS
from deephyper.evaluator.ray.package import import_ray
from deephyper.evaluator.worker.guard import Reaper
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobStarted, LoadFailed
from deephyper.evaluator.worker.worker_process import WorkerProcess
from deephyper.job import Failure, Job

_POLL_SECONDS = 1.0


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
    """

    def __init__(self, run: str, number: int, environment: dict[str, str]) -> None:
        ray = import_ray()
        self._name = f"{ray.util.get_node_ip_address()}/{number}"
        self._placed = Placed(ray.get_runtime_context().get_node_id())
        self._run = run
        self._environment = environment
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

    def evaluate(self, job: Job, output: str | None) -> Iterator[Placed | JobMessage]:
        """Evaluate a job, and yield where, and what happens to it."""
        yield self._placed
        if output is not None:
            os.makedirs(os.path.dirname(output), exist_ok=True)
        failed = self.load()
        if failed is not None:
            yield JobEnded(job.id, Failure("exception", failed.message), None, time.time())
            return
        process = self._worker_process()
        process.start(job, output)
        while True:
            for message in process.events(_POLL_SECONDS):
                if isinstance(message, JobStarted):
                    yield replace(message, worker=self._name)
                else:
                    yield message
                if isinstance(message, JobEnded):
                    return  # the next evaluation may already have begun, on the other thread

    def close(self) -> None:
        """End the process, even in the middle of an evaluation."""
        with self._lock:
            self._closed = True
            # Its group is killed when the reaper's input closes; evaluate() sees it die.
            self._reaper.close()

    def _worker_process(self) -> WorkerProcess:
        with self._lock:
            if self._process is not None and not self._process.usable:
                self._process.kill()
                self._process = None
            if self._process is None:
                if self._closed:
                    raise RuntimeError("the worker is closed")
                self._process = WorkerProcess(self._run, self._reaper, self._environment)
            return self._process

    def _discard(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process = None
