"""A run function that runs a program."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.command.program import Program
from deephyper.command.source import OUTPUT, Source, named_numbers, read_output, source_of
from deephyper.command.template import POINT as POINT_TEXT
from deephyper.command.template import POINT_FILE, Template, Values
from deephyper.errors import SettingsError
from deephyper.evaluator.current import evaluation, program_run
from deephyper.loading import absolute
from deephyper.objective import FAILURE_PREFIX
from deephyper.printable import printable, shell_word

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator

REPORT = "DH-REPORT:"
"""A line that begins with it reports a step and the objective there."""
POINT, ID, DIRECTORY = b"DEEPHYPER_POINT", b"DEEPHYPER_ID", b"DEEPHYPER_DIR"
"""Environment variables of the program: the point as JSON, the evaluation's id and directory."""
_BEGINNING = 4096
"""Bytes of a program that are looked at; no binary has so many without a zero among them."""
START, OWN = "start", "evaluation"
"""What stands for a directory."""


@dataclass(frozen=True)
class Command:
    """A program, called with each point; what it prints or writes is the objective.

    Lines ``DH-OUTPUT: value`` and ``DH-REPORT: step value`` are read wherever they stand, each with
    metrics ``name=value`` behind it, if there are any. An exit status other than 0 is a failure.

    Args:
        words: of the command line, with placeholders: ``{name}`` and ``{name:format}`` of
            hyperparameters; ``{id}``, ``{dir}``, ``{seed}``, ``{gpu}`` of the evaluation; for all
            hyperparameters ``{args}`` (``--name value``), ``{args=}`` (``--name=value``),
            ``{flags}`` and ``{flags=}`` (the same with booleans as ``--name`` or nothing),
            ``{overrides}`` (Hydra's ``name=value``), ``{point}`` (JSON) and ``{point_file}`` (the
            path of a file with it).
        names: of all hyperparameters, those that are not always active included.
        objective: where it is: ``last`` (the last number on standard output), ``regex:PATTERN``, or
            ``json:FILE[:KEY]``.
        workdir: the directory in which the program runs; "start" for the one in which the search
            was started, "evaluation" for that of the evaluation.
        directory: where the search was started; None for the current directory.

    Raises:
        SettingsError: if a placeholder is unknown, there are no words, or the objective is nowhere.
    """

    words: Sequence[str]
    names: Collection[str]
    objective: str = "last"
    workdir: str = START
    directory: str | None = None
    _template: Template = field(init=False, repr=False, compare=False)
    _source: Source = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.words or not self.words[0]:
            raise SettingsError("the command is empty; write the program, and what it is given")
        words, set_ = list(self.words), object.__setattr__
        start = self.directory or str(absolute(Path()))
        if self.workdir not in (START, OWN):
            start = str(absolute(Path(self.workdir).expanduser()))
        if os.sep in words[0] and "{" not in words[0]:
            words[0] = os.path.join(start, words[0])
        set_(self, "directory", start)
        set_(self, "_template", Template.of(words, self.names))
        source = source_of(self.objective)
        set_(self, "_source", source)
        if source.file:
            Template.of([source.file], self.names)

    @property
    def unused(self) -> list[str]:
        """The hyperparameters that the command line doesn't have."""
        return self._template.unused

    @property
    def shared_file(self) -> str:
        """The file of the objective, if it is one for all evaluations; empty otherwise."""
        file = source_of(self.objective).file
        own = self.workdir == OWN and not os.path.isabs(file)
        return "" if own or Template.of([file], self.names).varies else file

    def check_formats(self, examples: Mapping[str, Iterable[Any]]) -> None:
        """Check that values can be shown in the formats of the placeholders.

        Args:
            examples: values of hyperparameters, by name.

        Raises:
            SettingsError: if one can't be.
        """
        file = source_of(self.objective).file
        for template in (self._template, Template.of([file], self.names)):
            template.check_formats(examples)

    def check_program(self) -> None:
        """Make sure that the program can be found and executed here.

        Raises:
            SettingsError: if it can't.
        """
        program = self._template.words[0]
        if self.workdir not in (START, OWN) and not os.path.isdir(self.directory or ""):
            raise SettingsError(
                f"--workdir is '{printable(self.workdir)}', which is no directory; give {START}, "
                f"{OWN}, or one that is there"
            )
        shown = printable(self.words[0])
        if "{" in program:
            return
        found = shutil.which(program)
        if found is not None:
            _check_start(found, shown)
            return
        if os.sep not in program:
            raise SettingsError(
                f"the program '{shown}' is not in the directories of PATH; install it, or give "
                f"its path{f': ./{shown}' if Path(program).is_file() else ''}"
            )
        if not os.path.exists(program):
            raise SettingsError(f"the program '{shown}' is not there; correct its path")
        if os.path.isdir(program):
            raise SettingsError(f"the program '{shown}' is a directory; name a program in it")
        raise SettingsError(
            f"the program '{shown}' is not executable; make it so (chmod +x {shell_word(shown)}), "
            "or put what it is run with before it, as in: python train.py"
        )

    def backend_in_place_of(self, backend: type[Evaluator]) -> type[Evaluator]:
        """Return the evaluator that does for a program what another one does for a function."""
        from deephyper.command.evaluator import ProgramEvaluator
        from deephyper.evaluator.process import ProcessEvaluator
        from deephyper.evaluator.thread import ThreadEvaluator

        return ProgramEvaluator if backend in (ProcessEvaluator, ThreadEvaluator) else backend

    def __call__(self, point: dict[str, Any]) -> Any:
        """Run the program with a point; return what a run function returns."""
        own = str(evaluation.directory)
        text = json.dumps(point)
        values: Values = {
            "id": evaluation.id or "0",
            "dir": own,
            "seed": str(evaluation.seed),
            "gpu": ",".join(evaluation.gpus) or None,
            POINT_TEXT: text,
            POINT_FILE: os.path.join(own, "point.json"),
        }
        assert self.directory is not None
        place = own if self.workdir == OWN else self.directory

        def path_of(name: str) -> Path:
            (word,) = Template.of([name], self.names).render(point, values) or [name]
            return Path(place, word)

        source = self._source
        reader = source.reader(path_of)
        run = program_run()
        environment = {
            **(os.environb if run.environment is None else run.environment),
            POINT: text.encode(),
            ID: os.fsencode(values["id"] or ""),
            DIRECTORY: os.fsencode(own),
        }
        said: list[Any] = []
        reported: list[float] = []

        def take(line: str) -> None:
            if REPORT in line and line.lstrip().startswith(REPORT):
                reported[:] = [_report(line)]
            elif OUTPUT in line and (output := read_output(line)) is not None:
                said[:] = [output]
            else:
                reader.take(line)

        try:
            words = self._template.render(point, values)
            if self._template.has_own(POINT_FILE):
                Path(own, "point.json").write_text(text, encoding="utf-8")
            program = Program(words, environment, place, run.output)
        except (OSError, ValueError) as error:
            return f"{FAILURE_PREFIX}the program can't be started: {_reason(error)}"
        try:
            with program:
                run.started(program.kill)
                status = program.run(take, evaluation.should_stop)
        finally:
            run.drop_directory(own, is_used=place == own)
        if status is None:
            return None  # it was ended early, and its last report counts
        if status != 0:
            return f"{FAILURE_PREFIX}{_ended(status)}{_shown(program.last_lines)}"
        found = said[0] if said else reader.result()
        if found is None:
            found = reported[0] if reported else f"{FAILURE_PREFIX}{source.missing}"
        return found


def _report(line: str) -> float:
    """Report what a line says; return the objective in it.

    Raises:
        ValueError: if it can't be read.
        SettingsError: if the step goes back.
        EvaluationPruned: if the evaluation is to end.
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
    evaluation.report(objective, step=step, **metrics)
    return objective


def _ended(status: int) -> str:
    """Return how a program has ended."""
    if status > 0:
        return f"the program ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"the program was ended by {name}"


def _shown(lines: str) -> str:
    return f": {lines}" if lines else ""


def _check_start(program: str, shown: str) -> None:
    """Make sure that the system knows how an executable file is run.

    Raises:
        SettingsError: if it is a text that doesn't say by what.
    """
    try:
        with open(program, "rb") as file:
            start = file.read(_BEGINNING)
    except OSError:
        return  # what may be executed may still not be read
    if start.startswith(b"#!"):
        words = start.splitlines()[0].removeprefix(b"#!").split()
        interpreter = os.fsdecode(words[0]) if words else ""
        if not os.path.exists(interpreter):
            raise SettingsError(
                f"the program '{shown}' names '{printable(interpreter)}' in its first line, which "
                "is not there; correct that line"
            )
    elif b"\0" not in start:
        raise SettingsError(
            f"the program '{shown}' is a text without a first line such as #!/bin/sh, which says "
            "what it is run with; add one, or put that before it, as in: sh train.sh"
        )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror} ('{os.fsdecode(error.filename)}')"
    return str(error)
