"""A frozen dataclass with a fast ``__init__`` is one like any other."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from deephyper.fast_init import fast_init
from deephyper.job import Job, Outcome


@fast_init
@dataclass(frozen=True)
class Fast:
    name: str
    size: float = 1.5
    limit: float | None = None
    marks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Usual:
    name: str
    size: float = 1.5
    limit: float | None = None
    marks: Mapping[str, float] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("a",), {}),
        (("a", 2.0), {"marks": {"loss": 1.0}}),
        ((), {"name": "a", "limit": 3.0}),
        (("a", 2.0, None, {"loss": 1.0}), {}),
    ],
)
def test_arguments_and_defaults_are_those_of_a_dataclass(
    given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    assert vars(Fast(*given, **named)) == vars(Usual(*given, **named))
    assert repr(Fast(*given, **named)) == repr(Usual(*given, **named)).replace("Usual", "Fast")


def test_it_has_the_names_and_types_of_a_dataclass_to_be_called_with() -> None:
    def parameters(cls: type[object]) -> list[tuple[str, object]]:
        return [(p.name, p.annotation) for p in inspect.signature(cls).parameters.values()]

    assert parameters(Fast) == parameters(Usual)


@pytest.mark.parametrize("named", [{}, {"name": "a", "color": 1}])
def test_wrong_arguments_are_told_like_those_of_a_dataclass(named: dict[str, Any]) -> None:
    def complaint(cls: type[object]) -> str:
        with pytest.raises(TypeError) as caught:
            cls(**named)
        return str(caught.value)

    assert complaint(Fast) == complaint(Usual).replace("Usual", "Fast")


def test_objects_do_not_share_what_is_made_for_each() -> None:
    assert Fast("a").marks is not Fast("a").marks


def test_objects_stay_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Fast("a").size = 2.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del Outcome(Job("0", {}), "finished", 1.0, None, 0.0, 1.0, "0").end


def test_objects_are_compared_hashed_copied_replaced_and_pickled() -> None:
    job = Job("0", {"x": 1}, directory="d")
    outcome = Outcome(job, "finished", 1.0, None, 0.0, 1.0, "0", metrics={"loss": 1.0})
    for other in (copy.deepcopy(outcome), pickle.loads(pickle.dumps(outcome)), replace(outcome)):
        assert other == outcome
    assert replace(outcome, end=2.0) != outcome
    assert replace(outcome, end=2.0).elapsed_sec == 2.0
    assert hash(Fast("a", marks=())) == hash(Fast("a", marks=()))  # type: ignore[arg-type]
