"""Evaluations on a Ray cluster, or on a local Ray that is started for the purpose.

Each worker is an actor that holds its cores and GPUs for the whole search. The evaluation itself
runs in a worker process that the actor starts, the same as the process evaluator's, so that time
limits, output files, reports and causes of death are the same on every node.

Ray itself is imported when an evaluator is made.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from deephyper.clock import Clock
from deephyper.errors import EvaluatorError, MissingExtra, RunFunctionError, argument
from deephyper.evaluator.evaluator import LOAD_SECONDS, Evaluator
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.evaluator.worker.environment import thread_variables
from deephyper.evaluator.worker.guard import Reaper
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobStarted, LoadFailed
from deephyper.evaluator.worker.worker_process import WorkerProcess
from deephyper.job import Failure, FailureKind, Job
from deephyper.option import Option

_CLOSE_SECONDS = 10.0
"""The time that an actor gets to end its evaluation before it is killed."""
_POLL_SECONDS = 1.0


@dataclass
class _Slot:
    """The actor of one worker.

    Attributes:
        actor: its handle.
        job_id: the job that it has, if any.
        stream: what it says of that job: a generator of references to messages.
    """

    actor: Any
    job_id: str = ""
    stream: Any = None


class RayEvaluator(Evaluator):
    """Evaluates on Ray. See :class:`~deephyper.evaluator.Evaluator` for the other arguments.

    Args:
        ray_address: address of a running cluster, ``host:port`` or "auto"; None starts a local
            Ray, which ends with the evaluator. A Ray that this process is already connected to
            is used as it is, and left running.
        ray_password: password of the cluster.
        driver_num_cpus: cores that a local Ray has to give; None for what the workers need.
        driver_num_gpus: GPUs that a local Ray has to give; None for what the workers need.

    Raises:
        EvaluatorError: if the cluster can't be reached or has too few resources for one worker.
        MissingExtra: if Ray isn't installed.
    """

    method = "ray"
    startup_allowance = math.inf  # a worker may have to wait for a place in the cluster
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            "ray_address",
            "Address of a running Ray cluster, or auto; without it a local one is started.",
            metavar="ADDRESS",
        ),
        Option("ray_password", "Password of its Redis.", metavar="PASSWORD", secret=True),
        Option(
            "driver_num_cpus",
            "Cores of a local Ray; by default what its workers need.",
            kind="integer",
            at_least=1,
            metavar="N",
        ),
        Option(
            "driver_num_gpus",
            "GPUs of a local Ray; by default what its workers need.",
            kind="integer",
            at_least=0,
            metavar="N",
        ),
    )

    def __init__(
        self,
        run: str | Function | RunFunction,
        num_workers: int = 1,
        *,
        ray_address: str | None = None,
        ray_password: str | None = None,
        driver_num_cpus: int | None = None,
        driver_num_gpus: int | None = None,
        timeout: float | str | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        num_cpus_per_task: int = 1,
        num_gpus_per_task: float = 0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            run,
            num_workers,
            timeout=timeout,
            output_dir=output_dir,
            num_cpus_per_task=num_cpus_per_task,
            num_gpus_per_task=num_gpus_per_task,
            clock=clock,
        )
        self._ray = _import_ray()
        self._run_text = self.run_function.dumps()
        self._slots: dict[int, _Slot] = {}
        self._started_ray = self._connect(
            ray_address, ray_password, driver_num_cpus, driver_num_gpus
        )
        try:
            self._require_room()
        except EvaluatorError:
            self.close()
            raise

    def _check(self, limit: float) -> None:
        try:
            answer = self._ray.get(
                self._slot(0).actor.load.remote(), timeout=None if math.isinf(limit) else limit
            )
        except self._ray.exceptions.RayError as error:
            raise EvaluatorError(f"a Ray worker can't be started: {_first_line(error)}") from error
        if isinstance(answer, LoadFailed):
            raise RunFunctionError(answer.message)

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        worker = self._slot(slot)
        worker.job_id = job.id
        worker.stream = worker.actor.evaluate.options(num_returns="streaming").remote(job, output)
        return f"/{slot}"

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        streams = {id(s.stream): n for n, s in self._slots.items() if s.stream is not None}
        pending = [self._slots[n].stream for n in streams.values()]
        ready, _ = self._ray.wait(pending, num_returns=1, timeout=timeout)
        if ready:
            # What else is there is taken too, so that a batch of messages comes as one.
            ready, _ = self._ray.wait(pending, num_returns=len(pending), timeout=0)
        messages: list[JobMessage] = []
        for stream in ready:
            messages += self._read(streams[id(stream)])
        return messages

    def _read(self, number: int) -> list[JobMessage]:
        """Return what the actor of a slot has said, without waiting."""
        slot = self._slots[number]
        messages: list[JobMessage] = []
        try:
            while slot.stream is not None and self._ray.wait([slot.stream], timeout=0)[0]:
                messages.append(self._ray.get(next(slot.stream)))
                if isinstance(messages[-1], JobEnded):
                    slot.stream = None
        except self._ray.exceptions.RayError as error:
            del self._slots[number]
            out_of_memory = isinstance(error, self._ray.exceptions.OutOfMemoryError)
            kind: FailureKind = "out_of_memory" if out_of_memory else "worker_died"
            failure = Failure(kind, _first_line(error))
            messages.append(JobEnded(slot.job_id, failure, None, self.clock.now()))
        return messages

    def _stop(self, job_id: str, slot: int) -> None:
        actor = self._slots.pop(slot).actor
        with contextlib.suppress(self._ray.exceptions.RayError, TimeoutError):
            self._ray.get(actor.close.remote(), timeout=_CLOSE_SECONDS)
        self._ray.kill(actor)

    def _close(self) -> None:
        if not self._ray.is_initialized():
            return
        actors = [slot.actor for slot in self._slots.values()]
        closing = [actor.close.remote() for actor in actors]
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=_CLOSE_SECONDS)
        for actor in actors:
            self._ray.kill(actor)
        self._slots.clear()
        if self._started_ray:
            self._ray.shutdown()

    def _slot(self, number: int) -> _Slot:
        if number not in self._slots:
            actor = (
                self._ray.remote(_Worker)
                .options(
                    num_cpus=self.num_cpus_per_task,
                    num_gpus=self.num_gpus_per_task,
                    max_concurrency=2,  # close() must be heard during evaluate()
                )
                .remote(self._run_text, number, thread_variables(self.num_cpus_per_task))
            )
            self._slots[number] = _Slot(actor)
        return self._slots[number]

    def _connect(
        self, address: str | None, password: str | None, cpus: int | None, gpus: int | None
    ) -> bool:
        if self._ray.is_initialized():
            return False
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if address is None:
            options["num_cpus"] = cpus or self.num_workers * self.num_cpus_per_task
            options["include_dashboard"] = False
            needed = gpus if gpus is not None else self.num_workers * self.num_gpus_per_task
            if needed:
                options["num_gpus"] = int(-(-needed // 1))
            # Otherwise RAY_ADDRESS, or a cluster that happens to run here, would be joined.
            address = "local"
        else:
            _require_listener(address)
            if password is not None:
                options["_redis_password"] = password
        try:
            self._ray.init(address=address, **options)
        except Exception as error:
            raise EvaluatorError(
                f"Ray at '{address}' can't be reached ({_first_line(error)}); check "
                f"{argument('ray_address')}, or leave it out to start a local Ray"
            ) from error
        return True

    def _require_room(self) -> None:
        """Raise unless all workers fit at a time: each keeps its place for the whole search."""
        needed = {"CPU": self.num_cpus_per_task, "GPU": self.num_gpus_per_task}
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        room = sum(
            min(int(node.get(name, 0) / each + 1e-9) for name, each in needed.items() if each)
            for node in nodes
        )
        if room < self.num_workers:
            gpus = f" and {needed['GPU']:g} GPUs" if needed["GPU"] else ""
            raise EvaluatorError(
                f"the Ray cluster has room for {room} workers with {needed['CPU']} CPUs{gpus} "
                f"each, and num_workers is {self.num_workers}; ask for fewer workers, or less "
                "for each"
            )


class _Worker:
    """An actor that holds the resources of a worker and a process that evaluates, on any node.

    Args:
        run: the run function as :meth:`RunFunction.dumps` gives it.
        number: which of the workers this is.
        environment: variables of the process.
    """

    def __init__(self, run: str, number: int, environment: dict[str, str]) -> None:
        node = _import_ray().util.get_node_ip_address()
        self._name = f"{node}/{number}"
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

    def evaluate(self, job: Job, output: str | None) -> Iterator[JobMessage]:
        """Evaluate a job, and yield what happens to it."""
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


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", "ray") from error
    return ray


def _require_listener(address: str) -> None:
    """Raise at once what Ray would take minutes to find out."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise EvaluatorError(
            f"Ray at '{address}' can't be reached ({error.strerror or error}); check "
            f"{argument('ray_address')}, or leave it out to start a local Ray"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]
