"""Results files that were cut, damaged or edited: no traceback, no wrong best in silence."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from deephyper.analytics.topk import best_evaluations
from deephyper.errors import DeepHyperError
from deephyper.job import Job, Outcome
from deephyper.objective import Failure, best_few
from deephyper.problem import HpProblem
from deephyper.search.log import warm_start_notice
from deephyper.search.record import Evaluation
from deephyper.search.results import read_table
from deephyper.search.results_file import Columns
from deephyper.search.warm_start import known_results

FILES = 500
TEXTS = ["relu", "a, b", 'say "hi"', "1", "tanh", "x;y", "None", "é"]
Table = list[list[str]]


def space() -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter(TEXTS, "activation")
    problem.add_hyperparameter((0.0, 1.0), "lr")
    problem.add_hyperparameter((1, 100), "units")
    problem.add_hyperparameter([True, False], "bias")
    problem.add_hyperparameter([None, 1, 2], "depth")
    return problem


PROBLEM = space()


def evaluations(chance: random.Random, number: int) -> list[Evaluation]:
    found = []
    for i in range(number):
        point = {
            "activation": chance.choice(TEXTS),
            "bias": chance.choice([True, False]),
            "depth": chance.choice([None, 1, 2]),
            "lr": chance.random(),
            "units": chance.randint(1, 100),
        }
        job = Job(str(i), point)
        start = 1.7e9 + 10 * i
        failed = chance.random() < 0.2
        outcome = Outcome(
            job,
            status="failed" if failed else "finished",
            objective=None if failed else chance.uniform(-1, 1),
            failure=Failure("exception", 'ValueError: "a", or b') if failed else None,
            worker=str(chance.randint(0, 3)),
            start=start,
            end=start + 5 * chance.random(),
            metrics={"loss": chance.random()} if chance.random() < 0.5 else {},
        )
        predicted = (chance.random(), chance.random()) if i > number // 2 else None
        found.append(Evaluation(job, outcome, predicted))
    return found


def own(found: list[Evaluation]) -> Table:
    columns = Columns.of(PROBLEM.hyperparameter_names, found)
    return [columns.header, *(columns.cells(each) for each in found)]


def published(found: list[Evaluation]) -> Table:
    """As DeepHyper's other versions write: names with a prefix, failures as texts."""
    names = PROBLEM.hyperparameter_names
    columns = Columns.of(names, found)
    header = [*(f"p:{name}" for name in names), "objective", "job_id", "m:start"]
    rows = [columns.cells(each) for each in found]
    at = [columns.header.index(name) for name in (*names, "objective", "id", "start")]
    table = [[row[i] for i in at] for row in rows]
    for row in table:
        row[len(names)] = row[len(names)] or "F_unknown"
    return [header, *table]


def text_of(table: Table, delimiter: str = ",", quoting: int = 0, end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(table)  # type: ignore[arg-type]
    return text.getvalue()


# What loses nothing.


def as_it_is(table: Table, chance: random.Random) -> bytes:
    return text_of(table).encode()


def trimmed(table: Table, chance: random.Random) -> bytes:
    header, *rows = table
    for row in rows:
        while not row[-1]:
            row.pop()
    return text_of([header, *rows]).encode("utf-8-sig")


def padded(table: Table, chance: random.Random) -> bytes:
    return text_of([[*row, "", ""] for row in table] + [[""] * len(table[0])] * 3).encode()


def decimal_commas(table: Table, chance: random.Random) -> bytes:
    header, *rows = table
    numbers = [[i for i, cell in enumerate(row) if is_fraction(cell)] for row in rows]
    for row, places in zip(rows, numbers, strict=True):
        for i in places:
            row[i] = row[i].replace(".", ",")
    return ("sep=;\r\n" * chance.randint(0, 1) + text_of([header, *rows], ";")).encode()


def is_fraction(cell: str) -> bool:
    try:
        return "." in cell and float(cell) is not None
    except ValueError:
        return False


def unicode_text(table: Table, chance: random.Random) -> bytes:
    return text_of(table, "\t").encode("utf-16")


def quoted(table: Table, chance: random.Random) -> bytes:
    return text_of(table, quoting=csv.QUOTE_ALL, end=chance.choice(["\n", "\r"])).encode()


def with_an_index(table: Table, chance: random.Random) -> bytes:
    name = chance.choice(["", "Unnamed: 0"])
    return text_of([[str(i - 1) if i else name, *row] for i, row in enumerate(table)]).encode()


def with_comments(table: Table, chance: random.Random) -> bytes:
    words = ["", "good", "0,5", "why?\nno idea"]
    at = chance.randrange(len(table[0]))
    return text_of(
        [
            [*row[:at], chance.choice(words) if i else "comment", *row[at:]]
            for i, row in enumerate(table)
        ]
    ).encode()


def capitals(table: Table, chance: random.Random) -> bytes:
    words = {"True": "TRUE", "False": "FALSE", "1": "1.0", "2": "2.0"}
    return text_of([[words.get(cell, cell) for cell in row] for row in table]).encode()


def shuffled_columns(table: Table, chance: random.Random) -> bytes:
    order = chance.sample(range(len(table[0])), len(table[0]))
    return text_of([[row[i] for i in order] for row in table]).encode()


def shuffled_rows(table: Table, chance: random.Random) -> bytes:
    return text_of([table[0], *chance.sample(table[1:], len(table) - 1)]).encode()


def twice(table: Table, chance: random.Random) -> bytes:
    return text_of([*table, [], *table]).encode()


HARMLESS = (
    as_it_is,
    trimmed,
    padded,
    decimal_commas,
    unicode_text,
    quoted,
    with_an_index,
    with_comments,
    capitals,
    shuffled_columns,
    shuffled_rows,
    twice,
)

# What damages.


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def lose_bytes(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.choice([1, 2, 5, 100]) :]


def repeat_bytes(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[: at + chance.choice([1, 2, 5, 100])] + data[at:]


def blot(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    mark = chance.choice([b'"', b",", b"\n", b"\0" * 50, b"\xff", b";", b"*", b"%", b'""', b"\r"])
    return data[:at] + mark + data[at + chance.randint(0, 2) :]


def overwrite_objective(data: bytes, chance: random.Random) -> bytes:
    """An objective that a person has written over."""
    lines = data.splitlines(keepends=True)
    header = next(csv.reader([lines[0].decode()]))
    at = chance.randrange(1, len(lines))
    row = next(csv.reader([lines[at].decode()]))
    mark = chance.choice(["0,97", "95%", "0.96*", "1,234.5", "", "much", "nan", "0.9.7", "--"])
    row[header.index("objective")] = mark
    lines[at] = text_of([row]).encode()
    return b"".join(lines)


DAMAGES = (cut, flip_bits, lose_bytes, repeat_bytes, blot, overwrite_objective)


def table_of(chance: random.Random) -> tuple[list[Evaluation], Table]:
    found = evaluations(chance, chance.randint(2, 20))
    found[chance.randrange(len(found))] = found[0]  # equal ones may be
    return found, chance.choice([own, published])(found)


def best_objective(found: list[Evaluation]) -> float | None:
    outcomes = [each.outcome for each in found if each.outcome is not None]
    return max((o.objective for o in outcomes if o.objective is not None), default=None)


@pytest.mark.parametrize("habit", HARMLESS)
def test_what_loses_nothing_changes_nothing(
    tmp_path: Path, habit: Callable[[Table, random.Random], bytes]
) -> None:
    path = tmp_path / "results.csv"
    for seed in range(20):
        chance = random.Random(seed)
        found, table = table_of(chance)
        path.write_bytes(habit([list(row) for row in table], chance))
        said: list[str] = []
        expected = best_objective(found)
        if expected is None:
            continue
        (best,) = best_evaluations(path, on_notice=said.append)
        assert (best["objective"], said) == (expected, []), seed
        check_best_rows(path, f"seed {seed}")
        known, report = known_results(path, PROBLEM)
        again = 2 if habit is twice else 1
        assert (report.used, report.total) == (again * len(found), again * len(found)), (
            seed,
            warm_start_notice(report),
        )
        assert [
            (point, None if isinstance(observed, Failure) else observed)
            for point, observed in sorted(known, key=str)
        ] == sorted(
            [(e.job.point, e.outcome.objective) for e in found if e.outcome is not None] * again,
            key=lambda pair: str(
                (pair[0], Failure("reported", "known") if pair[1] is None else pair[1])
            ),
        ), seed


def test_damage_is_refused_or_said(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    outcomes = dict.fromkeys(("refused", "said", "unharmed"), 0)
    for seed in range(FILES):
        chance = random.Random(seed)
        found, table = table_of(chance)
        whole = text_of(table).encode()
        damage = chance.choice(DAMAGES)
        damaged = damage(whole, chance)
        path.write_bytes(damaged)
        outcomes[outcome_of(path, found, whole, damaged, f"{damage.__name__}, seed {seed}")] += 1
    assert sum(outcomes.values()) == FILES
    assert min(outcomes.values()) > FILES / 20, outcomes


def outcome_of(path: Path, found: list[Evaluation], whole: bytes, damaged: bytes, what: str) -> str:
    """Return what came of a damaged file, having checked it."""
    said: list[str] = []
    try:
        read_table(path)
    except DeepHyperError as error:
        is_one_line(str(error))
        return "refused"
    check_best_rows(path, what)
    known, report = known_results(path, PROBLEM)
    notice = warm_start_notice(report)
    is_one_line(notice)
    if report.used < report.total:
        assert " left out (line " in notice, what
    finished = [e for e in found if e.outcome is not None and e.outcome.objective is not None]
    for point, observed in known:
        if isinstance(observed, Failure):
            assert not any(point == e.job.point for e in finished) or any(
                point == e.job.point for e in found if e not in finished
            ), f"{what}: a success was learned as a failure"
    try:
        (best,) = best_evaluations(path, on_notice=said.append)
    except DeepHyperError as error:
        is_one_line(str(error))
        return "refused"
    for line in said:
        is_one_line(line)
    header, *lines = whole.splitlines(keepends=True)
    left = damaged.splitlines(keepends=True)
    if left[0] == header and not said:
        check_silence(path, header, lines, left[1:], best["objective"], what)
    return "said" if said else "unharmed"


def check_best_rows(path: Path, what: str) -> None:
    """Check that the best rows are the same where the others are passed over."""
    table = read_table(path)
    for k in (1, 3):
        some = read_table(path, best=k)
        assert (some.total, some.left_out) == (table.total, table.left_out), what
        best, among_all = (
            best_few(
                k,
                (row for row in each.rows if row.is_finished),
                lambda row: row.objective,
                "maximize",
            )
            for each in (some, table)
        )
        assert best == among_all, what


def check_silence(
    path: Path, header: bytes, lines: list[bytes], left: list[bytes], best: float, what: str
) -> None:
    """Check what was read of a file where nothing had to be said."""
    columns = csv_row(header)
    objective = columns.index("objective")
    # Lines that are as they were count.
    intact = [csv_row(line)[objective] for line in lines if line in left]
    objectives = [float(cell) for cell in intact if cell and not cell.startswith("F_")]
    assert best >= max(objectives, default=float("-inf")), what
    # Every line counts, but one that is being written, and parts of a row of several lines.
    whole = [line for line in left if line.strip(b",\r\n \t") and line != header]
    whole = [line for line in whole if line.count(b'"') % 2 == 0]
    if whole and not whole[-1].endswith((b"\r", b"\n")):
        whole.pop()
    assert len(read_table(path).rows) >= len(whole), what
    # What counts as a success is whole up to its status.
    needed = (columns.index("status") if "status" in columns else objective) + 1
    rows = [row for line in left if needed <= len(row := csv_row(line))]
    for each in best_evaluations(path, k=1000):
        assert any(parses_as(row[objective], each["objective"]) for row in rows), what


def csv_row(line: bytes) -> list[str]:
    return next(csv.reader([line.decode("utf-8", "replace")]), [])


def parses_as(cell: str, number: float) -> bool:
    try:
        return float(cell) == number
    except ValueError:
        return False


def is_one_line(text: str) -> None:
    assert text
    assert len(text.splitlines()) == 1
