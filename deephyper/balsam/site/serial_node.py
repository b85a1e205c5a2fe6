"""The program on each node in Balsam's serial mode, run under the node's Slurm name.

Balsam's own program begins to hand out jobs on the node whose ``hostname`` is the one that Slurm
gave the launcher. Where Slurm knows nodes by other names (short ones, say, while ``hostname`` is
fully qualified), none of them would, and all nodes would wait forever.
"""

from __future__ import annotations

import os
import re
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec

_ADDRESS = "--master-address"


def main() -> int:
    """Run Balsam's program in this process."""
    sys.path.pop(0)  # this file's directory, whose modules would hide others of their names
    program = find_spec("balsam.launcher.serial_mode_timed")
    assert program is not None
    assert program.origin is not None
    node = os.environ.get("SLURMD_NODENAME")
    if node:
        try:
            assume_hostname(sys.argv, node)
        except OSError as error:
            print(f"deephyper: error: {error}", file=sys.stderr)
            return 1
    runpy.run_path(program.origin, run_name="__main__")
    return 0


def assume_hostname(
    words: list[str], node: str, resolve: Callable[[str], str] = socket.gethostbyname
) -> None:
    """Make ``socket.gethostname`` return the name by which the launcher knows this node.

    Balsam's program compares that function's answer with the launcher's address and has no option
    for it, so the function is replaced, for this process only, which runs nothing else.

    Args:
        words: the command line, changed in place: the first node's name becomes one that has an
            address.
        node: this node's name in Slurm.
        resolve: looks up an address.

    Raises:
        OSError: if the first node has no address.
    """
    position = words.index(_ADDRESS) + 1
    first, _, port = words[position].rpartition(":")
    reachable = first
    try:
        resolve(first)
    except OSError:
        reachable = _slurm_address(first)
    words[position] = f"{reachable}:{port}"
    name = reachable if node == first else node
    socket.gethostname = lambda: name


def _slurm_address(node: str) -> str:
    try:
        output = subprocess.run(
            ["scontrol", "show", "node", node], capture_output=True, text=True, timeout=30
        ).stdout
    except subprocess.TimeoutExpired:
        output = ""
    found = re.search(r"\bNodeAddr=(\S+)", output)
    if found is None or found[1] == node:
        raise OSError(f"the node {node} has no address at which other nodes could reach it")
    return found[1]


if __name__ == "__main__":
    sys.exit(main())
