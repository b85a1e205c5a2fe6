"""A run function that runs a program."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.command.run import Run
from deephyper.command.source import Source, source_of
from deephyper.command.template import Template
from deephyper.command.watch import Watch
from deephyper.errors import SettingsError
from deephyper.evaluator.current import evaluation, report
from deephyper.loading import absolute
from deephyper.printable import printable, shell_word

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator

_BEGINNING = 4096
"""Bytes of a program that are looked at; no binary has so many without a zero among them."""
_TICK = 0.2
"""Seconds between two questions whether a program is to end."""
START = "start"
"""In place of a directory: where the search was started."""
OWN = "evaluation"
"""In place of a directory: that of the evaluation."""


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
    template: Template = field(init=False, repr=False, compare=False)
    source: Source = field(init=False, repr=False, compare=False)

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
        set_(self, "template", Template.of(words, self.names))
        source = source_of(self.objective)
        set_(self, "source", source)
        if source.file:
            Template.of([source.file], self.names)

    @property
    def unused(self) -> list[str]:
        """The hyperparameters that the command line doesn't have."""
        return self.template.unused

    @property
    def shared_file(self) -> str:
        """The file of the objective, if it is one for all evaluations; empty otherwise."""
        file = source_of(self.objective).file
        own = self.workdir == OWN and not os.path.isabs(file)
        return "" if own or Template.of([file], self.names).varies else file

    def place(self, directory: str) -> str:
        """Return the directory in which the program runs.

        Args:
            directory: of the evaluation.
        """
        assert self.directory is not None
        return directory if self.workdir == OWN else self.directory

    def check_formats(self, examples: Mapping[str, Iterable[Any]]) -> None:
        """Check that values can be shown in the formats of the placeholders.

        Args:
            examples: values of hyperparameters, by name.

        Raises:
            SettingsError: if one can't be.
        """
        file = source_of(self.objective).file
        for template in (self.template, Template.of([file], self.names)):
            template.check_formats(examples)

    def check_program(self) -> None:
        """Make sure that the program can be found and executed here.

        Raises:
            SettingsError: if it can't.
        """
        program = self.template.words[0]
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
        directory = str(evaluation.directory)
        run = Run(
            self,
            point,
            id=evaluation.id or "0",
            seed=evaluation.seed,
            directory=directory,
            gpus=evaluation.gpus,
            report=report,
            environment=os.environb,
        )
        if run.program is not None:
            with Watch() as watch:
                watch.add(run.program)
                while not watch.wait(_TICK):
                    if evaluation.should_stop():
                        watch.terminate(run.program)
        if evaluation.id is not None:
            with contextlib.suppress(OSError):
                os.rmdir(directory)
        return run.result()


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
