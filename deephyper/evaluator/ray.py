"""Evaluations on a ray cluster, or on a local ray that is started for the purpose.

Each worker is an actor that holds its cores and GPUs for the whole search. The evaluation itself
runs in a worker process that the actor starts, the same as the process evaluator's, so that time
limits, output files and causes of death are the same on every node.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from typing import Any

from deephyper.errors import EvaluatorError, MissingExtra, RunFunctionError
from deephyper.evaluator.evaluator import LOAD_SECONDS, Ended, Evaluator, Started
from deephyper.evaluator.process import thread_variables
from deephyper.evaluator.worker.process import Reaper, WorkerProcess, tail
from deephyper.job import Failure, FailureKind, Job

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
try:
    import ray
except ImportError as error:
    raise MissingExtra("ray", "ray") from error


class RayEvaluator(Evaluator):
    """Evaluates on ray. See :class:`~deephyper.evaluator.Evaluator` for the other arguments.

    Args:
        ray_address: address of a running cluster, ``host:port`` or "auto"; None starts a local
            ray, which ends with the evaluator. A ray that this process is already connected to
            is used as it is, and left running.
        ray_password: password of the cluster.
        driver_num_cpus: cores that a local ray has to give; None for what the workers need.
        driver_num_gpus: GPUs that a local ray has to give; None for what the workers need.

    Raises:
        EvaluatorError: if the cluster can't be reached or has too few resources for one worker.
        MissingExtra: if ray isn't installed.
    """

    method = "ray"
    startup_allowance = math.inf  # a worker may have to wait for a place in the cluster

    def __init__(
        self,
        run: Any,
        num_workers: int = 1,
        *,
        ray_address: str | None = None,
        ray_password: str | None = None,
        driver_num_cpus: int | None = None,
        driver_num_gpus: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(run, num_workers, **options)
        self._run_text = self.run_function.dumps()
        self._started_ray = self._connect(
            ray_address, ray_password, driver_num_cpus, driver_num_gpus
        )
        try:
            self._refuse_if_too_small()
        except EvaluatorError:
            self.close()
            raise
        self._actors: dict[int, Any] = {}
        self._ready: dict[Any, int] = {}  # reference to an actor's ready() -> slot
        self._nodes: dict[int, str] = {}  # of the slots whose actor is ready
        self._given: dict[int, tuple[Job, str | None]] = {}
        self._results: dict[Any, int] = {}  # reference to a result -> slot
        self._begun: list[Started] = []  # not yet reported

    def _check(self, limit: float) -> None:
        self._actor(0)
        references = [reference for reference, slot in self._ready.items() if slot == 0]
        seconds = None if math.isinf(limit) else limit
        try:
            error = next((ray.get(reference, timeout=seconds)[1] for reference in references), None)
        except ray.exceptions.RayError as problem:
            raise EvaluatorError(
                f"a ray worker can't be started: {_first_line(problem)}"
            ) from problem
        if error is not None:
            raise RunFunctionError(error)

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        self._actor(slot)
        self._given[slot] = (job, output)
        if slot in self._nodes:
            self._evaluate(slot)
        return self._name(slot)

    def _wait(self, timeout: float | None) -> Sequence[Started | Ended]:
        references = [
            *self._results,
            *(r for r, slot in self._ready.items() if slot in self._given),
        ]
        if self._begun:
            timeout = 0
        done, _ = ray.wait(references, num_returns=1, timeout=timeout)
        if done:
            # What else is there is taken too, so that a batch of results comes as one.
            done, _ = ray.wait(references, num_returns=len(references), timeout=0)
        events: list[Started | Ended] = [*self._begun]
        self._begun.clear()
        for reference in done:
            if reference in self._ready:
                events += self._is_ready(reference, self._ready.pop(reference))
                events += self._begun
                self._begun.clear()
            else:
                events += self._has_ended(reference, self._results.pop(reference))
        return events

    def _is_ready(self, reference: Any, slot: int) -> list[Started | Ended]:
        job, _ = self._given[slot]
        try:
            node, load_error = ray.get(reference)
        except ray.exceptions.RayError as error:
            return [self._actor_died(slot, job, error)]
        if load_error is not None:
            self._stop(job.id, slot)
            return [Ended(job.id, Failure("exception", load_error), None, time.time())]
        self._nodes[slot] = node
        self._evaluate(slot)
        return []

    def _evaluate(self, slot: int) -> None:
        job, output = self._given[slot]
        self._results[self._actors[slot].evaluate.remote(job, output)] = slot
        self._begun.append(Started(job.id, self._name(slot), time.time()))

    def _has_ended(self, reference: Any, slot: int) -> list[Started | Ended]:
        job, _ = self._given[slot]
        try:
            result, start, end = ray.get(reference)
        except ray.exceptions.RayError as error:
            return [self._actor_died(slot, job, error)]
        del self._given[slot]
        if isinstance(result, Failure) and result.kind in ("worker_died", "out_of_memory"):
            # The actor has to start another process; that is no part of the next evaluation.
            del self._nodes[slot]
            self._ready[self._actors[slot].ready.remote()] = slot
        return [Ended(job.id, result, start, end)]

    def _actor_died(self, slot: int, job: Job, error: Exception) -> Ended:
        self._forget(slot)
        kind: FailureKind = (
            "out_of_memory" if isinstance(error, ray.exceptions.OutOfMemoryError) else "worker_died"
        )
        return Ended(job.id, Failure(kind, _first_line(error)), None, time.time())

    def _stop(self, job_id: str, slot: int) -> None:
        actor = self._actors[slot]
        self._forget(slot)
        with contextlib.suppress(ray.exceptions.RayError, TimeoutError):
            ray.get(actor.close.remote(), timeout=10)
        ray.kill(actor)

    def _close(self) -> None:
        if not ray.is_initialized():
            return
        actors = list(getattr(self, "_actors", {}).values())
        closing = [actor.close.remote() for actor in actors]
        if closing:
            ray.wait(closing, num_returns=len(closing), timeout=10)
        for actor in actors:
            ray.kill(actor)
        if self._started_ray:
            ray.shutdown()

    def _actor(self, slot: int) -> Any:
        if slot not in self._actors:
            actor: Any = (
                ray.remote(_Worker)
                .options(
                    num_cpus=self.num_cpus_per_task,
                    num_gpus=self.num_gpus_per_task,
                    max_concurrency=2,  # close() must be heard during evaluate()
                )
                .remote(self._run_text, thread_variables(self.num_cpus_per_task))
            )
            self._actors[slot] = actor
            self._ready[actor.ready.remote()] = slot
        return self._actors[slot]

    def _forget(self, slot: int) -> None:
        del self._actors[slot]
        self._nodes.pop(slot, None)
        self._given.pop(slot, None)
        for references in (self._ready, self._results):
            for reference in [r for r, s in references.items() if s == slot]:
                del references[reference]

    def _name(self, slot: int) -> str:
        return f"{self._nodes.get(slot, '')}/{slot}"

    def _connect(
        self, address: str | None, password: str | None, cpus: int | None, gpus: int | None
    ) -> bool:
        if ray.is_initialized():
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
            _refuse_if_nobody_listens(address)
            if password is not None:
                options["_redis_password"] = password
        try:
            ray.init(address=address, **options)
        except Exception as error:
            raise EvaluatorError(
                f"ray at '{address}' can't be reached ({_first_line(error)}); check "
                "--ray-address, or leave it out to start a local ray"
            ) from error
        return True

    def _refuse_if_too_small(self) -> None:
        """A worker keeps its place for the whole search, so all of them have to fit."""
        needed = {"CPU": self.num_cpus_per_task, "GPU": self.num_gpus_per_task}
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        room = sum(
            min(int(node.get(name, 0) / each + 1e-9) for name, each in needed.items() if each)
            for node in nodes
        )
        if room < self.num_workers:
            gpus = f" and {needed['GPU']:g} GPUs" if needed["GPU"] else ""
            raise EvaluatorError(
                f"the ray cluster has room for {room} workers with {needed['CPU']} CPUs{gpus} "
                f"each, and num_workers is {self.num_workers}; ask for fewer workers, or less "
                "for each"
            )


class _Worker:
    """Holds the resources of a worker and a process that evaluates; runs on any node."""

    def __init__(self, run: str, environment: dict[str, str]) -> None:
        self._run = run
        self._environment = environment
        self._reaper = Reaper()
        self._process: WorkerProcess | None = None
        self._lock = threading.Lock()
        self._closed = False

    def ready(self) -> tuple[str, str | None]:
        """Load the run function; this node's address, and what is wrong with the function."""
        node = str(ray.util.get_node_ip_address())
        process = self._worker_process()
        process.load()
        until = time.monotonic() + LOAD_SECONDS
        while not process.loaded:
            wait(process.waitables, timeout=1)
            if time.monotonic() >= until:
                self._discard()
                return node, f"run could not be loaded within {LOAD_SECONDS:g} s"
            for message in process.receive():
                if "load_error" in message:
                    return node, str(message["load_error"])
                if "died" in message:
                    cause = message["died"].message
                    return node, f"the process ended while it loaded run: {cause}"
        return node, None

    def evaluate(self, job: Job, output: str | None) -> tuple[float | Failure, float, float]:
        """Result, start and end (seconds since the epoch by this node's clock)."""
        if output is not None:
            os.makedirs(os.path.dirname(output), exist_ok=True)
        process = self._worker_process()
        process.start(job, output)
        start = time.time()
        while True:
            wait(process.waitables, timeout=1)
            for message in process.receive():
                if message.get("id", job.id) != job.id:
                    continue
                start = message.get("start", start)
                if "end" in message:
                    failed = message.get("failure")
                    result = Failure(**failed) if failed else message["objective"]
                    return result, start, message["end"]
                if "died" in message:
                    died: Failure = message["died"]
                    self._discard()
                    failure = Failure(died.kind, died.message, tail(output))
                    return failure, start, time.time()

    def close(self) -> None:
        """End the process, even in the middle of an evaluation."""
        with self._lock:
            self._closed = True
            # Its group is killed when the reaper's input closes; evaluate() sees it die.
            self._reaper.close()

    def _worker_process(self) -> WorkerProcess:
        with self._lock:
            if self._process is not None and not self._process.alive:
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


def _refuse_if_nobody_listens(address: str) -> None:
    """Say at once what ray would take minutes to find out."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise EvaluatorError(
            f"ray at '{address}' can't be reached ({error.strerror or error}); check "
            "--ray-address, or leave it out to start a local ray"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]
