"""Problems: a search space with conditions, forbidden combinations and starting points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.conditions import ConditionLike
from ConfigSpace.forbidden import ForbiddenLike

from deephyper.errors import ProblemError
from deephyper.problem.definition import CLAUSES, CONDITIONS, Definition
from deephyper.problem.description import describe_space
from deephyper.problem.domain import AnyHyperparameter, Choices, Domain
from deephyper.problem.point import Point, plain, show
from deephyper.problem.shorthand import hyperparameter_from
from deephyper.problem.space import Space
from deephyper.problem.translation import ConstraintLike, translate
from deephyper.problem.validity import Validity

LARGEST_SEED = 2**32 - 1
_NOT_GIVEN: Any = object()


class BaseProblem:
    """A search space over ConfigSpace, its starting points, and its points as plain dictionaries.

    Args:
        seed: of the space's own random numbers, 0 to 2**32 - 1; None draws them from the system.

    Raises:
        ProblemError: the seed is out of its range.
    """

    def __init__(self, seed: int | None = None) -> None:
        seed = plain(seed)
        if seed is not None and (type(seed) is not int or not 0 <= seed <= LARGEST_SEED):
            raise ProblemError(f"seed is {show(seed)}: give an int from 0 to {LARGEST_SEED}")
        self._space = Space(seed)
        # As given, since hyperparameters and conditions added later complete them differently.
        self._given: list[Point] = []
        self._completed: tuple[Definition, list[Point]] = (self._space.definition, [])
        """The starting points, and the definition that they were completed by."""

    # -- defining the space ------------------------------------------------------------------

    @property
    def space(self) -> ConfigurationSpace:
        """The ConfigSpace object itself, to be read, sampled, and used in conditions.

        It stays the same object, and knows what is added later. Its graph of conditions is made
        when it is first sampled or asked for a configuration, and again after an addition. That
        takes time that grows with the square of the number of conditions, where ConfigSpace's own
        doubles with each link of a chain of them.
        """
        return self._space

    @property
    def hyperparameter_names(self) -> list[str]:
        """Names in the order of the space: alphabetical, but children after their parents."""
        return list(self._validity.names)

    @property
    def domains(self) -> Mapping[str, Domain]:
        """Name -> the values that a hyperparameter may take, in the order of the space."""
        return self._validity.domains

    def add_dim(
        self,
        name: str = _NOT_GIVEN,
        value: Any = _NOT_GIVEN,
        default_value: Any = None,
        *,
        p_name: str = _NOT_GIVEN,
        p_space: Any = _NOT_GIVEN,
    ) -> AnyHyperparameter:
        """Add a hyperparameter; ``add_hyperparameter`` with the name first.

        Args:
            name: as for ``add_hyperparameter``, as are the next two.
            value: as well.
            default_value: as well.
            p_name: a classic name of ``name``.
            p_space: a classic name of ``value``.

        Raises:
            ProblemError: the name, the value or the default can't be used, or isn't given once.
        """
        name = _given_once("name", name, "p_name", p_name)
        value = _given_once("value", value, "p_space", p_space)
        return self.add_hyperparameter(value, name, default_value)

    def add_hyperparameter(
        self, value: Any, name: str | None = None, default_value: Any = None
    ) -> AnyHyperparameter:
        """Add a hyperparameter.

        Args:
            value: ``(low, high)``, ``(low, high, "log-uniform")``, a list of values, or any
                ConfigSpace hyperparameter (see ``deephyper.problem.shorthand``).
            name: letters, digits, ``_``, ``.``, ``:`` and ``-``; may be left out for a ConfigSpace
                hyperparameter, which has its own.
            default_value: what a partial starting point is completed with; None takes the middle
                of a range or the first choice.

        Returns:
            The ConfigSpace hyperparameter, to be used in conditions and forbidden clauses.

        Raises:
            ProblemError: the name, the value or the default can't be used.
        """
        hyperparameter = hyperparameter_from(name, value, default_value)
        self._space.definition = self._space.definition.with_hyperparameters([hyperparameter])
        return hyperparameter

    def add_condition(self, condition: ConditionLike | Iterable[ConditionLike]) -> None:
        """Add a ConfigSpace condition, or several: the child is active only when it holds.

        An inactive hyperparameter is absent from points. One child has one condition: combine
        several by ``AndConjunction`` or ``OrConjunction``.

        Raises:
            ProblemError: it refers to an unknown hyperparameter, gives a child a second condition
                or makes a cycle, or a starting point or the default contradicts it. The problem
                is left as it was.
        """
        conditions = _listed(condition, CONDITIONS, "condition")
        self._extend(self._space.definition.with_conditions(conditions), conditions, "condition")

    def add_conditions(self, conditions: Iterable[ConditionLike]) -> None:
        """Add several conditions at once; see ``add_condition``."""
        self.add_condition(conditions)

    def add_forbidden_clause(self, clause: ForbiddenLike | Iterable[ForbiddenLike]) -> None:
        """Add a ConfigSpace forbidden clause, or several: no point has such a combination.

        Raises:
            ProblemError: it refers to an unknown hyperparameter, or forbids a starting point or
                the default configuration. The problem is left as it was.
        """
        clauses = _listed(clause, CLAUSES, "forbidden clause")
        self._extend(self._space.definition.with_clauses(clauses), clauses, "forbidden clause")

    def _extend(self, extended: Definition, added: list[ConstraintLike], what: str) -> None:
        """Take a definition with more constraints, unless a starting point contradicts them."""
        for i, point in enumerate(self._given):
            try:
                extended.validity.complete(point)
            except ProblemError as error:
                shown = "; ".join(str(translate(each)) for each in added)
                raise ProblemError(
                    f"the {what} {shown} contradicts starting point {i}: {error}"
                ) from None
        self._space.definition = extended

    # -- points ------------------------------------------------------------------------------

    @property
    def _validity(self) -> Validity:
        return self._space.definition.validity

    def add_starting_point(self, /, **point: Any) -> None:
        """Add a point to be evaluated before all others; the same one is not added twice.

        Args:
            point: name -> value. Active hyperparameters left out take their default.

        Raises:
            ProblemError: a name is unknown, a value is out of its range, an inactive hyperparameter
                is given, or the combination is forbidden; the message says which.
        """
        try:
            completed = self._validity.validate(point, complete=True)
        except ProblemError as error:
            raise ProblemError(f"starting point: {error}") from None
        known = self._starting_points()
        if completed not in known:
            self._given.append({name: completed[name] for name in completed if name in point})
            known.append(completed)

    @property
    def starting_points(self) -> list[Point]:
        """The starting points in the order added, each once, completed by defaults."""
        return [dict(point) for point in self._starting_points()]

    def _starting_points(self) -> list[Point]:
        """Return the starting points; completed again where the definition has changed."""
        definition, points = self._completed
        if definition is not self._space.definition:
            points = []
            for given in self._given:
                point = self._validity.complete(given)
                if point not in points:
                    points.append(point)
            self._completed = (self._space.definition, points)
        return points

    @property
    def starting_point_asdict(self) -> list[Point]:
        """The starting points, as ``starting_points``; a classic name."""
        return self.starting_points

    @property
    def default_configuration(self) -> Point:
        """The point made of the defaults of all active hyperparameters."""
        return self._validity.validate({}, complete=True)

    def validate(self, point: Mapping[str, Any], complete: bool = False) -> Point:
        """Return the point in its canonical form: plain values of the right types, space order.

        Args:
            point: name -> value; inactive hyperparameters absent.
            complete: give active hyperparameters that are missing their default, where otherwise
                they are an error.

        Raises:
            ProblemError: with the reason why the point isn't valid.
        """
        return self._validity.validate(point, complete)

    def check_configuration(self, point: Mapping[str, Any]) -> None:
        """Check that the point is valid.

        Raises:
            ProblemError: a name is missing, unknown or inactive, a value is out of its range or of
                a wrong type, or the combination is forbidden; the message says which.
        """
        self._validity.validate(point)

    def point(self, configuration: Configuration) -> Point:
        """Return a ConfigSpace configuration as a plain dictionary, in the order of the space.

        The values decide which hyperparameters are active: surplus ones of a sampled configuration
        are left out, and missing ones take their default.

        Raises:
            ProblemError: the configuration belongs to a space with other hyperparameters.
        """
        validity = self._validity
        if tuple(configuration.config_space) != validity.names:
            raise ProblemError("the configuration belongs to another space than the problem's")
        vector = configuration.get_array().tolist()
        values: Point = {}
        for name, component in zip(validity.names, vector, strict=True):
            if math.isnan(component):  # inactive
                continue
            domain = validity.domains[name]
            if not isinstance(domain, Choices):
                values[name] = domain.accept(configuration[name])
            elif len(domain.values) == 1:
                # The component of a constant is 1.
                values[name] = domain.values[0]
            else:
                # By position: numpy has made 1.0 of the 1 in [1, 2.5].
                values[name] = domain.values[round(component)]
        return validity.activate(values)

    def describe(self) -> dict[str, Any]:
        """Return what decides which points there are, by which a resumed search knows its space."""
        return describe_space(self.space)

    # -- showing -----------------------------------------------------------------------------

    def __repr__(self) -> str:
        text = repr(self._space).rstrip("\n")
        points = self.starting_points
        if points:
            text += f"\n\nStarting Point:\n{dict(enumerate(points))}"
        return text


class HpProblem(BaseProblem):
    """The problem of a hyperparameter search.

    >>> problem = HpProblem(seed=42)
    >>> _ = problem.add_dim("units", (1, 100))
    >>> _ = problem.add_dim("lr", (1e-4, 1.0, "log-uniform"))
    >>> _ = problem.add_dim("activation", ["relu", "tanh"])
    >>> problem.add_starting_point(units=10, lr=0.01)
    >>> problem.starting_points
    [{'activation': 'relu', 'lr': 0.01, 'units': 10}]
    """


def require_problem(found: Any, where: str) -> BaseProblem:
    """Return what a user named as the problem of a search.

    Args:
        found: the object.
        where: what it was named by, for the message.

    Raises:
        ProblemError: it isn't a problem.
    """
    if isinstance(found, BaseProblem):
        return found
    wanted = "HpProblem"
    what = f"of type {type(found).__name__}"
    if isinstance(found, type):
        what = f"the class {found.__name__}"
        wanted = found.__name__ if issubclass(found, BaseProblem) else wanted
    raise ProblemError(
        f"'{where}' is {what}, not a problem; name an {wanted}, as in: Problem = {wanted}()"
    )


def _given_once(name: str, value: Any, classic_name: str, classic_value: Any) -> Any:
    """Return an argument that may be given by either of two names.

    Raises:
        ProblemError: it is given by both or by none.
    """
    given = [each for each in (value, classic_value) if each is not _NOT_GIVEN]
    if len(given) != 1:
        how = f"both as {name} and as {classic_name}" if given else "not given"
        raise ProblemError(
            f"the {name} of a hyperparameter is {how}: write add_dim(name, value), as in"
            ' add_dim("units", (1, 100))'
        )
    return given[0]


def _listed(given: Any, kinds: tuple[type, ...], what: str) -> list[Any]:
    """Return one constraint or several as a list.

    Raises:
        ProblemError: one is of none of the kinds.
    """
    items = [given] if isinstance(given, kinds) or not isinstance(given, Iterable) else list(given)
    for item in items:
        if not isinstance(item, kinds):
            raise ProblemError(
                f"{show(item)} ({type(item).__name__}) isn't a {what}: make one with ConfigSpace"
            )
    return items
