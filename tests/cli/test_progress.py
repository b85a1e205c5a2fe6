from __future__ import annotations

import io

from deephyper.core.cli.progress import Progress, format_point
from deephyper.job import Failure, Job, Outcome


def outcome(number: int, objective: float | None, output: str | None = None) -> Outcome:
    failure = None
    if objective is None:
        text = "".join(f"line {n}\n" for n in range(100)) + "ValueError: no"
        failure = Failure("exception", "ValueError: no", text)
    return Outcome(
        job=Job(str(number), {"x": number, "name": "a"}),
        status="failed" if failure else "finished",
        objective=objective,
        failure=failure,
        start=10.0,
        end=11.5,
        worker="w",
        output=output,
    )


def shown(*outcomes: Outcome, max_evals: int | None = 10) -> list[str]:
    stream = io.StringIO()
    with Progress(max_evals, stream=stream) as progress:
        for one in outcomes:
            progress.show(one)
    return stream.getvalue().splitlines()


def test_each_evaluation_is_one_line_with_the_best_so_far() -> None:
    lines = shown(outcome(0, 1.0), outcome(1, 0.5), outcome(2, 2.0))
    assert len(lines) == 3
    assert [line.split()[1].rstrip("]") for line in lines] == ["1/10", "2/10", "3/10"]
    assert [line.rpartition("best ")[2] for line in lines] == ["1", "1", "2"]
    assert "objective 0.5 (1.5 s)" in lines[1]


def test_without_a_limit_only_the_count_is_shown() -> None:
    assert shown(outcome(0, 1.0), max_evals=None)[0].startswith("[1] ")


def test_a_first_failure_is_shown_with_its_last_lines_its_point_and_its_output() -> None:
    lines = shown(outcome(0, None, output="out/0.1.log"), outcome(1, 1.0))
    text = "\n".join(lines)
    assert lines[0] == "The first evaluation failed: ValueError: no"
    assert "point: x=0 name=a" in text
    assert "| line 99" in text
    assert "| line 10\n" not in text
    assert "its output: out/0.1.log" in text
    assert "Ctrl-C" in text


def test_a_later_failure_is_one_line() -> None:
    lines = shown(outcome(0, 1.0), outcome(1, None))
    assert len(lines) == 2
    assert "failed: ValueError: no" in lines[1]


def test_a_point_is_one_line_whatever_is_in_it() -> None:
    assert format_point({"a": 0.1234567891, "b": "x\ny", "c": None}) == "a=0.123457 b=x y c=None"
