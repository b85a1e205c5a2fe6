"""The run of a command with a point: what is started, and what comes of what it prints."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.command.program import Program
from deephyper.command.source import OUTPUT, named_numbers, read_output
from deephyper.command.template import POINT as POINT_TEXT
from deephyper.command.template import POINT_FILE, Template, Values
from deephyper.evaluator.current import EvaluationPruned
from deephyper.objective import FAILURE_PREFIX
from deephyper.printable import printable

if TYPE_CHECKING:
    from deephyper.command.command import Command

REPORT = "DH-REPORT:"
"""A line that begins with it reports a step and the objective there."""
POINT, ID, DIRECTORY = b"DEEPHYPER_POINT", b"DEEPHYPER_ID", b"DEEPHYPER_DIR"
"""Environment variables of the program: the point as JSON, the evaluation's id and directory."""

Report = Callable[[float, int, Mapping[str, float]], None]
"""Takes objective, step and metrics."""


class Run:
    """A run of a command, which begins at once and is over when its program is.

    Args:
        command: the command.
        point: the point.
        id: of the evaluation.
        seed: of the evaluation.
        directory: of the evaluation, which is there.
        gpus: that it may use, as ``CUDA_VISIBLE_DEVICES`` names them.
        report: takes what the program reports; what it raises ends the program.
        environment: of the program, on top of which come the variables of the evaluation.
        output: file that gets what it prints; None for this process's own streams.

    Attributes:
        program: the program; None if it can't be started.
    """

    def __init__(
        self,
        command: Command,
        point: Mapping[str, Any],
        *,
        id: str,
        seed: int,
        directory: str,
        gpus: Sequence[str],
        report: Report,
        environment: Mapping[bytes, bytes],
        output: str | None = None,
    ) -> None:
        self.program: Program | None = None
        self._missing = command.source.missing
        self._report = report
        self._said: Any = None  # by the last line DH-OUTPUT
        self._reported: float | None = None  # by the last line DH-REPORT
        self._error: BaseException | None = None
        try:
            text = json.dumps(point)
            values: Values = {
                "id": id,
                "dir": directory,
                "seed": str(seed),
                "gpu": ",".join(gpus) or None,
                POINT_TEXT: text,
                POINT_FILE: os.path.join(directory, "point.json"),
            }
            place = command.place(directory)

            def path_of(name: str) -> Path:
                (word,) = Template.of([name], command.names).render(point, values) or [name]
                return Path(place, word)

            self._reader = command.source.reader(path_of)
            words = command.template.render(point, values)
            if command.template.has_own(POINT_FILE):
                Path(directory, "point.json").write_text(text, encoding="utf-8")
            environment = {
                **environment,
                POINT: text.encode(),
                ID: os.fsencode(id),
                DIRECTORY: os.fsencode(directory),
            }
            self.program = Program(words, environment, place, self._take, output)
        except (OSError, ValueError) as error:
            self._said = f"{FAILURE_PREFIX}the program can't be started: {_reason(error)}"
        except Exception as error:  # of a value that can't be shown
            self._error = error

    @property
    def was_ended_early(self) -> bool:
        """True if the program was to end early, and for no fault of its own."""
        return self._error is None and self.program is not None and self.program.is_ending

    def result(self) -> Any:
        """Return what a run function returns; None if the program was ended early.

        Raises:
            Exception: what a report has raised, or the point.
            EvaluationPruned: if a report has ended it.
        """
        if self._error is not None:
            raise self._error
        program = self.program
        if program is None:
            return self._said
        if program.is_ending:
            return None
        if program.status:
            lines = program.last_lines
            return f"{FAILURE_PREFIX}{_ended(program.status)}{f': {lines}' if lines else ''}"
        found = self._reader.result() if self._said is None else self._said
        if found is None:
            found = self._reported
        return f"{FAILURE_PREFIX}{self._missing}" if found is None else found

    def _take(self, lines: list[str]) -> None:
        """Look at lines of the output, and end the program if that raises something."""
        plain = []
        try:
            for line in lines:
                if REPORT in line and line.lstrip().startswith(REPORT):
                    self._take_report(line)
                elif OUTPUT in line and (said := read_output(line)) is not None:
                    self._said = said
                else:
                    plain.append(line)
            self._reader.take(plain)
        except (Exception, EvaluationPruned) as error:
            assert self.program is not None
            if not self.program.is_ending:
                self._error = error
                self.program.terminate()

    def _take_report(self, line: str) -> None:
        if self._error is None:
            objective, step, metrics = _read_report(line)
            self._report(objective, step, metrics)
            self._reported = objective


def _read_report(line: str) -> tuple[float, int, dict[str, float]]:
    """Return objective, step and metrics of a report.

    Raises:
        ValueError: if it can't be read.
    """
    words = line.strip().removeprefix(REPORT).split()
    try:
        step, objective = int(words[0]), float(words[1])
        metrics = {name: float(text) for name, text in named_numbers(words[2:]).items()}
    except (IndexError, ValueError):
        raise ValueError(
            f"the program printed {printable(line.strip()[:80])!r}; a report is {REPORT} STEP "
            "VALUE, with a whole number and a number"
        ) from None
    return objective, step, metrics


def _ended(status: int) -> str:
    """Return how a program has ended."""
    if status > 0:
        return f"the program ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"the program was ended by {name}"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror} ('{os.fsdecode(error.filename)}')"
    return str(error)
