"""The cluster that an evaluator is connected to, or the local Ray that it has started."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deephyper.errors import EvaluatorError, argument
from deephyper.evaluator.ray.package import first_line
from deephyper.evaluator.worker.guard import Reaper

CONNECT_SECONDS = 10.0
_TOKEN, _NO_TOKEN = {"RAY_AUTH_MODE": "token"}, {"RAY_AUTH_MODE": "disabled"}
HEAD_SECONDS = 30.0
"""The time for which the head of a cluster may be out of reach. After 60 seconds Ray ends the
process that is connected to it, without a word to anybody."""
LOCAL_DIED = "the local Ray has died, perhaps for lack of memory; resume the search"
_LOOK_SECONDS = 2.0
"""The time in which the head must take a connection to count as there."""


@dataclass(frozen=True)
class Node:
    """A node of the cluster.

    Attributes:
        id: Ray's id of it.
        name: its address.
        resources: how much it has of each resource, whether in use or not.
    """

    id: str
    name: str
    resources: Mapping[str, float]

    def room(self, cpus: int, gpus: float) -> int:
        """Return the number of workers that fit, given what each needs."""
        needed = {"CPU": cpus, "GPU": gpus}
        return min(
            int(self.resources.get(name, 0) / each + 1e-9) for name, each in needed.items() if each
        )


class Cluster:
    """A connection to Ray.

    A Ray that this process is connected to already is used as it is.

    Args:
        ray: the package.
        address: of a running cluster, ``host:port`` or "auto"; None starts a local Ray.
        num_cpus: cores that a local Ray has to give.
        num_gpus: GPUs that a local Ray has to give.

    Raises:
        EvaluatorError: if the cluster can't be reached.
    """

    def __init__(self, ray: Any, address: str | None, num_cpus: int, num_gpus: int) -> None:
        self._ray = ray
        self.ours = not ray.is_initialized()
        """Whether this object has made the connection, and ends it."""
        self.local = self.ours and address is None
        """Whether the Ray was started for the purpose, so that no nodes join."""
        self._needs_token = self.local
        self._guarded: _Guarded | None = None
        if self.local:
            _require_tokens(ray)
            self._start(num_cpus, num_gpus)
        elif self.ours:
            assert address is not None
            self._join(address)
        self.head = _head_address(ray)
        """Address of its head, ``host:port``; None for one that Ray's client hides."""
        self._lost_since: float | None = None  # by time.monotonic()
        self._known: dict[str, Node] = {}

    def _start(self, num_cpus: int, num_gpus: int) -> None:
        options: dict[str, Any] = {"num_cpus": num_cpus, "include_dashboard": False}
        if num_gpus:
            options["num_gpus"] = num_gpus
        # Without an address RAY_ADDRESS, or a cluster that happens to run here, would be joined.
        try:
            with _on_loopback(self._ray), _Guarded.started_inside() as self._guarded:
                self._init("local", options)
        except Exception as error:
            raise EvaluatorError(f"a local Ray can't be started: {first_line(error)}") from error

    def _join(self, address: str) -> None:
        try:
            is_head = _connect_to(address, CONNECT_SECONDS) and _has_tokens(self._ray)
            self._needs_token = is_head and not _lets_in(self._ray, address, _NO_TOKEN)
            token = _TOKEN if self._needs_token else {}
            if self._needs_token and not _lets_in(self._ray, address, token):
                raise EvaluatorError(
                    f"Ray at '{address}' asks for its token; set RAY_AUTH_TOKEN as for its nodes"
                )
            with _variables(token):
                self._init(address, {})
        except EvaluatorError:
            raise
        except Exception as error:
            reason = (
                error.strerror or str(error) if isinstance(error, OSError) else first_line(error)
            )
            raise EvaluatorError(
                f"Ray at '{address}' can't be reached ({reason}); check {argument('ray_address')}, "
                "or leave it out to start a local Ray"
            ) from error

    def _init(self, address: str, options: Mapping[str, Any]) -> None:
        with _silent_listener(self._ray):
            self._ray.init(
                address=address, log_to_driver=False, logging_level=logging.ERROR, **options
            )

    def nodes(self) -> dict[str, Node]:
        """Return the nodes that are alive, by their ids.

        Raises:
            EvaluatorError: if the head has been out of reach for :data:`HEAD_SECONDS`.
        """
        if not self._head_answers():
            return self._known
        self._known = {
            node["NodeID"]: Node(node["NodeID"], node["NodeManagerAddress"], node["Resources"])
            for node in self._ray.nodes()
            if node["Alive"]
        }
        return self._known

    def _head_answers(self) -> bool:
        """Return whether Ray's own calls, which have no time limit, can be expected to return."""
        if self.head is None:
            return True
        try:
            _connect_to(self.head, _LOOK_SECONDS)
        except OSError as error:
            now = time.monotonic()
            if self._lost_since is None:
                self._lost_since = now
            if self.local:
                raise EvaluatorError(LOCAL_DIED) from error
            if now - self._lost_since >= HEAD_SECONDS:
                raise EvaluatorError(
                    f"the head of the Ray cluster, {self.head}, has been out of reach for "
                    f"{HEAD_SECONDS:g} s; restart the cluster, then resume the search"
                ) from error
            return False
        self._lost_since = None
        return True

    @property
    def is_open(self) -> bool:
        """True if everyone is let in from other machines, as far as that is known."""
        if self._needs_token or not self.ours or self.head is None:
            return False
        host = self.head.rpartition(":")[0].strip("[]")
        try:
            return not ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host != "localhost"

    @property
    def reachable(self) -> bool:
        """False while the head of the cluster can't be reached."""
        return self._lost_since is None

    def close(self) -> None:
        """End the connection, and a local Ray."""
        if self.ours:
            self._ray.shutdown()
        if self.ours and _has_tokens(self._ray):
            _read_token_again(self._ray)
        if self._guarded is not None:
            self._guarded.end()


class _Guarded:
    """The processes of a local Ray, which a reaper ends with this process, however it ends.

    Ray's own agents need a minute to notice that their node has ended.
    """

    def __init__(self) -> None:
        self._reaper = Reaper()
        self._processes: list[Any] = []  # of psutil, which doesn't mistake one for another

    @classmethod
    @contextlib.contextmanager
    def started_inside(cls) -> Iterator[_Guarded]:
        """Guard what is started inside."""
        import psutil

        this = psutil.Process()
        before = this.children(recursive=True)
        guarded = cls()
        try:
            yield guarded
        except BaseException:
            guarded.end()
            raise
        guarded._processes = [p for p in this.children(recursive=True) if p not in before]
        for process in guarded._processes:
            guarded._reaper.guard(process.pid)

    def end(self) -> None:
        """End what Ray's own shutdown has left."""
        import psutil

        for process in self._processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
            self._reaper.release(process.pid)
        self._reaper.close()


def _connect_to(address: str, limit: float) -> bool:
    """Raise OSError at once where Ray would take minutes to find that nothing listens.

    Returns:
        Whether the address is that of a cluster's head.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return False
    socket.create_connection((host.strip("[]"), int(port)), timeout=limit).close()
    return not address.startswith("ray://")


def _lets_in(ray: Any, address: str, variables: Mapping[str, str]) -> bool:
    """Return whether the head of a cluster answers, given the variables of authentication."""
    loader = ray._raylet.AuthenticationTokenLoader.instance()
    with _variables(variables), _silent_descriptor():
        _read_token_again(ray)
        if variables == _TOKEN and not loader.has_token(ignore_auth_mode=True):
            return False  # Ray's C++ code would end this process
        try:
            ray._raylet.GcsClient(address=address)
        except ray.exceptions.AuthenticationError:
            return False
    return True


def _head_address(ray: Any) -> str | None:
    try:
        return str(ray.get_runtime_context().gcs_address)
    except Exception:  # a client of Ray's has none
        return None


def _has_tokens(ray: Any) -> bool:
    return hasattr(ray._raylet, "AuthenticationTokenLoader")


def _require_tokens(ray: Any) -> None:
    if not _has_tokens(ray):
        raise EvaluatorError(
            f"Ray {ray.__version__} lets everyone in who reaches its ports, and so run programs as "
            "you; upgrade it: pip install -U ray"
        )


@contextlib.contextmanager
def _on_loopback(ray: Any) -> Iterator[None]:
    """Have a Ray that is started inside bind to loopback, and admit only who knows its token.

    By itself it would listen on all interfaces. What it does on Windows and macOS, where it keeps
    to loopback, is asked for by a variable that its processes read and a constant that was read
    when it was imported; there is no argument for it. The token is a new one each time: Ray's own
    is kept in a file in the home directory, which others may be able to read.
    """
    constants = ray._private.ray_constants
    enabled = constants.ENABLE_RAY_CLUSTER
    token = {**_TOKEN, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    constants.ENABLE_RAY_CLUSTER = False
    try:
        with _variables({constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0", **token}):
            _read_token_again(ray)
            yield
    finally:
        constants.ENABLE_RAY_CLUSTER = enabled


@contextlib.contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a time."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _read_token_again(ray: Any) -> None:
    """Have Ray read RAY_AUTH_MODE and RAY_AUTH_TOKEN, which it does once by itself."""
    ray._raylet.Config.initialize("")
    ray._raylet.AuthenticationTokenLoader.instance().reset_cache()


@contextlib.contextmanager
def _silent_descriptor() -> Iterator[None]:
    """Keep Ray's C++ code from printing on standard error that it was not let in."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


@contextlib.contextmanager
def _silent_listener(ray: Any) -> Iterator[None]:
    """Keep a connection that is made inside from printing what befalls the nodes.

    Ray prints some 30 lines of a dead node's log to standard output, whatever ``log_to_driver``
    says.
    """
    module = ray._private.worker
    listen = module.listen_error_messages
    module.listen_error_messages = lambda *_: None
    try:
        yield
    finally:
        module.listen_error_messages = listen
