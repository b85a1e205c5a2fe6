"""Conditions and forbidden combinations as text: ``optimizer == 'sgd' and layers > 1``.

The text of a rule is that of :class:`deephyper.problem.constraints.Constraint`, in which words that
are values need no quotes. ``<=``, ``>=``, ``!=`` and ``not in`` are taken everywhere, and become
several of ConfigSpace's rules where it has none of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from deephyper.errors import ProblemError
from deephyper.problem import config_space as cs
from deephyper.problem.constraints import (
    AllOf,
    AnyOf,
    Comparison,
    Constraint,
    Membership,
    Relation,
    Sign,
)
from deephyper.problem.domain import AnyHyperparameter, Choices
from deephyper.problem.problem import BaseProblem
from deephyper.space_file.scalars import python_scalar
from deephyper.space_file.tokens import Token, Tokens, quoted
from deephyper.suggest import did_you_mean

_KEYWORDS = ("and", "or", "not", "in")
_DEEPEST = 50
"""Parentheses within one another."""


def condition(text: str, child: str, problem: BaseProblem) -> Any:
    """Return ConfigSpace's condition for a hyperparameter.

    Raises:
        ProblemError: the text isn't a rule, or can't be one on these hyperparameters.
    """
    return _Parser(text, "condition", problem, _ConditionRules(_known(problem, child))).rule()


def clause(text: str, problem: BaseProblem) -> Any:
    """Return ConfigSpace's forbidden clause; raises as :func:`condition`."""
    return _Parser(text, "forbidden combination", problem, _ClauseRules()).rule()


def rule_text(rule: Constraint, problem: BaseProblem) -> str:
    """Return the text of a condition or forbidden clause."""
    match rule:
        case Comparison():
            return f"{_name(rule.name)} {rule.sign} {quoted(rule.value)}"
        case Membership():
            values = ", ".join(map(quoted, rule.values))
            return f"{_name(rule.name)} in [{values}]"
        case Relation():
            domain = problem.domains[rule.left]
            ambiguous = isinstance(domain, Choices) and rule.right in domain.values
            right = f"`{rule.right}`" if ambiguous else _name(rule.right)
            return f"{_name(rule.left)} {rule.sign} {right}"
        case AllOf() | AnyOf():
            word = " and " if isinstance(rule, AllOf) else " or "
            parts = [rule_text(part, problem) for part in rule.parts]
            return word.join(
                f"({text})" if isinstance(part, (AllOf, AnyOf)) else text
                for part, text in zip(rule.parts, parts, strict=True)
            )
    raise AssertionError(rule)


def _name(name: str) -> str:
    return f"`{name}`" if name in _KEYWORDS or python_scalar(name) != name else name


def _known(problem: BaseProblem, name: str) -> AnyHyperparameter:
    try:
        return problem.space[name]
    except KeyError:
        hint = did_you_mean(name, problem.hyperparameter_names)
        raise ProblemError(f"there is no hyperparameter {name!r}: {hint}") from None


class _ConditionRules:
    """ConfigSpace's conditions of a child."""

    def __init__(self, child: AnyHyperparameter) -> None:
        self._child = child

    def compare(self, subject: AnyHyperparameter, sign: Sign, value: Any) -> Any:
        simple: dict[Sign, type] = {
            "==": cs.EqualsCondition,
            "!=": cs.NotEqualsCondition,
            "<": cs.LessThanCondition,
            ">": cs.GreaterThanCondition,
        }
        if sign in simple:
            return simple[sign](self._child, subject, value)
        strict: Sign = "<" if sign == "<=" else ">"
        return self.any_of(
            [self.compare(subject, strict, value), self.compare(subject, "==", value)]
        )

    def member(self, subject: AnyHyperparameter, values: list[Any], negated: bool) -> Any:
        if not negated:
            return cs.InCondition(self._child, subject, values)
        others = [self.compare(subject, "!=", value) for value in values]
        return others[0] if len(others) == 1 else self.all_of(others)

    def relate(self, left: AnyHyperparameter, sign: Sign, right: AnyHyperparameter) -> Any:
        raise ProblemError(
            f"a condition compares {left.name!r} with a value, not with the hyperparameter "
            f"{right.name!r}"
        )

    def all_of(self, parts: list[Any]) -> Any:
        return cs.AndConjunction(*parts)

    def any_of(self, parts: list[Any]) -> Any:
        return cs.OrConjunction(*parts)


class _ClauseRules:
    """ConfigSpace's forbidden clauses."""

    def compare(self, subject: AnyHyperparameter, sign: Sign, value: Any) -> Any:
        simple: dict[Sign, type] = {
            "==": cs.ForbiddenEqualsClause,
            "<": cs.ForbiddenLessThanClause,
            "<=": cs.ForbiddenLessThanEqualsClause,
            ">": cs.ForbiddenGreaterThanClause,
            ">=": cs.ForbiddenGreaterThanEqualsClause,
        }
        if sign in simple:
            return simple[sign](subject, value)
        return self.member(subject, [value], negated=True)

    def member(self, subject: AnyHyperparameter, values: list[Any], negated: bool) -> Any:
        if not negated:
            return cs.ForbiddenInClause(subject, values)
        choices = getattr(subject, "choices", None) or getattr(subject, "sequence", None)
        if choices is not None:
            others = [each for each in choices if each not in values]
            if not others:
                raise ProblemError(f"{subject.name!r} has no other values: leave the rule out")
            return cs.ForbiddenInClause(subject, others)
        sides = [
            self.any_of([self.compare(subject, "<", value), self.compare(subject, ">", value)])
            for value in values
        ]
        return sides[0] if len(sides) == 1 else self.all_of(sides)

    def relate(self, left: AnyHyperparameter, sign: Sign, right: AnyHyperparameter) -> Any:
        simple: dict[Sign, type] = {
            "==": cs.ForbiddenEqualsRelation,
            "<": cs.ForbiddenLessThanRelation,
            "<=": cs.ForbiddenLessThanEqualsRelation,
            ">": cs.ForbiddenGreaterThanRelation,
            ">=": cs.ForbiddenGreaterThanEqualsRelation,
        }
        if sign in simple:
            return simple[sign](left, right)
        return self.any_of([self.relate(left, "<", right), self.relate(left, ">", right)])

    def all_of(self, parts: list[Any]) -> Any:
        return cs.ForbiddenAndConjunction(*parts)

    def any_of(self, parts: list[Any]) -> Any:
        return cs.ForbiddenOrConjunction(*parts)


@dataclass
class _Parser:
    """A rule, read from left to right; "and" binds before "or"."""

    text: str
    what: str
    problem: BaseProblem
    rules: _ConditionRules | _ClauseRules

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.text, self.what)
        self._depth = 0

    def rule(self) -> Any:
        found = self._any_of()
        self.tokens.require_end()
        return found

    def _any_of(self) -> Any:
        parts = [self._all_of()]
        while self.tokens.take_word("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else self._made(lambda: self.rules.any_of(parts))

    def _all_of(self) -> Any:
        parts = [self._part()]
        while self.tokens.take_word("and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else self._made(lambda: self.rules.all_of(parts))

    def _part(self) -> Any:
        if self.tokens.take_sign("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self.tokens.error("the parentheses are nested too deeply")
            found = self._any_of()
            self.tokens.require(")")
            self._depth -= 1
            return found
        return self._comparison()

    def _comparison(self) -> Any:
        token = self.tokens.next
        if token.kind not in ("word", "name"):
            raise self.tokens.error(f"the name of a hyperparameter is expected, not {token}")
        if token.kind == "word" and token.text == "not":
            raise self.tokens.error("write !=, or not in, in place of not")
        subject = self._hyperparameter(token.text)
        self.tokens.take()
        negated = self.tokens.take_word("not") is not None
        if self.tokens.take_word("in"):
            return self._membership(subject, negated)
        if negated:
            raise self.tokens.error(f"'in' is expected, not {self.tokens.next}")
        sign: Any = self.tokens.take_sign("==", "!=", "<=", ">=", "<", ">")
        if sign is None:
            hint = ": write == for equal" if self.tokens.next.text == "=" else ""
            raise self.tokens.error(
                f"==, !=, <, <=, >, >= or in is expected, not {self.tokens.next}{hint}"
            )
        token = self.tokens.next
        if token.kind == "name" or (token.kind == "word" and self._names_other(subject, token)):
            self.tokens.take()
            other = self._hyperparameter(token.text)
            return self._made(partial(self.rules.relate, subject, sign, other))
        value = self._accepted(subject, self.tokens.value())
        self._check_order(subject, sign)
        return self._made(partial(self.rules.compare, subject, sign, value))

    def _membership(self, subject: AnyHyperparameter, negated: bool) -> Any:
        closing = {"[": "]", "(": ")", None: ""}[self.tokens.take_sign("[", "(")]
        if not closing:
            raise self.tokens.error(f"[values] are expected, not {self.tokens.next}")
        values = [self._accepted(subject, value) for value in self.tokens.values(closing)]
        if not values:
            raise self.tokens.error("there are no values: give at least one")
        return self._made(partial(self.rules.member, subject, values, negated))

    def _names_other(self, subject: AnyHyperparameter, token: Token) -> bool:
        """Return whether a word is the name of a hyperparameter, and not a value."""
        if token.text not in self.problem.domains:
            return False
        domain = self.problem.domains[subject.name]
        if not isinstance(domain, Choices) or token.value not in domain.values:
            return bool(token.value == token.text)
        if isinstance(self.rules, _ConditionRules) or token.value != token.text:
            return False
        raise self.tokens.error(
            f"{token} is a value of {subject.name!r} and the name of a hyperparameter: put quotes "
            "around the value, or ` around the name"
        )

    def _hyperparameter(self, name: str) -> AnyHyperparameter:
        try:
            return _known(self.problem, name)
        except ProblemError as error:
            raise self.tokens.error(str(error)) from None

    def _accepted(self, subject: AnyHyperparameter, value: Any) -> Any:
        try:
            return self.problem.domains[subject.name].accept(value)
        except ProblemError as error:
            raise ProblemError(f"the {self.what} {self.text!r}: {error}") from None

    def _check_order(self, subject: AnyHyperparameter, sign: str) -> None:
        if sign not in ("==", "!=") and not subject.ORDERABLE:
            raise self.tokens.error(
                f"the values of {subject.name!r} have no order: use ==, != or in, or give it "
                "'ordered: true'"
            )

    def _made(self, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except ProblemError as error:
            raise ProblemError(f"the {self.what} {self.text!r}: {error}") from None
        except (TypeError, ValueError) as error:  # ConfigSpace's own checks
            reason = " ".join(str(error).split())
            raise ProblemError(f"the {self.what} {self.text!r} can't be used: {reason}") from error
