"""The specification of a batch search, and the command line that it becomes."""

from __future__ import annotations

import dataclasses
import json

import pytest

from deephyper.hpc.spec import SearchSpec, command_line, environment


def spec(**options: str) -> SearchSpec:
    given = {f"--{name.replace('_', '-')}": value for name, value in options.items()}
    return SearchSpec("mine", ("hps", "ambs"), "p.Problem", "p.run", given, "/where")


def command_of(spec: SearchSpec, resume: bool = False) -> list[str]:
    return command_line(
        spec, evaluator="balsam", resume=resume, grace=12.0, resume_command="submit mine --resume"
    )


def value_of(command: list[str], option: str) -> str:
    assert command.count(option) == 1
    return command[command.index(option) + 1]


def test_a_new_search_begins_in_its_directory() -> None:
    command = command_of(spec(max_evals="7"))
    assert command[3:5] == ["hps", "ambs"]
    assert value_of(command, "--log-dir") == "."
    assert value_of(command, "--max-evals") == "7"
    assert value_of(command, "--grace") == "12"
    assert value_of(command, "--evaluator") == "balsam"
    assert "--resume" not in command


def test_a_space_in_a_file_stands_in_place_of_the_problem() -> None:
    given = spec(space="/where/space.yaml", param="x=(1, 2); y=[a, b]")
    command = command_of(dataclasses.replace(given, problem=""))
    assert value_of(command, "--space") == "/where/space.yaml"
    assert value_of(command, "--param") == "x=(1, 2); y=[a, b]"
    assert "--problem" not in command


def test_a_resumed_search_has_no_warm_start() -> None:
    command = command_of(spec(warm_start="old.csv"), resume=True)
    assert value_of(command, "--resume") == "."
    assert "--warm-start" not in command
    assert "--log-dir" not in command


def test_the_search_learns_that_it_is_in_a_batch_job() -> None:
    command = command_of(spec())
    assert "--batch" in command
    assert value_of(command, "--sigterm-grace") == "0"
    assert value_of(command, "--resume-command") == "submit mine --resume"


def test_a_given_grace_is_kept() -> None:
    assert value_of(command_of(spec(grace="3.0")), "--grace") == "3.0"


def test_a_specification_survives_the_trip_through_json() -> None:
    given = spec(max_evals="7", seed="3")
    assert SearchSpec.from_json(json.loads(json.dumps(given.to_json()))) == given


@pytest.mark.parametrize("values", [None, [], {}, {"name": "mine"}, {**spec().to_json(), "x": 1}])
def test_anything_but_a_specification_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="not the specification of a search"):
        SearchSpec.from_json(values)


def test_modules_beside_the_place_of_submission_are_found() -> None:
    assert environment(spec(), {})["PYTHONPATH"] == "/where"
    variables = environment(spec(), {"PYTHONPATH": "/mine", "HOME": "/home"})
    assert variables == {"PYTHONPATH": "/mine:/where", "HOME": "/home"}
