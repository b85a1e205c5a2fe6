"""Evaluations on a Ray cluster, or on a local Ray that is started for the purpose.

Each worker is an actor that holds its cores and GPUs for the whole search. The evaluation itself
runs in a worker process that the actor starts, the same as the process evaluator's, so that time
limits, output files, reports and causes of death are the same on every node.

Ray itself is imported when an evaluator is made.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import queue
import socket
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any, ClassVar

from deephyper.checks import duration
from deephyper.clock import Clock
from deephyper.errors import EvaluatorError, RunFunctionError
from deephyper.evaluator.evaluator import Evaluator
from deephyper.evaluator.ray.cluster import LOCAL_DIED, Cluster, Node
from deephyper.evaluator.ray.package import first_line, import_ray
from deephyper.evaluator.ray.slot import Slot, Unreachable
from deephyper.evaluator.ray.worker import Placed, Worker
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.evaluator.worker.environment import thread_variables
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, LoadFailed
from deephyper.job import Failure, FailureKind, Job, Notice
from deephyper.option import Option

_Call = Future[bytes]
DEFAULT_WAIT = 60.0
"""Seconds that nodes get to join a cluster."""
_ASIDE = "aside"
"""The group of an actor's methods that are called during others."""
_CLOSE_SECONDS = 10.0
"""The time that an actor gets to end its evaluation before it is killed."""
_LOOK_SECONDS = 1.0
"""The time between two looks at the nodes of the cluster."""
_VERDICT_SECONDS = 45.0
"""The time in which a cluster finds out that a node has died; Ray's default takes some 15 s. Until
then an actor that can't be reached may have died alone, or with its node."""


class RayEvaluator(Evaluator):
    """Evaluates on Ray. See :class:`~deephyper.evaluator.Evaluator` for the other arguments.

    Args:
        ray_address: address of a running cluster, ``host:port`` or "auto"; None starts a local
            Ray, which ends with the evaluator. A Ray that this process is already connected to
            is used as it is, and left running.
        ray_password: has no effect, as Ray asks for no password any more; a cluster is protected by
            a token, which Ray reads from ``RAY_AUTH_TOKEN`` or ``~/.ray/auth_token``.
        ray_wait: time that the nodes of a cluster have to join until there is room for all
            workers, or for one where all nodes have died: seconds, or a text such as "10m".
        driver_num_cpus: cores that a local Ray has to give; None for what the workers need.
        driver_num_gpus: GPUs that a local Ray has to give; None for what the workers need.

    Raises:
        EvaluatorError: if the cluster can't be reached, or a local Ray has too few resources; later
            on, if the head of the cluster or all of its nodes are gone.
        MissingExtra: if Ray isn't installed.
    """

    method = "ray"
    packages = ("ray",)
    on_this_machine = False
    startup_allowance = math.inf  # a worker may have to wait for a place in the cluster
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            "ray_address",
            "Address of a running Ray cluster, or auto; without it a local one is started.",
            metavar="ADDRESS",
        ),
        Option(
            "ray_wait",
            "How long to wait for nodes to join, until there is room for all workers.",
            kind="duration",
        ),
        Option(
            "ray_password",
            "Has no effect: today's Ray asks for a token, RAY_AUTH_TOKEN, instead.",
            metavar="PASSWORD",
            secret=True,
        ),
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
        ray_wait: float | str = DEFAULT_WAIT,
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
        self._password_given = ray_password is not None
        self._ray_wait = duration("ray_wait", ray_wait, zero=True, error=EvaluatorError)
        self._ray = import_ray()
        self._run_text = self.run_function.dumps()
        self._slots: dict[int, Slot] = {}
        self._said = queue.SimpleQueue[tuple[int, _Call]]()  # by which slot, and what
        self._nodes: dict[str, Node] = {}
        self._names: dict[str, str] = {}  # of all nodes that there have been
        self._room = 0  # for so many workers
        self._none_since: float | None = None  # the time from which on there was no room for one
        self._next_look = 0.0
        needed_gpus = math.ceil(self.num_workers * self.num_gpus_per_task)
        self._cluster = Cluster(
            self._ray,
            ray_address,
            driver_num_cpus or self.num_workers * self.num_cpus_per_task,
            needed_gpus if driver_num_gpus is None else driver_num_gpus,
        )
        self._look(notify=False)
        self._offer_places()
        if self._cluster.local and self._room < self.num_workers:
            self.close()
            raise self._no_room()

    def wait_for_workers(self, limit: float | None = None) -> Iterator[str]:
        """Wait until the cluster has room for every worker, for ``ray_wait`` seconds at most."""
        if self._password_given:
            yield (
                "--ray-password has no effect: Ray asks for no password any more. A cluster is "
                "protected by a token: RAY_AUTH_MODE=token"
            )
        if self._cluster.is_open:
            yield (
                f"whoever reaches the Ray cluster at {self._cluster.head} can run programs as its "
                "user, as it asks nobody for a token; start it with RAY_AUTH_MODE=token"
            )
        wait = min(self._ray_wait, math.inf if limit is None else limit)
        until = self.clock.monotonic() + wait
        said = None
        while self._room < self.num_workers and self.clock.monotonic() < until:
            if self._room != said:
                yield f"waiting for {self.num_workers} workers, {self._room} there, for {wait:g} s"
                said = self._room
            time.sleep(min(_LOOK_SECONDS, wait))
            self._look(notify=False)
        if not self._room:
            raise self._no_room()
        if self._room < self.num_workers:
            yield (
                f"the Ray cluster has room for {self._room} of {self.num_workers} workers; the "
                "others begin when nodes join"
            )

    def _check(self, limit: float) -> None:
        try:
            answer = self._ray.get(
                self._slot(0).actor.load.remote(), timeout=None if math.isinf(limit) else limit
            )
        except self._ray.exceptions.RayError as error:
            raise EvaluatorError(f"a Ray worker can't be started: {first_line(error)}") from error
        if isinstance(answer, LoadFailed):
            raise RunFunctionError(answer.message)

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        worker = self._slot(slot)
        worker.job_id = job.id
        self._expect(slot, worker.actor.evaluate.remote(pickle.dumps((job, output))))
        return f"/{slot}"

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        until = self.clock.monotonic() + timeout
        while True:
            messages: list[JobMessage] = []
            if self.clock.monotonic() >= self._next_look:
                changed = self._look()
                messages = self._died_with_their_nodes()
                self._require_any_place()
                if changed:
                    return messages
            now = self.clock.monotonic()
            messages += self._hear(0.0 if messages else max(0.0, min(until, self._next_look) - now))
            if messages or self.clock.monotonic() >= until:
                return messages

    def _resize(self, num_workers: int) -> None:
        # A cluster may have nodes that join later.
        if self._cluster.local and self._room < num_workers:
            raise self._no_room()
        for number in [n for n, s in self._slots.items() if n >= num_workers and s.call is None]:
            self._ray.kill(self._slots.pop(number).actor)

    def _place_workers(self) -> None:
        self._offer_places()

    def _request_stop(self, job_id: str, slot: int) -> None:
        actor = self._slots[slot].actor
        actor.request_stop.options(concurrency_group=_ASIDE).remote(job_id)

    def _stop(self, job_id: str, slot: int) -> None:
        worker = self._slots.pop(slot)
        if worker.answers:
            with contextlib.suppress(self._ray.exceptions.RayError, TimeoutError):
                self._ray.get(_closing(worker.actor), timeout=_CLOSE_SECONDS)
        self._ray.kill(worker.actor)

    def _close(self) -> None:
        if not self._ray.is_initialized():
            return
        if self._cluster.reachable:
            asked = [_closing(slot.actor) for slot in self._slots.values() if slot.answers]
            if asked:
                self._ray.wait(asked, num_returns=len(asked), timeout=_CLOSE_SECONDS)
            for slot in self._slots.values():
                self._ray.kill(slot.actor)
        self._slots.clear()
        self._cluster.close()

    # What actors say.

    def _expect(self, number: int, reference: Any) -> None:
        """Take note of a call to the actor of a slot, which tells what happens to its job."""
        said = self._said
        call = self._slots[number].call = reference.future()
        # ray.wait() would look at all of them each time.
        call.add_done_callback(lambda done: said.put((number, done)))

    def _hear(self, timeout: float) -> list[JobMessage]:
        """Return what actors have said, waiting up to ``timeout`` seconds for something."""
        answers: list[tuple[int, _Call]] = []
        with contextlib.suppress(queue.Empty):
            answers.append(self._said.get(block=timeout > 0, timeout=timeout))
            while True:
                answers.append(self._said.get_nowait())
        messages: list[JobMessage] = []
        for number, call in answers:
            slot = self._slots.get(number)
            if slot is not None and slot.call is call:  # it may have died with another's node
                messages += self._read(number, call)
        return messages

    def _read(self, number: int, call: _Call) -> list[JobMessage]:
        """Return what the actor of a slot has answered, and ask it for more."""
        slot = self._slots[number]
        try:
            said: list[Placed | JobMessage] = pickle.loads(call.result())
        except self._ray.exceptions.RayError as error:
            return self._lost(number, error)
        messages: list[JobMessage] = []
        for message in said:
            if isinstance(message, Placed):
                slot.node_id = message.node_id
            else:
                messages.append(message)
        if messages and isinstance(messages[-1], JobEnded):
            slot.call = None
            if number >= self.num_workers:  # there are fewer since
                self._ray.kill(self._slots.pop(number).actor)
        else:
            self._expect(number, slot.actor.listen.remote())
        return messages

    def _lost(self, number: int, error: Exception) -> list[JobMessage]:
        """Return the end of the job of an actor that can't be asked any more, once it is known."""
        slot = self._slots[number]
        errors = self._ray.exceptions
        out_of_memory = isinstance(error, errors.OutOfMemoryError)
        kind: FailureKind = "out_of_memory" if out_of_memory else "worker_died"
        failure = Failure(kind, first_line(error))
        if isinstance(error, errors.ActorUnavailableError):
            slot.unreachable = Unreachable(failure, self.clock.monotonic() + _VERDICT_SECONDS)
            return []
        if self._look() and slot.node_id is None:
            failure = Failure("node_died", "its Ray node is gone")
        return [*self._died_with_their_nodes(), *self._ended(number, failure)]

    def _died_with_their_nodes(self) -> list[JobMessage]:
        """Return the ends of the jobs whose actors have lost their nodes, or never come back."""
        messages: list[JobMessage] = []
        now = self.clock.monotonic()
        for number, slot in list(self._slots.items()):
            if slot.node_id is not None and slot.node_id not in self._nodes:
                name = self._names.get(slot.node_id, "")
                failure = Failure("node_died", f"its Ray node {name} is gone")
                messages += self._ended(number, failure)
            elif slot.unreachable is not None and now >= slot.unreachable.until:
                messages += self._ended(number, slot.unreachable.failure)
        return messages

    def _ended(self, number: int, failure: Failure) -> list[JobMessage]:
        """Give up the actor of a slot; return the end of its job, if it has one."""
        slot = self._slots.pop(number, None)
        if slot is None:
            return []
        self._ray.kill(slot.actor)  # one whose node is only out of reach must not return
        if slot.call is None:
            return []
        return [JobEnded(slot.job_id, failure, None, self.clock.now())]

    # Places.

    def _look(self, notify: bool = True) -> bool:
        """Take note of the nodes that have joined or died; return whether there are such.

        Args:
            notify: whether to tell the user if there is a place for more or fewer workers.
        """
        self._next_look = self.clock.monotonic() + _LOOK_SECONDS
        before, self._nodes = self._nodes, self._cluster.nodes()
        if before.keys() == self._nodes.keys():
            return False
        self._names |= {node.id: node.name for node in self._nodes.values()}
        usable = min(self._room, self.num_workers)
        self._room = sum(self._room_on(node) for node in self._nodes.values())
        now_usable = min(self._room, self.num_workers)
        self._offer_places()
        if notify and now_usable != usable:
            lost = [node.name for node in before.values() if node.id not in self._nodes]
            new = [node.name for node in self._nodes.values() if node.id not in before]
            parts = [*_told(lost, "is gone", "are gone"), *_told(new, "has joined", "have joined")]
            left = "are there" if now_usable > usable else "are left"
            text = f"{', '.join(parts)}: {now_usable} of {self.num_workers} workers {left}"
            self._events.append(Notice(text))
        return True

    def _room_on(self, node: Node) -> int:
        return node.room(self.num_cpus_per_task, self.num_gpus_per_task)

    def _offer_places(self) -> None:
        """Use as many slots as there is room for.

        An actor keeps its place for the whole search. One that has none yet, for which no room is
        left, would wait for it for ever; its job goes to another.
        """
        wanted = range(self.num_workers)
        held = {n for n, s in self._slots.items() if s.node_id in self._nodes}
        hoping = sorted(n for n, s in self._slots.items() if s.node_id is None)
        left = max(0, self._room - len(held))
        usable = held | set(hoping[:left])
        for number in hoping[left:]:
            slot = self._slots.pop(number)
            self._ray.kill(slot.actor)
            if slot.call is not None:
                self._take_back(slot.job_id)
        others = [n for n in wanted if n not in usable]
        usable |= set(others[: max(0, self._room - len(usable))])
        self._places.withdraw_all_but(usable & set(wanted))

    def _require_any_place(self) -> None:
        """Raise if there has been no place for any worker for too long."""
        if self._room:
            self._none_since = None
            return
        if self._cluster.local:
            raise EvaluatorError(LOCAL_DIED)
        now = self.clock.monotonic()
        if self._none_since is None:
            self._none_since = now
            wait = f"waiting {self._ray_wait:g} s for one to join"
            self._events.append(Notice(f"no Ray node is left with room for a worker; {wait}"))
        if now - self._none_since >= self._ray_wait:
            raise EvaluatorError(
                "no Ray node is left with room for a worker, and none has joined for "
                f"{self._ray_wait:g} s; start nodes, then resume the search"
            )

    def _no_room(self) -> EvaluatorError:
        cpus, gpus = self.num_cpus_per_task, self.num_gpus_per_task
        needed = f"{cpus} CPUs and {gpus:g} GPUs" if gpus else f"{cpus} CPUs"
        return EvaluatorError(
            f"the Ray cluster has room for {self._room} workers with {needed} each, and "
            f"num_workers is {self.num_workers}; ask for fewer workers, or less for each"
        )

    def _slot(self, number: int) -> Slot:
        if number not in self._slots:
            whose = f"process {os.getpid()} on {socket.gethostname()}"
            label = f"{self._label(number)} for {whose}"
            actor_class = self._ray.remote(
                num_cpus=self.num_cpus_per_task,
                num_gpus=self.num_gpus_per_task,
                concurrency_groups={_ASIDE: 1},
                enable_task_events=False,  # of each call, for Ray's dashboard; its actors it shows
            )(Worker)
            # A name must not be taken, not even by an actor that is about to end.
            actor = actor_class.options(name=f"deephyper {label} {uuid.uuid4().hex[:8]}").remote(
                self._run_text, number, thread_variables(self.num_cpus_per_task), label
            )
            self._slots[number] = Slot(actor)
        return self._slots[number]


def _closing(actor: Any) -> Any:
    """Tell an actor to close; return the reference to its answer."""
    return actor.close.options(concurrency_group=_ASIDE).remote()


def _told(names: Sequence[str], one: str, several: str) -> list[str]:
    """Return what has happened to nodes, if there are some; only a single one is named."""
    if len(names) == 1:
        return [f"Ray node {names[0]} {one}"]
    return [f"{len(names)} Ray nodes {several}"] if names else []
