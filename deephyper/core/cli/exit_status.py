"""The end of a command: exit statuses, and errors in one line.

0 done, 1 a search gave up, 2 bad input, 130 after SIGINT, 143 after SIGTERM.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence

import click

from deephyper.core.cli.ctrl_c import CtrlC
from deephyper.core.cli.main import INTERRUPTED
from deephyper.errors import DeepHyperError, OutputError, write_remedy
from deephyper.printable import one_printable_line
from deephyper.standard_streams import Output, tolerant_streams
from deephyper.suggest import nearest

DONE = 0
GAVE_UP = 1
BAD_INPUT = 2
_LONGEST_MESSAGE = 4000
"""Characters of an error that are shown."""


def run_command(
    command: click.Command, args: Sequence[str] | None, prog_name: str, ctrl_c: CtrlC
) -> int:
    """Run a command line and return its exit status.

    What a user can cause becomes one line on standard error; any other exception is a bug and is
    let through with its traceback.

    Args:
        command: the command, whose functions return an exit status or None.
        args: the words after the program's name; None takes this process's own.
        prog_name: the program's name in help texts.
        ctrl_c: knows whether an error is in truth Ctrl-C.
    """
    with tolerant_streams():
        # Whatever a run function in a thread does to standard error.
        errors = Output(sys.stderr, own=True)
        try:
            status = command.main(args, prog_name=prog_name, standalone_mode=False)
        except (KeyboardInterrupt, click.Abort):
            return _interrupted(errors)
        except Exception as error:
            if ctrl_c.pressed:
                return _interrupted(errors)
            return _failed(error, errors)
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
            f"standard output can't be written ({failure.strerror or failure}); "
            f"{write_remedy(failure)}, or choose another place"
        )


def _failed(error: Exception, errors: Output) -> int:
    match error:
        case click.exceptions.NoArgsIsHelpError():
            sys.stdout.write(f"{error.format_message()}\n")
            return DONE
        case click.ClickException():
            context = getattr(error, "ctx", None)
            hint = f" (try '{context.command_path} --help')" if context is not None else ""
            message = _message(error).rstrip(".") + hint
        case DeepHyperError():
            message = error.on_command_line()
        case _:
            raise error
    errors.print(f"deephyper: error: {one_printable_line(message, _LONGEST_MESSAGE)}")
    return BAD_INPUT


def _message(error: click.ClickException) -> str:
    if not isinstance(error, click.exceptions.NoSuchOption):
        return error.format_message()
    near = nearest(error.option_name, error.possibilities or ())
    return error.message if near is None else f"{error.message} Did you mean '{near}'?"


def _interrupted(errors: Output) -> int:
    errors.print("deephyper: interrupted")
    return INTERRUPTED
