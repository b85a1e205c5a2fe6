"""Damaged journals: either understood exactly, or refused in one line that names the line."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import DeepHyperError, ResultsError
from deephyper.job import Failure, Job
from deephyper.search import events, journal, replay
from deephyper.search.replay import read_journal
from deephyper.search.results import read_table
from tests.search.damaged_journals import damaged
from tests.search.paused_trainings import Pausing, at_the_end
from tests.search.virtual_search import VirtualSearch

BUDGET = 15
SEEDS = 300


class Endless(BaseException):
    """The search evaluates more than its budget can be."""


def run(job: Job) -> float | Failure:
    x = float(job.point["x"])
    if job.attempt == 1 and x > 0.8:
        return Failure("worker_died", "it died")
    if x > 0.9:
        return Failure("exception", "ValueError: é \udc80", "Traceback\n")
    return x * 10


def new_search(log_dir: Path, pausing: bool = False) -> VirtualSearch:
    left = iter(range(2 * BUDGET))

    def limited(job: Job) -> float | Failure:
        if next(left, None) is None:
            raise Endless
        return run(job)

    search = VirtualSearch(log_dir, run=limited, num_workers=3, options={"seed": 7, "retries": 1})
    if pausing:
        search.options["stopper"] = Pausing(at=1, take_up=at_the_end, at_most=8.0)
        # One that is taken up goes on at its third step.
        search.reports = lambda job: [
            (0.1 * i, step, run_objective(job) / step)
            for i, step in enumerate((1, 2, 3) if job.attempt == 1 else (3, 4), 1)
        ]
    return search


def run_objective(job: Job) -> float:
    return float(job.point["x"]) * 10


def write_journal(log_dir: Path) -> list[bytes]:
    """The lines of a journal whose search was interrupted twice and is not at its end."""
    old = log_dir.with_name("old")
    VirtualSearch(old, run=run, options={"seed": 1}).session(max_evals=3)
    search = new_search(log_dir)
    search.time.at(2.5, lambda: signal.raise_signal(signal.SIGINT))
    search.time.at(2.6, lambda: signal.raise_signal(signal.SIGINT))
    search.session(max_evals=BUDGET, warm_start=old / "results.csv")
    search.time.at(4.2, lambda: signal.raise_signal(signal.SIGINT))
    search.session()
    lines = (log_dir / "journal.jsonl").read_bytes().splitlines(keepends=True)
    kinds = [json.loads(line)["event"] for line in lines]
    assert {*kinds} == {
        "search", "known", "submitted", "started", "finished", "failed", "stopped", "ended",
        "resumed",
    }  # fmt: skip
    assert any(b'"retry"' in line for line in lines)
    assert kinds.count("finished") < BUDGET - 2
    return lines


def write_journal_with_pauses(log_dir: Path) -> list[bytes]:
    """The same of a search that pauses evaluations: some continue, some are still paused."""
    search = new_search(log_dir, pausing=True)

    def some(proposal: object, paused: list[str]) -> str | None:
        return paused[0] if len(paused) > 2 else None

    search.time.at(1.05, lambda: signal.raise_signal(signal.SIGINT))
    search.session(max_evals=BUDGET, stopper=Pausing(at=1, take_up=some, at_most=8.0))
    for seconds in (0.7, 0.8):
        search.time.at(search.time.seconds + seconds, lambda: signal.raise_signal(signal.SIGINT))
    search.session(stopper=Pausing(at=1, take_up=some, at_most=8.0))
    lines = (log_dir / "journal.jsonl").read_bytes().splitlines(keepends=True)
    kinds = [json.loads(line)["event"] for line in lines]
    record = read_journal(log_dir)
    assert kinds.count("paused") > len(record.paused) > 1
    assert {"stopped", "finished"} <= {*kinds}
    return lines


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return write_journal(tmp_path_factory.mktemp("journal") / "log")


@pytest.fixture(scope="module")
def lines_with_pauses(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return write_journal_with_pauses(tmp_path_factory.mktemp("pauses") / "log")


def resume_damaged(data: bytes, log_dir: Path, pausing: bool = False) -> bool:
    """Resume a search from a journal; return whether that was understood.

    Then it ends at its budget, with every result that the journal has, each once.
    """
    log_dir.mkdir(exist_ok=True)
    for file in log_dir.iterdir():
        file.unlink()
    path = log_dir / "journal.jsonl"
    path.write_bytes(data)
    try:
        result = new_search(log_dir, pausing).session(resume=True)
    except Endless:
        assert (read_journal(log_dir).max_evals or 0) > BUDGET  # so the journal has it
        return True
    except DeepHyperError as error:
        for message in (str(error), error.on_command_line()):
            assert message.isprintable()
            assert len(message) < 1000
            assert str(log_dir) in message
        assert path.read_bytes() == data, "it was changed"
        return False
    ends = ("finished", "failed", "pruned")
    rows = [row for row in read_table(log_dir).rows if row.status in ends]
    objectives = {str(row.columns["id"]): row.objective for row in rows}
    assert len(rows) == len(objectives) == result.num_evaluations
    record = read_journal(log_dir)  # what was written behind it can be read as well
    if result.reason == "max_evals":
        assert len(rows) == record.max_evals
    assert {i: e.outcome and e.outcome.objective for i, e in record.evaluations.items()} == {
        i: objectives[i] for i in record.evaluations
    }
    kept = _finished(data)
    assert kept.items() <= objectives.items()
    whole = [row.objective for row in rows if row.status == "finished"]
    assert result.best_objective == max((o for o in whole if o is not None), default=None)
    assert not record.paused
    return True


def _finished(data: bytes) -> dict[str, float]:
    """Results of a journal, as another program reads them."""
    found: dict[str, float] = {}
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event["event"] == "finished":
            found[event["id"]] = float(event["objective"])
    return found


@pytest.mark.parametrize("part", range(6))
def test_is_resumed_exactly_or_refused_in_one_line(
    part: int, lines: list[bytes], tmp_path: Path
) -> None:
    understood = sum(
        resume_damaged(damaged(seed, lines), tmp_path / "log") for seed in range(part, SEEDS, 6)
    )
    assert 0.1 < understood / (SEEDS / 6) < 0.9


@pytest.mark.parametrize("part", range(3))
def test_pauses_are_resumed_exactly_or_refused_in_one_line(
    part: int, lines_with_pauses: list[bytes], tmp_path: Path
) -> None:
    understood = sum(
        resume_damaged(damaged(seed, lines_with_pauses), tmp_path / "log", pausing=True)
        for seed in range(part, SEEDS // 2, 3)
    )
    assert 0.1 < understood / (SEEDS // 6) < 0.9


# Each kind of damage by itself.


def refusal(lines: list[bytes], log_dir: Path) -> str:
    log_dir.mkdir(exist_ok=True)
    (log_dir / "journal.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(ResultsError) as caught:
        read_journal(log_dir)
    message = str(caught.value)
    assert "warm_start" in message
    return message


def changed(line: bytes, **fields: Any) -> bytes:
    event = json.loads(line) | fields
    return json.dumps({k: v for k, v in event.items() if v is not ...}).encode() + b"\n"


def first(kind: str, lines: list[bytes], start: int = 0) -> int:
    return next(i for i in range(start, len(lines)) if json.loads(lines[i])["event"] == kind)


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("kind", "field", "values"),
    [
        ("search", "version", [None, "2", 2.0, True, ...]),
        ("search", "space", [None, {}, [], {"hyperparameters": []}, ...]),
        ("search", "settings", [None, [], ...]),
        ("search", "max_evals", [0, -1, 1.5, True, "9", ...]),
        ("search", "max_evals", [None]),
        ("search", "timeout", [0, -1, NAN, INFINITY, True, "9", ...]),
        ("search", "event", ["seek", 5, None, ...]),
        ("known", "objective", [NAN, INFINITY, True, "0.97", "", None, [], ...]),
        ("known", "point", [5, None, "x", ...]),
        ("submitted", "point", [5, None, [], ...]),
        ("submitted", "id", [3, "", "-1", "../../escaped", "1\n", "٣", "007", "1.0", True, ...]),
        ("submitted", "attempt", ["first", 0, -1, 1.5, True, 10**30, ...]),
        ("submitted", "predicted", [NAN, True, "1"]),
        ("submitted", "time", ["yesterday", NAN, INFINITY, 1e300, None, True, ...]),
        ("submitted", "seconds", ["1", NAN, INFINITY, -1, 1e300, True]),
        ("submitted", "colour", ["blue"]),
        ("started", "worker", [1, None, ...]),
        ("finished", "objective", [NAN, INFINITY, -INFINITY, True, "0.97", None, [], 10**400, ...]),
        ("finished", "start", [[], NAN, "x", True, ...]),
        ("finished", "end", [None, NAN, "x", True, ...]),
        ("finished", "output", [5, [], ...]),
        ("finished", "metrics", [{"loss": NAN}, {"loss": True}, {"loss": "x"}, []]),
        ("failed", "kind", ["unheard of", None, ...]),
        ("failed", "message", [5, None, ...]),
        ("failed", "text", [5, None, ...]),
        ("failed", "retry", [1, "true", None]),
        ("ended", "reason", ["why not", None, ...]),
    ],
)
def test_a_field_that_is_not_what_it_should_be_is_named_with_its_line(
    lines: list[bytes], tmp_path: Path, kind: str, field: str, values: list[Any]
) -> None:
    at = first(kind, lines)
    for value in values:
        line = changed(lines[at], **{field: value})
        message = refusal([*lines[:at], line, *lines[at + 1 :]], tmp_path / "log")
        assert f"damaged at line {at + 1}: " in message
        assert field in message or field == "event"
        # An unterminated last line may be half, but not another.
        assert f"line {at + 1}: " in refusal([*lines[:at], line.rstrip()], tmp_path / "log")


@pytest.mark.parametrize(
    "damage",
    [b"\xff\xfe\n", b"\n", b"[]\n", b"null\n", b'"text"\n', b"\0\0\0\n", b"<<<<<<< HEAD\n", b"{\n"],
)
def test_a_line_that_is_not_an_event_is_named(
    lines: list[bytes], tmp_path: Path, damage: bytes
) -> None:
    message = refusal([*lines[:3], damage, *lines[4:]], tmp_path / "log")
    assert "damaged at line 4: " in message


def test_a_long_or_deep_line_is_refused_before_it_costs_anything(
    lines: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_dir = tmp_path / "log"
    for deep in (b'{"event": ' + b"[" * 10**6, b'{"a": ' * 10**5, b"[" * 65 + b"]" * 65 + b"\n"):
        assert "nested more than 64 deep" in refusal([*lines, deep], log_dir)
    quoted = b'"' + b"[" * 1000 + b'"'
    text = changed(lines[first("failed", lines)], text="@").replace(b'"@"', quoted)
    at = first("failed", lines)
    (log_dir / "journal.jsonl").write_bytes(b"".join([*lines[:at], text, *lines[at + 1 :]]))
    assert read_journal(log_dir).ended  # brackets in a text don't nest
    for module in (events, replay):
        monkeypatch.setattr(module, "LONGEST_LINE", 1 << 20)
    assert "more than 1 MiB" in refusal([*lines, b"x" * (3 << 20)], log_dir)


def test_a_line_that_could_not_be_read_back_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LONGEST_LINE", 2000)
    search = VirtualSearch(tmp_path, run=lambda job: Failure("exception", "x" * 3000, ""))
    with pytest.raises(ResultsError, match="could not be read back; use smaller values"):
        search.session(max_evals=2)
    assert len(read_journal(tmp_path).unfinished) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda ls: ls + ls, "a search begins, and it is not the first line"),
        (lambda ls: ls + ls[first("submitted", ls) :], "after the end"),
        (lambda ls: ls[1:], "before the search begins"),
        (lambda ls: ls[first("resumed", ls) :], "is resumed before it begins"),
        (lambda ls: without("submitted", ls), "was never submitted|is at attempt"),
        (lambda ls: without("submitted", ls, 2), "was never submitted|is at attempt"),
        (lambda ls: twice("submitted", ls), "is submitted twice"),
        (lambda ls: [*ls, ls[first("resumed", ls)], ls[first("submitted", ls)]], "after its end"),
        (lambda ls: twice("finished", ls), "has ended before"),
        (lambda ls: twice("stopped", ls), "is not running"),
        (lambda ls: twice("ended", ls), "after the end of a session"),
        (lambda ls: [*ls, ls[first("known", ls)]], "after the first evaluation|after the end"),
        (lambda ls: without("resumed", ls), "after the end of a session"),
    ],
)
def test_a_story_that_no_search_writes_is_refused(
    lines: list[bytes], tmp_path: Path, change: Any, reason: str
) -> None:
    message = refusal(change([*lines]), tmp_path / "log")
    assert re.search(rf"damaged at line \d+: .*({reason})", message)


def without(kind: str, lines: list[bytes], number: int = 1) -> list[bytes]:
    at = -1
    for _ in range(number):
        at = first(kind, lines, at + 1)
    return lines[:at] + lines[at + 1 :]


def twice(kind: str, lines: list[bytes]) -> list[bytes]:
    at = first(kind, lines)
    return [*lines[: at + 1], *lines[at:]]


def test_more_evaluations_than_a_session_s_budget_are_refused(
    lines: list[bytes], tmp_path: Path
) -> None:
    smaller = [changed(line, max_evals=2) if b"max_evals" in line else line for line in lines]
    assert "is one more than the 2 of its session" in refusal(smaller, tmp_path / "log")


def test_missing_ids_are_never_given_again(lines: list[bytes], tmp_path: Path) -> None:
    """The next id comes after the highest, not after the number of evaluations."""
    ids = [json.loads(line).get("id") for line in lines]
    data = b"".join(line for line, id_ in zip(lines, ids, strict=True) if id_ != "1")
    assert resume_damaged(data, tmp_path / "log")
    record = read_journal(tmp_path / "log")
    assert "1" not in record.evaluations
    assert len(record.evaluations) == BUDGET
    assert record.next_id == str(BUDGET + 1)


def test_what_editors_leave_is_no_damage(lines: list[bytes], tmp_path: Path) -> None:
    data = b"".join(lines)
    for edited in (
        b"\xef\xbb\xbf" + data,
        data.replace(b"\n", b"\r\n"),
        data + b"\n\n",
        data + b" \r\n\t\n",
        data.rstrip(b"\n"),
        data + b"\n" + lines[3][:20],
        b"\xef\xbb\xbf" + data + b"\n",
    ):
        assert resume_damaged(edited, tmp_path / "log")


def test_a_file_of_blanks_holds_no_search(tmp_path: Path) -> None:
    for blank in (b"\xef\xbb\xbf", b"\n\n", b"\xef\xbb\xbf\n", b"  "):
        log_dir = tmp_path / f"log{blank!r}"
        log_dir.mkdir()
        (log_dir / "journal.jsonl").write_bytes(blank)
        with pytest.raises(ResultsError, match="start it again without resume"):
            VirtualSearch(log_dir).session(max_evals=2, resume=True)
        assert VirtualSearch(log_dir).session(max_evals=2, resume=False).num_evaluations == 2
        assert VirtualSearch(log_dir).session(max_evals=3).num_evaluations == 3


def test_half_a_surrogate_pair_in_a_message_is_read_back(tmp_path: Path) -> None:
    def fail(job: Job) -> Failure:
        return Failure("exception", "no file 'a\udc80'", "")

    VirtualSearch(tmp_path, run=fail).session(max_evals=1)
    (ended,) = read_journal(tmp_path).ended
    assert ended.outcome is not None
    assert ended.outcome.failure == fail(ended.job)
