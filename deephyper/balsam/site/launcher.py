"""Balsam's launcher, whose serial mode works whatever a node calls itself.

``python -m deephyper.balsam.site.launcher OPTIONS`` is ``balsam launcher OPTIONS``, except for the
program that it starts on each node in serial mode, :mod:`deephyper.balsam.site.serial_node`.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec

SERIAL_NODE = "deephyper.balsam.site.serial_node"


def main() -> None:
    """Run Balsam's launcher with the arguments of this process."""
    import balsam

    balsam.setup()
    from balsam.launcher import launcher

    arguments = launcher.get_args()
    balsam.config_logging("launcher")
    logging.getLogger("balsam.launcher.launcher").info("Loading Balsam Launcher")
    spec = find_spec(SERIAL_NODE)
    assert spec is not None
    launcher.SerialLauncher.ZMQ_ENSEMBLE_EXE = spec.origin
    launcher.main(arguments)


if __name__ == "__main__":
    main()
