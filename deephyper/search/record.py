"""A search as it stands: its evaluations, its budget, its sessions. Held here and nowhere else.

There may be millions of evaluations. As objects they would take a kilobyte or two each, and slow
the garbage collector down: those that have ended are kept packed, in some 150 bytes, and are made
into objects when they are looked at.
"""

from __future__ import annotations

import dataclasses
import math
import pickle
from array import array
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from deephyper.control.asked import Asked
from deephyper.errors import ProblemError
from deephyper.job import Job, Outcome, Proposal
from deephyper.objective import Direction, Failure, Objective, is_better
from deephyper.problem.point import Point
from deephyper.stopper.reports import Curve, Reports


@dataclass
class Evaluation:
    """One evaluation of a search.

    Attributes:
        job: id, point, attempt and directory.
        outcome: None while it is unfinished.
        predicted: the objective that the optimizer's model expected, and its standard deviation.
    """

    job: Job
    outcome: Outcome | None = None
    predicted: tuple[float, float] | None = None

    @classmethod
    def of(cls, job: Job, proposal: Proposal) -> Evaluation:
        """Return the evaluation of a proposal; a prediction that isn't finite is none."""
        expected = proposal.prediction
        if expected is None or not (math.isfinite(expected.mean) and math.isfinite(expected.std)):
            return cls(job)
        return cls(job, predicted=(expected.mean, expected.std))


class Evaluations(Mapping[str, Evaluation]):
    """Evaluations by id, in the order of submission.

    One that has ended is a new object each time that it is looked at, and equal to the last one.
    """

    def __init__(self) -> None:
        self._packed: dict[int, bytes | None] = {}  # by number, in the order of submission
        self._unfinished: dict[str, Evaluation] = {}  # by id, in the same order
        self._order = array("q")  # numbers, in the order in which they ended
        self._packer = _Packer()

    def add(self, evaluation: Evaluation) -> None:
        """Take an evaluation that is submitted, for the first time or again."""
        self._packed[int(evaluation.job.id)] = None
        self._unfinished[evaluation.job.id] = evaluation

    def end(self, outcome: Outcome) -> Evaluation:
        """Take the outcome that an unfinished evaluation has ended with; return the evaluation."""
        evaluation = self._unfinished.pop(outcome.job.id)
        evaluation.outcome = outcome
        number = int(outcome.job.id)
        self._packed[number] = self._packer.pack(evaluation, outcome)
        self._order.append(number)
        return evaluation

    @property
    def ended(self) -> Sequence[Evaluation]:
        """Those with an outcome, in the order in which they ended; later ones don't join them."""
        return _Ended(self, len(self._order), ())

    @property
    def unfinished(self) -> list[Evaluation]:
        """Those without an outcome, in the order of submission."""
        return list(self._unfinished.values())

    def observed(self, without: Container[str] = ()) -> Iterator[tuple[Point, Objective | Failure]]:
        """Yield the points of those that have ended, in that order, and what came of each.

        Args:
            without: ids of those to leave out.
        """
        for number in self._order:
            if not without or str(number) not in without:
                yield self._packer.observed(self._packed_one(number))

    def at(self, place: int) -> Evaluation:
        """Return the evaluation that was the ``place``-th one to end, counted from 0."""
        number = self._order[place]
        return self._packer.unpack(number, self._packed_one(number))

    def _packed_one(self, number: int) -> bytes:
        packed = self._packed[number]
        assert packed is not None
        return packed

    def find(self, id_: str) -> Evaluation | None:
        """Return the evaluation of an id, None if there is none."""
        unfinished = self._unfinished.get(id_)
        if unfinished is not None:
            return unfinished
        number = int(id_) if id_.isdecimal() else -1
        packed = self._packed.get(number)
        if packed is None or str(number) != id_:
            return None
        return self._packer.unpack(number, packed)

    def __getitem__(self, id_: str) -> Evaluation:
        found = self.find(id_)
        if found is None:
            raise KeyError(id_)
        return found

    def __iter__(self) -> Iterator[str]:
        return map(str, self._packed)

    def __len__(self) -> int:
        return len(self._packed)


@dataclass(frozen=True)
class StartCommand:
    """The command line that a session was started with.

    Attributes:
        directory: the working directory, absolute; empty where it could not be determined.
        options: those that were given, each with its value; files are absolute.
    """

    directory: str
    options: dict[str, str]


@dataclass(frozen=True)
class Written:
    """A results file as a session has left it.

    Attributes:
        size: bytes.
        digest: of all of them.
    """

    size: int
    digest: str


@dataclass
class Record:
    """A search as its journal tells it, or as it is in memory.

    Attributes:
        space: description of the search space.
        settings: those of the last session.
        command: that the last session was started with; None for a search from Python.
        max_evals, timeout, max_steps: budget of the last session.
        evaluations: by id, in the order of submission.
        best: the finished evaluation with the best objective, the first of equals.
        busy: the seconds that the evaluations took together which have ended.
        num_failed, num_pruned: how many of these failed, and were ended early for good.
        metrics: names of their metrics, in the order in which they came up.
        has_steps: whether one of them was pruned, and so has a step.
        results: the results file with exactly these evaluations that have ended; None if unknown.
        reports: what evaluations have reported.
        paused: what came of the evaluations that are paused until then, by id, in the order in
            which they were.
        known: points from elsewhere (a warm start) with what came of them.
        asked: what its users have asked for while it ran.
        seconds: how long its earlier sessions have lasted together.
        resumed: whether there were earlier sessions.
        misfit: why a point of the journal is not one of the problem, where that is so.
        size: bytes of the journal that it was read from.
        next_number: the number that is the id of the next evaluation.
    """

    space: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    command: StartCommand | None = None
    max_evals: int | None = None
    timeout: float | None = None
    max_steps: int | None = None
    evaluations: Evaluations = field(default_factory=Evaluations)
    best: Outcome | None = None
    busy: float = 0.0
    num_failed: int = 0
    num_pruned: int = 0
    metrics: dict[str, None] = field(default_factory=dict)
    has_steps: bool = False
    results: Written | None = field(default=None, compare=False)
    reports: Reports = field(default_factory=Reports)
    paused: dict[str, Outcome] = field(default_factory=dict)
    known: list[tuple[dict[str, Any], Objective | Failure]] = field(default_factory=list)
    asked: Asked = field(default_factory=Asked)
    seconds: float = 0.0
    resumed: bool = False
    misfit: ProblemError | None = field(default=None, compare=False)
    size: int = field(default=0, compare=False)
    next_number: int = field(default=0, init=False)
    _pauses: dict[str, Pauses] = field(default_factory=dict, init=False)

    @property
    def direction(self) -> Direction:
        """The direction that the settings give."""
        return "minimize" if self.settings.get("direction") == "minimize" else "maximize"

    @property
    def ended(self) -> Sequence[Evaluation]:
        """Evaluations with an outcome, in the order in which they ended."""
        return self.evaluations.ended

    @property
    def pruned(self) -> list[Evaluation]:
        """Evaluations that are paused, as the results of a session show them: they are pruned."""
        return [Evaluation(o.job, o, self.evaluations[i].predicted) for i, o in self.paused.items()]

    @property
    def shown(self) -> Sequence[Evaluation]:
        """The evaluations of the results: those with an outcome, then those that are paused."""
        return _Ended(self.evaluations, len(self.ended), self.pruned)

    @property
    def outcomes(self) -> Iterator[Outcome]:
        """The outcomes of those, in the same order."""
        return (e.outcome for e in self.ended if e.outcome is not None)

    @property
    def unfinished(self) -> list[Evaluation]:
        """Evaluations without an outcome that aren't paused, in the order of submission."""
        return [e for e in self.evaluations.unfinished if e.job.id not in self.paused]

    @property
    def curves(self) -> dict[str, Curve]:
        """The reports of each evaluation, by id."""
        return self.reports.curves

    @property
    def next_id(self) -> str:
        """Id of the next evaluation: one that no evaluation has had, wherever ids are missing."""
        return str(self.next_number)

    def add(self, evaluation: Evaluation) -> None:
        """Take an evaluation that is submitted, for the first time or again."""
        self.evaluations.add(evaluation)
        number = int(evaluation.job.id)
        if number >= self.next_number:
            self.next_number = number + 1
            self.asked.begin(evaluation.job.point)

    def end(self, outcome: Outcome) -> Evaluation:
        """Take the outcome that an evaluation has ended with; return the evaluation."""
        id_ = outcome.job.id
        self.paused.pop(id_, None)
        pauses = self._pauses.pop(id_, None)
        if pauses is not None:
            outcome = dataclasses.replace(outcome, earlier_sec=pauses.seconds)
        self.reports.end(id_, finished=outcome.status == "finished")
        self.busy += outcome.elapsed_sec
        self.num_failed += outcome.status == "failed"
        self.num_pruned += outcome.status == "pruned"
        self.has_steps = self.has_steps or outcome.step is not None
        if outcome.metrics:
            self.metrics |= dict.fromkeys(outcome.metrics)
        if outcome.status == "finished" and outcome.objective is not None:
            best = None if self.best is None else self.best.objective
            if is_better(outcome.objective, best, self.direction):
                self.best = outcome
        return self.evaluations.end(outcome)

    def pause(self, outcome: Outcome) -> None:
        """Take note that an evaluation is paused, with what came of it until now."""
        id_ = outcome.job.id
        pauses = self._pauses.setdefault(id_, Pauses())
        pauses.number += 1
        self.paused[id_] = dataclasses.replace(outcome, earlier_sec=pauses.seconds)
        self.reports.end(id_)

    def take_up(self, id_: str) -> Evaluation:
        """Take note that a paused evaluation continues; return it, with the job of its attempt."""
        self._pauses[id_].seconds = self.paused.pop(id_).elapsed_sec
        evaluation = self.evaluations[id_]
        evaluation.job = dataclasses.replace(evaluation.job, attempt=evaluation.job.attempt + 1)
        return evaluation

    def was_paused(self, id_: str) -> bool:
        """Return whether an evaluation without an outcome has been paused."""
        return id_ in self._pauses

    def retries(self, job: Job) -> int:
        """Return how often a job was tried again, having failed; to be taken up is no retry."""
        pauses = self._pauses.get(job.id)
        return job.attempt - 1 - (0 if pauses is None else pauses.number)

    def retry(self, job: Job) -> Job:
        """Take note that an attempt has failed and another follows; return the job of that one."""
        self.reports.end(job.id)
        again = dataclasses.replace(job, attempt=job.attempt + 1)
        self.evaluations[job.id].job = again
        return again


@dataclass
class Pauses:
    """The pauses of an unfinished evaluation.

    Attributes:
        number: how often it was paused.
        seconds: that it ran before it was last taken up.
    """

    number: int = 0
    seconds: float = 0.0


class _Ended(Sequence[Evaluation]):
    """The evaluations that have ended until now, and others after them."""

    def __init__(self, evaluations: Evaluations, number: int, others: Sequence[Evaluation]) -> None:
        self._evaluations = evaluations
        self._number = number
        self._others = others

    def __len__(self) -> int:
        return self._number + len(self._others)

    @overload
    def __getitem__(self, place: int) -> Evaluation: ...

    @overload
    def __getitem__(self, place: slice) -> list[Evaluation]: ...

    def __getitem__(self, place: int | slice) -> Evaluation | list[Evaluation]:
        places = range(len(self))[place]
        at = self._at
        return at(places) if isinstance(places, int) else [at(each) for each in places]

    def __iter__(self) -> Iterator[Evaluation]:
        return map(self._at, range(len(self)))

    def _at(self, place: int) -> Evaluation:
        number = self._number
        return self._evaluations.at(place) if place < number else self._others[place - number]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as a list

    def __repr__(self) -> str:
        return f"<{len(self)} evaluations>"


class _Packer:
    """Packs evaluations that have ended.

    What many of them share, as the names of hyperparameters, is kept once.
    """

    def __init__(self) -> None:
        self._shared: list[Any] = []
        self._places: dict[Any, int] = {}

    def pack(self, evaluation: Evaluation, outcome: Outcome) -> bytes:
        """Return an evaluation as bytes."""
        job, failure = outcome.job, outcome.failure
        return pickle.dumps(
            (
                self._share(tuple(job.point)),
                tuple(job.point.values()),
                job.attempt,
                self._share_text(job.directory, job.id),
                self._share(outcome.status),
                outcome.objective,
                None if failure is None else (failure.kind, failure.message, failure.text),
                outcome.start,
                outcome.end,
                self._share(outcome.worker),
                self._share_text(outcome.output, job.id),
                outcome.step,
                dict(outcome.metrics) or None,
                evaluation.predicted,
                outcome.earlier_sec,
            ),
            pickle.HIGHEST_PROTOCOL,
        )

    def unpack(self, number: int, packed: bytes) -> Evaluation:
        """Return the evaluation of a number."""
        names, values, attempt, directory, status, objective, failure, *times = pickle.loads(packed)
        start, end, worker, output, step, metrics, predicted, earlier_sec = times
        shared = self._shared
        id_ = str(number)
        point = dict(zip(shared[names], values, strict=True))
        # Their constructors would take most of the time, as those of frozen dataclasses do.
        job, outcome = object.__new__(Job), object.__new__(Outcome)
        job.__dict__.update(
            id=id_,
            point=point,
            attempt=attempt,
            directory=None if directory is None else id_.join(shared[directory]),
        )
        outcome.__dict__.update(
            job=job,
            status=shared[status],
            objective=objective,
            failure=None if failure is None else Failure(*failure),
            start=start,
            end=end,
            worker=shared[worker],
            output=None if output is None else id_.join(shared[output]),
            step=step,
            metrics=metrics or {},
            earlier_sec=earlier_sec,
        )
        return Evaluation(job, outcome, predicted)

    def observed(self, packed: bytes) -> tuple[Point, Objective | Failure]:
        """Return the point alone, and what came of it."""
        names, values, _, _, _, objective, failure, *_ = pickle.loads(packed)
        point = dict(zip(self._shared[names], values, strict=True))
        return point, Failure(*failure) if objective is None else objective

    def _share(self, value: Any) -> int:
        """Return the place of what evaluations share."""
        place = self._places.get(value)
        if place is None:
            place = self._places[value] = len(self._shared)
            self._shared.append(value)
        return place

    def _share_text(self, text: str | None, id_: str) -> int | None:
        """Return the place of a text without the id that stands in it last."""
        if text is None:
            return None
        before, found, after = text.rpartition(id_)
        return self._share((before, after) if found else (after,))
