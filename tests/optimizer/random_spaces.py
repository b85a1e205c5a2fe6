"""Random search spaces for property tests: all kinds, nested conditions, forbidden clauses."""

from __future__ import annotations

import contextlib
from typing import Any

from ConfigSpace import (
    AndConjunction,
    EqualsCondition,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    ForbiddenEqualsRelation,
    ForbiddenGreaterThanRelation,
    ForbiddenInClause,
    ForbiddenLessThanRelation,
    GreaterThanCondition,
    InCondition,
    LessThanCondition,
    NotEqualsCondition,
    OrConjunction,
)
from ConfigSpace.hyperparameters import (
    BetaFloatHyperparameter,
    CategoricalHyperparameter,
    Constant,
    NormalIntegerHyperparameter,
    OrdinalHyperparameter,
)
from hypothesis import strategies as st

from deephyper.errors import ProblemError
from deephyper.problem import HpProblem

FINITE = ("int", "ordinal", "category", "single", "constant")
ALL = (*FINITE, "float", "log", "log int", "wide int", "beta", "normal int")


def _hyperparameter(kind: str, name: str, size: int) -> Any:
    return {
        "int": (0, size),
        "ordinal": OrdinalHyperparameter(name, [0.5 * i for i in range(size + 1)]),
        "category": CategoricalHyperparameter(name, ["a", None, True, 2.5, 7][: size + 1]),
        "single": CategoricalHyperparameter(name, ["only"]),
        "constant": Constant(name, 3),
        "float": (-1.0, 2.0),
        "log": (1e-5, 10.0, "log-uniform"),
        "log int": (1, 10 ** min(size, 3), "log-uniform"),
        "wide int": (-(10**9), 10**9),
        "beta": BetaFloatHyperparameter(name, alpha=2, beta=3, lower=0.0, upper=4.0),
        "normal int": NormalIntegerHyperparameter(name, mu=5, sigma=2, lower=0, upper=10),
    }[kind]


@st.composite
def problems(draw: st.DrawFn, kinds: tuple[str, ...] = ALL, max_dims: int = 6) -> HpProblem:
    """A problem with 1 to `max_dims` hyperparameters; what ConfigSpace refuses is left out."""
    problem = HpProblem(seed=draw(st.integers(0, 100)))
    n = draw(st.integers(1, max_dims))
    hps = []
    for i in range(n):
        kind = draw(st.sampled_from(kinds))
        hps.append(
            problem.add_dim(f"h{i}", _hyperparameter(kind, f"h{i}", draw(st.integers(1, 3))))
        )
    for i in range(1, n):
        if draw(st.booleans()):
            _try(problem.add_condition, lambda i=i: _condition(draw, hps, i))
    for _ in range(draw(st.integers(0, 3))):
        _try(problem.add_forbidden_clause, lambda: _clause(draw, hps))
    if draw(st.booleans()):
        problem.add_starting_point()
    return problem


def _value(draw: st.DrawFn, hp: Any) -> Any:
    for name in ("choices", "sequence"):
        if hasattr(hp, name):
            return draw(st.sampled_from(list(getattr(hp, name))))
    if hasattr(hp, "lower"):
        if isinstance(hp.lower, int):
            return draw(st.integers(hp.lower, hp.upper))
        return draw(st.floats(hp.lower, hp.upper).map(lambda v: round(v, 6)))
    return hp.value


def _single(draw: st.DrawFn, child: Any, parent: Any) -> Any:
    kinds: list[Any] = [EqualsCondition, NotEqualsCondition, InCondition]
    if parent.ORDERABLE:
        kinds += [LessThanCondition, GreaterThanCondition]
    kind = draw(st.sampled_from(kinds))
    value = _value(draw, parent)
    return kind(child, parent, [value, _value(draw, parent)] if kind is InCondition else value)


def _condition(draw: st.DrawFn, hps: list[Any], child: int) -> Any:
    parents = draw(st.lists(st.integers(0, child - 1), min_size=1, max_size=2, unique=True))
    parts = [_single(draw, hps[child], hps[p]) for p in parents]
    if len(parts) == 1:
        return parts[0]
    return draw(st.sampled_from([AndConjunction, OrConjunction]))(*parts)


def _literal(draw: st.DrawFn, hp: Any) -> Any:
    if draw(st.booleans()):
        return ForbiddenEqualsClause(hp, _value(draw, hp))
    return ForbiddenInClause(hp, list({_value(draw, hp), _value(draw, hp)}))


def _clause(draw: st.DrawFn, hps: list[Any]) -> Any:
    first, second = draw(st.sampled_from(hps)), draw(st.sampled_from(hps))
    numeric = [h for h in (first, second) if hasattr(h, "lower")]
    if len(numeric) == 2 and first is not second and draw(st.booleans()):
        kinds: list[Any] = [
            ForbiddenLessThanRelation,
            ForbiddenEqualsRelation,
            ForbiddenGreaterThanRelation,
        ]
        return draw(st.sampled_from(kinds))(first, second)
    if first is second:
        return _literal(draw, first)
    return ForbiddenAndConjunction(_literal(draw, first), _literal(draw, second))


def _try(add: Any, make: Any) -> None:
    # Some are illegal in this space, or would forbid the default.
    with contextlib.suppress(ProblemError, ValueError, TypeError):
        add(make())
