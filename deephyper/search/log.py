"""The words of a search: lines for its user while it runs, and ``deephyper.log``."""

from __future__ import annotations

import contextlib
import logging
import shlex
import signal
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path

from deephyper.batch import cancel_command
from deephyper.errors import ResultsError, argument
from deephyper.job import Outcome, Reported
from deephyper.printable import printable
from deephyper.problem.point import show
from deephyper.safe_files import open_to_append
from deephyper.search.budget import Reason
from deephyper.search.record import Evaluation
from deephyper.search.warm_start import WarmStartReport
from deephyper.sheet import left_out_phrase, quoted
from deephyper.stopper.early_stopping import EarlyStopping
from deephyper.stopper.reports import Curve

FILE_NAME = "deephyper.log"
_log = logging.getLogger("deephyper.search")


@contextlib.contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Send the log to a file.

    Raises:
        ResultsError: if the file can't be made.
    """
    logger = logging.getLogger("deephyper")
    try:
        handler = _LogFile(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ResultsError(
            f"'{path}' can't be written ({error.strerror or error}); choose another "
            f"{argument('log_dir')}"
        ) from error
    handler.setFormatter(_PrintableFormatter("%(asctime)s %(levelname)s %(message)s"))
    # The journal and the results say what matters; a log that can't be written is no reason
    # to print tracebacks.
    handler.handleError = lambda record: None  # type: ignore[method-assign]
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        with contextlib.suppress(OSError):
            handler.close()


class _LogFile(logging.FileHandler):
    """Appends to a log that is the search's own, see :mod:`deephyper.safe_files`."""

    def _open(self) -> TextIOWrapper:
        fd = open_to_append(Path(self.baseFilename))
        return open(fd, "a", encoding=self.encoding, errors=self.errors)


class _PrintableFormatter(logging.Formatter):
    """Leaves nothing in a line that a terminal takes for a command when the log is looked at."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), lines=True)


def log_outcome(evaluation: Evaluation, early: str = "pruned") -> None:
    """Write a line on an evaluation that has ended; failures with their text.

    Args:
        evaluation: the evaluation.
        early: the word for what ended early.
    """
    outcome = evaluation.outcome
    assert outcome is not None
    expected = ""
    if evaluation.predicted is not None:
        mean, std = evaluation.predicted
        expected = f", expected {mean:.6g} ± {std:.3g}"
    if outcome.failure is None:
        _log.info(
            "evaluation %s: %sobjective %.10g%s, %.3f s on worker %s, point %s",
            outcome.job.id,
            "" if outcome.step is None else f"{early} at step {outcome.step}, ",
            outcome.objective,
            expected,
            outcome.elapsed_sec,
            outcome.worker,
            outcome.job.point,
        )
    else:
        _log.warning(
            "evaluation %s failed (%s: %s) after %.3f s on worker %s, point %s%s",
            outcome.job.id,
            outcome.failure.kind,
            outcome.failure.message,
            outcome.elapsed_sec,
            outcome.worker,
            outcome.job.point,
            f"\n{outcome.failure.text.rstrip()}" if outcome.failure.text else "",
        )


def warm_start_notice(report: WarmStartReport) -> str:
    """Return how many of the results of a warm start are used, and why the others aren't."""
    parts = [f"{report.used} of {report.total} results fit the space"]
    if report.left_out:
        parts.append(left_out_phrase(report.left_out))
    if report.filled:
        values = ", ".join(f"{name} = {show(value)}" for name, value in report.filled.items())
        parts.append(f"not in the file and so at the default: {values}")
    if report.ignored:
        parts.append(f"not in the space and ignored: {', '.join(map(quoted, report.ignored))}")
    return f"warm start: {'; '.join(parts)}"


def set_aside_notice(path: Path) -> str:
    """Return where a results file is that the user has changed."""
    return f"results.csv was changed since the search wrote it; it is now {path}"


def open_directory_notice(path: Path) -> str:
    """Return that anybody may write to a log directory."""
    return (
        f"every user of this machine may write to '{path}', and so change the results; "
        f"chmod o-w {shlex.quote(str(path))} leaves it to you"
    )


def retry_notice(outcome: Outcome) -> str:
    """Return that an evaluation is tried again."""
    why = "" if outcome.failure is None else outcome.failure.message
    return f"evaluation {outcome.job.id} runs again: {why}"


def silence_notice(id_: str, counts_steps: bool = False) -> str:
    """Return that a stopper has nothing to decide by, or that there are no steps to count.

    Args:
        id_: of an evaluation.
        counts_steps: whether the budget is one of steps.
    """
    what = "it has no steps that count" if counts_steps else "none can be ended early"
    return (
        f"evaluation {id_} has ended without a report, so {what}; have run call "
        "evaluation.report(objective, step=...), after: from deephyper import evaluation"
    )


def anew_notice(id_: str, step: int) -> str:
    """Return that an evaluation which was taken up has not continued where it was.

    Args:
        id_: of the evaluation.
        step: of its first report.
    """
    return (
        f"evaluation {id_} was taken up after a pause and began anew at step {step}, so what it "
        "had computed is lost; have run keep a checkpoint in evaluation.directory, and continue "
        "from it (docs/evaluations.md, The directory)"
    )


def left_behind_notice(id_: str, grace: float) -> str:
    """Return that an evaluation can't be paused, since it may still be running.

    Args:
        id_: of the evaluation.
        grace: seconds that it had to end.
    """
    return (
        f"evaluation {id_} has not ended within {grace:g} s of being asked to, and a thread can't "
        "be killed; as it may still be running it is pruned for good, not paused: report more "
        "often, give a longer grace (--stop-grace), or use the process evaluator"
    )


class Hints:
    """Tells the user once of each thing that is not as it could be.

    Args:
        stopping: the rule that ends evaluations early.
        counts_steps: whether the budget is one of steps.
        grace: seconds that an evaluation gets which is to end.
        notify: called with a line.
    """

    def __init__(
        self,
        stopping: EarlyStopping,
        counts_steps: bool,
        grace: float,
        notify: Callable[[str], None],
    ) -> None:
        self._stopping = stopping
        self._counts_steps = counts_steps
        self._grace = grace
        self._notify = notify
        self._told_of_silence = self._told_of_left_behind = self._told_of_anew = False

    def begins_anew(self, event: Reported) -> None:
        """Take the report of an evaluation that was paused and doesn't continue where it was."""
        if not self._told_of_anew:
            self._told_of_anew = True
            self._notify(anew_notice(event.job.id, event.step))

    def take(self, outcome: Outcome, curve: Curve | None) -> None:
        """Take an evaluation that has ended.

        Args:
            outcome: what it came to.
            curve: what it has reported.
        """
        silent = outcome.status == "finished" and (curve is None or curve.last_step == 0)
        needed = self._stopping.needs_reports or self._counts_steps
        if silent and needed and not self._told_of_silence:
            self._told_of_silence = True
            self._notify(silence_notice(outcome.job.id, self._counts_steps))
        pauses = outcome.status == "pruned" and self._stopping.pauses
        if pauses and outcome.left_behind and not self._told_of_left_behind:
            self._told_of_left_behind = True
            self._notify(left_behind_notice(outcome.job.id, self._grace))


def stopped_notice(evaluations: int) -> str:
    """Return how many evaluations were stopped."""
    return (
        f"{evaluations} running evaluations were stopped; they run again when the search is resumed"
    )


def paused_notice(evaluations: int, pauses: bool = True, max_evals: int | None = None) -> str:
    """Return how many evaluations are left paused.

    Args:
        evaluations: that are.
        pauses: whether the rule of the session pauses, and so may take them up.
        max_evals: the number of evaluations that has ended the search, if it has.
    """
    counted = "1 evaluation is" if evaluations == 1 else f"{evaluations} evaluations are"
    needed = [] if max_evals is None else [f"--max-evals larger than {max_evals}"]
    needed += [] if pauses else ["a rule that pauses, such as --stopper curve"]
    how = f" with {' and '.join(needed)}" if needed else ""
    return f"{counted} paused, and may continue when the search is resumed{how}"


def ending_notice(reason: Reason, running: int, grace: float, number: int | None) -> str | None:
    """Return why no new evaluations begin; None where no running one is waited for.

    Args:
        reason: why.
        running: evaluations that are.
        grace: seconds that they get after a timeout or SIGTERM.
        number: the signal that came.
    """
    if not running:
        return None
    if reason == "timeout":
        return (
            f"the time limit was reached; the {running} running evaluations have {grace:g} s to end"
        )
    if reason != "interrupted":
        return None
    if number == signal.SIGINT:
        cancel = cancel_command()
        then = "press Ctrl-C again to leave at once" if cancel is None else f"{cancel} ends them"
        return f"no new evaluations; waiting for the {running} running ones ({then})"
    name = signal.Signals(number or 0).name
    then = f"have {grace:g} s to end" if grace else "are stopped"
    return f"{name}: no new evaluations; the {running} running ones {then}"
