"""The program ``deephyper``: hands over to a subcommand, and loads only that one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> int:
    """Run ``deephyper`` and return its exit status."""
    return run_program("deephyper", args)


def run_program(name: str, args: Sequence[str] | None) -> int:
    """Run a program and return its exit status.

    Args:
        name: of the program.
        args: the words after its name; None takes this process's own, which ends then.
    """
    try:
        # Here, since Ctrl-C may come before they are imported.
        from deephyper.core.cli import groups
        from deephyper.core.cli.ctrl_c import CtrlC
        from deephyper.core.cli.ending import end_soon
        from deephyper.core.cli.exit_status import run_command

        if completion_variable(name) in os.environ:
            from deephyper.core.cli import shell_completion

            shell_completion.register()
        with CtrlC() as ctrl_c:
            status = run_command(getattr(groups, name.replace("-", "_")), args, name, ctrl_c)
        if args is None:
            end_soon(status)
        return status
    except KeyboardInterrupt:
        print("deephyper: interrupted", file=sys.stderr)
        return INTERRUPTED


def completion_variable(name: str) -> str:
    """Return the variable by which a shell asks a program what may be typed next."""
    return f"_{name.replace('-', '_')}_COMPLETE".upper()


if __name__ == "__main__":
    sys.exit(main())
