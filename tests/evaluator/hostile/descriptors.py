"""Run functions that break descriptors and processes."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import socket
import subprocess
import threading
import time
from typing import Any

from tests.evaluator.hostile.named import Point, anywhere, descriptors, in_a_process, keep_pid

# Descriptors.


@in_a_process
def write_to_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.write(fd, b"x")
    return 1.0


@in_a_process
def write_messages_to_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.write(fd, b'{"says": "JobEnded", "job_id": "0", "result": 9.0, "end": "now"}\n' * 99)
    return 1.0


@in_a_process
def write_then_sleep(point: Point) -> Any:
    write_to_all(point)
    time.sleep(100)


@in_a_process
def close_all(point: Point) -> Any:
    os.closerange(0, 1 << 16)
    return 1.0


@anywhere
def close_low(point: Point) -> Any:
    if threading.current_thread() is threading.main_thread():
        os.closerange(3, 256)
    return 1.0


@in_a_process
def close_standard(point: Point) -> Any:
    os.closerange(0, 3)
    return 1.0


@in_a_process
def replace_all(point: Point) -> Any:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.dup2(null, fd)
    return 1.0


@in_a_process
def unblock_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.set_blocking(fd, False)
    return 1.0


@in_a_process
def shut_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError), socket.socket(fileno=fd) as connection:
            connection.shutdown(socket.SHUT_RDWR)
            connection.detach()
    return 1.0


@in_a_process
def read_all(point: Point) -> Any:
    for fd in descriptors():
        with contextlib.suppress(OSError):
            os.set_blocking(fd, False)
            os.read(fd, 100)
    return 1.0


@in_a_process
def exhaust_descriptors(point: Point) -> Any:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    with contextlib.suppress(OSError):
        while True:
            os.dup(0)
    return 1.0


# The end of the process.


@in_a_process
def exit_at_once(point: Point) -> Any:
    os._exit(0)


@in_a_process
def exec_another(point: Point) -> Any:
    os.execvp("true", ["true"])


@in_a_process
def kill_supervisor(point: Point) -> Any:
    os.kill(os.getppid(), signal.SIGKILL)
    return 1.0


@in_a_process
def stop_supervisor(point: Point) -> Any:
    os.kill(os.getppid(), signal.SIGSTOP)
    os._exit(1)


@in_a_process
def kill_group(point: Point) -> Any:
    os.killpg(0, signal.SIGKILL)


@in_a_process
def stop_traced(point: Point) -> Any:
    ctypes.CDLL(None).ptrace(0, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGUSR1)


@in_a_process
def abort(point: Point) -> Any:
    os.abort()


@in_a_process
def segfault(point: Point) -> Any:
    faulthandler.disable()
    ctypes.string_at(0)


# Processes.


@in_a_process
def leave_child(point: Point) -> Any:
    keep_pid(point, subprocess.Popen(["sleep", "1000"]).pid)
    return 1.0


@in_a_process
def leave_session_and_die(point: Point) -> Any:
    keep_pid(point, subprocess.Popen(["sleep", "1000"], start_new_session=True).pid)
    os._exit(1)


@in_a_process
def leave_without_environment_and_die(point: Point) -> Any:
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True, env={})
    keep_pid(point, child.pid)
    os.kill(os.getpid(), signal.SIGKILL)


@in_a_process
def daemonize(point: Point) -> Any:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 1 << 16)
            time.sleep(1000)
        os._exit(0)
    os.wait()
    return 1.0


@in_a_process
def kill_supervisor_of_daemon(point: Point) -> Any:
    keep_pid(point, subprocess.Popen(["sleep", "1000"], start_new_session=True).pid)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(100)


@in_a_process
def fork_and_return_in_both(point: Point) -> Any:
    os.fork()
    return 1.0


@in_a_process
def fork_in_thread(point: Point) -> Any:
    thread = threading.Thread(target=os.fork)
    thread.start()
    thread.join()
    return 1.0


@in_a_process
def fork_often(point: Point) -> Any:
    for _ in range(20):
        if os.fork() == 0:
            os.setsid()
            while True:
                time.sleep(100)
    os._exit(1)


@in_a_process
def child_writes_to_all(point: Point) -> Any:
    child = os.fork()
    if child == 0:
        write_to_all(point)
        os._exit(0)
    os.waitpid(child, 0)
    return 1.0


@anywhere
def pool(point: Point) -> Any:
    import multiprocessing

    process = multiprocessing.get_context("fork").Process(target=os._exit, args=(0,))
    process.start()
    process.join()
    return 1.0
