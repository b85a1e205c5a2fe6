"""From a file and the definitions of a command line to a search space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from deephyper.checks import user_path
from deephyper.errors import ProblemError
from deephyper.objective import Direction
from deephyper.problem.point import show
from deephyper.problem.problem import HpProblem
from deephyper.space_file.config_space import is_config_space, space_of_config_space
from deephyper.space_file.document import Document, read_document
from deephyper.space_file.domain_text import parse_definitions
from deephyper.space_file.foreign import Converted
from deephyper.space_file.hydra import converted_hydra, is_configuration, is_hydra
from deephyper.space_file.hyperparameter import hyperparameter_of
from deephyper.space_file.optuna import converted_optuna, is_optuna
from deephyper.space_file.rules import clause, condition
from deephyper.space_file.space_file import SpaceFile
from deephyper.space_file.wandb import converted_sweep, is_sweep
from deephyper.space_file.writing import as_tree
from deephyper.space_file.yaml_text import Path as TreePath
from deephyper.suggest import did_you_mean, nearest

SECTIONS = ("hyperparameters", "conditions", "forbidden", "starting_points", "direction", "$schema")
_FOREIGN: tuple[tuple[Callable[[Any], bool], Callable[[Document], Converted]], ...] = (
    (is_sweep, converted_sweep),
    (is_hydra, converted_hydra),
    (is_optuna, converted_optuna),
)
_MISTYPED = 0.8
"""The share that a new name has in common with another which is perhaps meant."""
_COMMAND_LINE = Document("-P", {"hyperparameters": {}})


def read_space(path: str | Path | None = None, definitions: Sequence[str] = ()) -> SpaceFile:
    """Return the search space of a file, with what a command line adds to it or replaces.

    Args:
        path: a file of YAML, TOML (.toml) or JSON (.json); None for none.
        definitions: texts ``NAME=DOMAIN``, each of which may also hold several, separated by ``;``.

    Raises:
        ProblemError: it can't be read or used, with line and column where they are known.
    """
    document = _COMMAND_LINE
    if path is not None:
        document = read_document(user_path("the file of the space", path, error=ProblemError))
    return _space(document, _defined(definitions))


def _defined(definitions: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in definitions:
        for name, domain in parse_definitions(text).items():
            if name in found:
                raise ProblemError(f"-P defines {name!r} twice: leave out one of them")
            found[name] = domain
    return found


def _space(document: Document, defined: dict[str, Any]) -> SpaceFile:
    tree = document.value
    if tree is None:
        raise document.error("there is nothing in it: write hyperparameters: and, under it, some")
    if not isinstance(tree, dict):
        raise document.error(
            f"this is {show(tree)}: write hyperparameters: and the hyperparameters under it"
        )
    if is_config_space(tree):
        read = space_of_config_space(document)
        if not defined:
            return read
        # In our own form, hyperparameters can be replaced under the conditions on them.
        tree = as_tree(read.problem)
        built = _Builder(document.with_value(tree, {}), tree, defined).built()
        return replace(read, problem=built.problem, notices=(*read.notices, *built.notices))
    for recognize, convert in _FOREIGN:
        if recognize(tree):
            return _foreign(convert(document), defined)
    return _Builder(document, tree, defined).built()


def _foreign(given: Converted, defined: dict[str, Any]) -> SpaceFile:
    """Return the space of another tool's file."""
    tree = {"hyperparameters": given.hyperparameters}
    built = _Builder(given.document.with_value(tree, given.places), tree, defined).built()
    kept = [text for name, text in given.notices.items() if name not in defined]
    return replace(
        built,
        form=given.form,
        direction=given.direction,
        metric=given.metric,
        program=given.program,
        command=given.command,
        no_command=given.no_command,
        early_terminate=given.early_terminate,
        notices=(*kept, *given.further_notices, *built.notices),
    )


@dataclass
class _Builder:
    """A problem, made of a tree in our own form.

    Attributes:
        document: where the tree is from.
        tree: what it holds.
        defined: hyperparameters of the command line, which replace those of the same name.
    """

    document: Document
    tree: dict[str, Any]
    defined: dict[str, Any]
    problem: HpProblem = field(default_factory=HpProblem)

    def built(self) -> SpaceFile:
        for key in self.tree:
            if key not in SECTIONS:
                where = None
                if "hyperparameters" not in self.tree:
                    where = "put the hyperparameters under hyperparameters:"
                    if is_configuration(self.tree):
                        where += ", or under params: of Hydra's hydra: sweeper:"
                hint = did_you_mean(key, SECTIONS[:-1], otherwise=where)
                raise self.document.error(f"unknown key {show(key)}: {hint}", (key,))
        direction = self._direction()
        self._hyperparameters()
        conditions = self._section("conditions", dict)
        self._add_rules("conditions", conditions, self._condition, self.problem.add_condition)
        clauses = dict(enumerate(self._section("forbidden", list)))
        self._add_rules("forbidden", clauses, self._clause, self.problem.add_forbidden_clause)
        for i, point in enumerate(self._section("starting_points", list)):
            self._at(("starting_points", i), self._starting_point, point)
        return SpaceFile(self.problem, direction=direction, notices=self._perhaps_mistyped())

    def _direction(self) -> Direction | None:
        if "direction" not in self.tree:
            return None
        given = self.tree["direction"]
        known: tuple[Direction, ...] = get_args(Direction)
        for direction in known:
            if direction == given:
                return direction
        raise self.document.error(
            f"the direction is {show(given)}: {did_you_mean(given, known)}", ("direction",)
        )

    def _hyperparameters(self) -> None:
        given = self._section("hyperparameters", dict)
        if not given and not self.defined:
            raise self.document.error(
                "there are no hyperparameters: write hyperparameters: and, under it, for example, "
                "lr: (1e-4, 1.0, log-uniform)",
                ("hyperparameters",),
            )
        for name, tree in given.items():
            if name not in self.defined:
                self._at(("hyperparameters", name), self._add, name, tree)
        for name, domain in self.defined.items():
            try:
                self._add(name, domain)
            except ProblemError as error:
                raise ProblemError(f"-P: {error}") from None

    def _perhaps_mistyped(self) -> tuple[str, ...]:
        """Return a line for each new hyperparameter that is perhaps meant to replace another."""
        there = self._section("hyperparameters", dict)
        found = []
        for name in self.defined.keys() - there.keys():
            # A series, such as units_1 and units_2, is no mistake.
            others = [each for each in there if _letters(each) != _letters(name)]
            near = nearest(name, others, similar=_MISTYPED)
            if near is not None:
                found.append(f"-P adds the hyperparameter {name!r}; did you mean {near!r}?")
        return tuple(sorted(found))

    def _add(self, name: str, tree: Any) -> None:
        self.problem.add_hyperparameter(hyperparameter_of(name, tree))

    def _add_rules(
        self,
        section: str,
        given: Mapping[Any, Any],
        make: Callable[[Any, Any], Any],
        add: Callable[[Any], None],
    ) -> None:
        """Add all rules of a section at once, which takes less time than one by one."""
        made: dict[Any, Any] = {}
        for key, text in given.items():
            self._at((section, key), lambda key=key, text=text: made.update({key: make(key, text)}))
        try:
            add(list(made.values()))
        except ProblemError:
            for key, rule in made.items():
                self._at((section, key), add, rule)

    def _condition(self, name: str, text: Any) -> Any:
        if not isinstance(text, str):
            raise ProblemError(
                f"the condition of {name!r} is {show(text)}: give a text, as in "
                f"{name}: optimizer == 'sgd'"
            )
        return condition(text, name, self.problem)

    def _clause(self, _: int, text: Any) -> Any:
        if not isinstance(text, str):
            raise ProblemError(
                f"the forbidden combination is {show(text)}: give a text, as in "
                "layers == 3 and units > 128"
            )
        return clause(text, self.problem)

    def _starting_point(self, point: Any) -> None:
        if not isinstance(point, dict):
            raise ProblemError(f"the starting point is {show(point)}: give the values by name")
        self.problem.add_starting_point(**point)

    def _section(self, name: str, kind: type) -> Any:
        section = self.tree.get(name)
        if section is None:
            return kind()
        if isinstance(section, kind):
            return section
        wanted = "each under its name" if kind is dict else "as a list"
        raise self.document.error(f"{name} is {show(section)}: give them {wanted}", (name,))

    def _at(self, path: TreePath, call: Callable[..., None], *arguments: Any) -> None:
        """Call, and say of an error where in the file it is."""
        try:
            call(*arguments)
        except ProblemError as error:
            raise self.document.error(str(error), path) from None


def _letters(name: Any) -> str:
    """Return a name without its digits."""
    return "".join(character for character in str(name) if not character.isdigit())
