"""The end of a command: exit statuses, and errors in one line.

0 done, 1 a search gave up, 2 bad input, 130 after SIGINT, 143 after SIGTERM.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from deephyper.errors import DeepHyperError
from deephyper.standard_streams import open_missing

DONE = 0
GAVE_UP = 1
BAD_INPUT = 2
INTERRUPTED = 130


def run_command(command: click.Command, args: Sequence[str] | None, prog_name: str) -> int:
    """Run a command line and return its exit status.

    What a user can cause becomes one line on standard error; any other exception is a bug and is
    let through with its traceback.

    Args:
        command: the command, whose functions return an exit status or None.
        args: the words after the program's name; None takes this process's own.
        prog_name: the program's name in help texts.
    """
    open_missing()
    try:
        status = command.main(args, prog_name=prog_name, standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" (try '{context.command_path} --help')" if context is not None else ""
        return _bad_input(error.format_message().rstrip(".") + hint)
    except DeepHyperError as error:
        return _bad_input(error.on_command_line())
    except (KeyboardInterrupt, click.Abort):
        print("deephyper: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, say) has left; keep Python from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return status if isinstance(status, int) else DONE


def _bad_input(message: str) -> int:
    print(f"deephyper: error: {' '.join(message.split())}", file=sys.stderr)
    return BAD_INPUT
