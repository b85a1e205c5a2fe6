"""The end of a command: exit statuses, and errors in one line.

0 done, 1 a search gave up, 2 bad input, 130 after SIGINT, 143 after SIGTERM.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence

import click

from deephyper.errors import DeepHyperError, OutputError
from deephyper.printable import one_printable_line
from deephyper.standard_streams import Output, tolerant_streams

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
    with tolerant_streams():
        # Whatever a run function in a thread does to standard error.
        errors = Output(sys.stderr, own=True)
        try:
            status = command.main(args, prog_name=prog_name, standalone_mode=False)
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            hint = f" (try '{context.command_path} --help')" if context is not None else ""
            return _bad_input(error.format_message().rstrip(".") + hint, errors)
        except DeepHyperError as error:
            return _bad_input(error.on_command_line(), errors)
        except (KeyboardInterrupt, click.Abort):
            errors.print("deephyper: interrupted")
            return INTERRUPTED
    return status if isinstance(status, int) else DONE


def print_result(text: str) -> None:
    """Print what a command was called for.

    Raises:
        OutputError: if it can't be printed; a reader (``head``, say) that has left is no error.
    """
    output = Output(sys.stdout, own=True)
    output.write(text)
    output.flush()
    failure = output.failure
    if failure is not None and failure.errno != errno.EPIPE:
        raise OutputError(
            f"standard output can't be written ({failure.strerror or failure}); free some space, "
            "or choose another place"
        )


def _bad_input(message: str, errors: Output) -> int:
    errors.print(f"deephyper: error: {one_printable_line(message)}")
    return BAD_INPUT
