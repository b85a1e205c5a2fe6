"""Spaces of architectures: their choices, their size, and the networks of their points."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from deephyper import RandomSearch
from deephyper.errors import ArchitectureError, ProblemError
from deephyper.nas import ArchitectureSpace, Identity, Zero, op
from deephyper.nas.flow import network_of
from deephyper.nas.graph import Node
from deephyper.search.results import read_results
from tests.nas.random_architectures import assignments, spaces

SMALL, WIDE = op("Dense", 16, activation="relu"), op("Dense", 64)
MOST = 3000
"""Combinations that a test goes through."""


def chain(*operations: list[Any]) -> ArchitectureSpace:
    """Return a space of nodes a, b, c… in a row."""
    space = ArchitectureSpace((10,), (1,))
    nodes = [space.variable("abcdef"[i], each) for i, each in enumerate(operations)]
    space.connect(space.input, *nodes, space.output)
    return space


def conditions(space: ArchitectureSpace) -> dict[str, str]:
    return {c.name: str(c.condition) for c in space.choices if c.is_conditional}


# -- points and their number ---------------------------------------------------------------------


def num_combinations(space: ArchitectureSpace) -> int:
    total = 1
    for choice in space.choices:
        total *= len(choice.values)
    return total


@settings(max_examples=60)
@given(spaces())
def test_the_size_is_the_number_of_distinct_points(space: ArchitectureSpace) -> None:
    assume(num_combinations(space) <= MOST)
    validity = space.problem().space.definition.validity  # type: ignore[attr-defined]
    points = {tuple(validity.activate(each).items()) for each in assignments(space)}
    assert space.size == len(points)


@settings(max_examples=60)
@given(spaces())
def test_an_inactive_choice_makes_no_difference(space: ArchitectureSpace) -> None:
    assume(num_combinations(space) <= MOST)
    validity = space.problem().space.definition.validity  # type: ignore[attr-defined]
    for each in assignments(space):
        assert network_of(space.graph, each) == network_of(space.graph, validity.activate(each))


@settings(max_examples=60)
@given(spaces())
def test_samples_are_valid_points_of_the_problem(space: ArchitectureSpace) -> None:
    problem = space.problem()
    for seed in range(20):
        point = problem.validate(space.sample(seed))
        assert space.validate(point) == point
        assert problem.point(problem.space.sample_configuration()).keys() <= {
            choice.name for choice in space.choices
        }


def test_points_survive_the_journal_and_the_results(tmp_path: Path) -> None:
    space = chain([SMALL, WIDE, Identity, Zero], [SMALL, Zero, op("Dense", 3, activation="elu")])
    space.optional("input", "b")
    result = RandomSearch(
        space.problem(), lambda point: float(len(point)), log_dir=tmp_path, seed=1
    ).search(max_evals=12)
    evaluated = [outcome.job.point for outcome in result.outcomes]
    assert any(len(point) == 1 for point in evaluated)
    assert any(len(point) == 3 for point in evaluated)
    rows = read_results(tmp_path / "results.csv")
    read = [space.validate(row.point) for row in rows]
    assert sorted(map(str, read)) == sorted(str(space.validate(p)) for p in evaluated)
    resumed = RandomSearch(
        space.problem(), lambda point: float(len(point)), log_dir=tmp_path, resume=True
    ).search(max_evals=14)
    assert [outcome.job.point for outcome in resumed.outcomes][:12] == evaluated


def test_a_sample_is_repeated_by_its_seed() -> None:
    space = chain([SMALL, WIDE], [SMALL, WIDE], [SMALL, WIDE])
    assert space.sample(3) == space.sample(3)
    assert len({str(space.sample(seed)) for seed in range(50)}) == 8


def test_the_size_of_a_large_space_is_exact() -> None:
    space = ArchitectureSpace((10,), (1,))
    before = space.input
    nodes: list[Node] = []
    for i in range(30):
        node = space.variable(f"layer_{i}", {f"{n}": op("Dense", n) for n in range(1, 11)})
        space.connect(before, node)
        for other in nodes[-3:-1]:
            space.optional(other, node)
        nodes.append(node)
        before = node
    num_skips = sum(min(max(i - 1, 0), 2) for i in range(30))
    assert space.size == 10**30 * 2**num_skips


def test_the_size_of_a_space_with_all_skips_and_zero_is_exact() -> None:
    num_layers = 16
    space = ArchitectureSpace((10,), (1,))
    nodes = [space.input]
    for i in range(num_layers):
        node = space.variable(f"layer_{i}", [SMALL, WIDE, Identity, Zero])
        space.connect(nodes[-1], node)
        for other in nodes[:-1]:
            space.optional(other, node)
        nodes.append(node)
    # From the last layer on: whether the next layer carries, and how many behind it do.
    ways = {(1, 0): 3, (0, 0): 1}
    for _ in range(num_layers - 1):
        following: dict[tuple[int, int], int] = {}
        for (carries, num_further), count in ways.items():
            unused = 0 if carries else 1
            used, reached = 2**num_further - unused, num_further + carries
            for key, number in (((1, reached), 3 * used), ((0, reached), used + unused)):
                following[key] = following.get(key, 0) + count * number
        ways = following
    assert space.size == sum(count * 2**further for (_, further), count in ways.items())


# -- conditions ----------------------------------------------------------------------------------


def test_what_leads_to_zero_has_no_meaning() -> None:
    space = chain([SMALL, WIDE], [SMALL, Zero])
    assert conditions(space) == {"a": "b in ['Dense(16, relu)']"}
    assert space.size == 3


def test_a_node_is_used_through_any_of_its_connections() -> None:
    space = ArchitectureSpace((10,), (1,))
    a, b = space.variable("a", [SMALL, WIDE]), space.variable("b", [SMALL, Zero])
    space.connect("input", a, b, "output")
    space.optional(a, "output", name="skip")
    assert conditions(space) == {"a": "b in ['Dense(16, relu)'] or skip in [True]"}
    assert space.size == 2 * 2 * 2 - 1


def test_a_connection_to_an_unused_node_has_no_meaning() -> None:
    space = ArchitectureSpace((10,), (1,))
    a, b = space.variable("a", [SMALL, WIDE]), space.variable("b", [SMALL, WIDE])
    space.connect("input", a, "output")
    space.connect("input", b)
    space.optional(b, "output")
    space.optional(a, b)
    assert conditions(space) == {
        "a-to-b": "b in ['Dense(16, relu)', 'Dense(64)']",
        "b": "b-to-output in [True]",
    }
    assert space.size == 2 * (1 + 2 * 2)


def test_a_mirror_uses_the_choice_of_the_other_node() -> None:
    space = ArchitectureSpace((10,), (1,))
    a = space.variable("a", [SMALL, WIDE])
    b = space.mirror("b", of=a)
    space.connect("input", a)
    space.connect("input", b, "output")
    space.optional(a, "output")
    assert [choice.name for choice in space.choices] == ["a-to-output", "a"]
    assert conditions(space) == {}
    network = network_of(space.graph, {"a": "Dense(64)", "a-to-output": False})
    assert {node.name: each.label for node, each in network.operations.items()} == {
        "b": "Dense(64)"
    }


def num_networks(space: ArchitectureSpace) -> int:
    """Return how many different networks the points of a space are."""
    points = {tuple(sorted(space.validate(each).items())) for each in assignments(space)}
    assert len(points) == space.size
    found = set()
    for point in points:
        network = network_of(space.graph, dict(point))
        operations = {node.name: each.label for node, each in network.operations.items()}
        sources = {node.name: each for node, each in network.sources.items()}
        found.add((frozenset(operations.items()), frozenset(sources.items())))
    return len(found)


def test_a_branch_that_is_closed_at_its_end_has_no_network_twice() -> None:
    space = chain([SMALL, WIDE], [SMALL, Identity], [Identity, Zero])
    space.connect("input", "output")
    assert num_networks(space) == space.size == 5
    open_ended = chain([SMALL, WIDE, Zero], [SMALL, Identity])
    assert (num_networks(open_ended), open_ended.size) == (5, 6)


def test_nodes_with_one_connection_that_is_always_there_have_no_network_twice() -> None:
    space = chain([SMALL, WIDE], [SMALL, Identity], [SMALL, WIDE])
    space.optional("input", "b")
    space.optional("input", "c")
    space.optional("a", "c")
    space.optional("b", "output")
    assert num_networks(space) == space.size == 2**7


def test_an_operation_alone_is_no_choice() -> None:
    space = chain([SMALL], [WIDE, SMALL])
    assert [choice.name for choice in space.choices] == ["b"]


# -- refusals ------------------------------------------------------------------------------------


def refusal(message: str) -> Any:
    return pytest.raises(ArchitectureError, match=message)


def test_a_cycle_is_refused_with_its_nodes() -> None:
    space = chain([SMALL], [SMALL], [SMALL])
    with refusal("connecting 'c' to 'a' makes a cycle: a → b → c → a"):
        space.connect("c", "a")
    with refusal("connecting 'b' to 'b' makes a cycle: b → b"):
        space.optional("b", "b")
    assert space.size == 1


def test_empty_choices_are_refused_with_the_name_of_the_node() -> None:
    space = ArchitectureSpace((10,), (1,))
    with refusal("node 'a' has no operations"):
        space.variable("a", [])
    with refusal("node 'a' has Zero alone"):
        space.constant("a", Zero)
    with refusal(r"node 'a' has two operations 'Dense\(16, relu\)'"):
        space.variable("a", [SMALL, SMALL])
    with refusal("node 'a' has the operation 3 "):
        space.variable("a", [3])  # type: ignore[list-item]
    with refusal("node 'a': the function .* has no name: give it a label"):
        space.variable("a", [lambda: None])
    with refusal("the operations of node 'a' are 'Dense'"):
        space.variable("a", "Dense")


def test_nodes_that_are_not_connected_are_refused() -> None:
    space = ArchitectureSpace((10,), (1,))
    space.variable("a", [SMALL, WIDE])
    with refusal("nothing leads to node 'a'"):
        _ = space.size
    space.connect("input", "output")
    space.connect("input", "a")
    with refusal("node 'a' leads nowhere"):
        _ = space.choices
    space.connect("a", "output")
    assert space.size == 2


def test_an_input_without_a_use_is_refused() -> None:
    space = ArchitectureSpace([(10,), (3,)], (1,))
    space.constant("a", SMALL)
    space.connect("input_0", "a")
    with refusal("nothing comes from the input 'input_1'"):
        _ = space.graph


def test_names_are_those_of_the_space() -> None:
    space = chain([SMALL], [SMALL])
    with refusal("there is no node 'd' in the space"):
        space.connect("a", "d")
    with refusal("'a' is in the space already"):
        space.constant("a", SMALL)
    with refusal("'a' and 'b' are connected already"):
        space.optional("a", "b")
    with refusal("nothing can lead to 'input'"):
        space.connect("a", "input")
    with refusal("nothing can come from 'output'"):
        space.connect("output", "a")
    with refusal("'a' is a node of another space"):
        space.connect(chain([SMALL]).nodes["a"], "b")
    with refusal("can't name a node"):
        space.constant("a b", SMALL)
    with refusal("'output' is an output: mirror"):
        space.mirror("c", of="output")
    with refusal("fewer than two nodes"):
        space.connect("a")


@pytest.mark.parametrize("shape", [(), 10, "10", (0,), (2.5,), [(10,), ()], {}])
def test_shapes_are_shapes(shape: Any) -> None:
    with refusal("input_shape has"):
        ArchitectureSpace(shape, (1,))
    with refusal("output_shape has"):
        ArchitectureSpace((10,), shape)


def test_arguments_that_cannot_be_used_are_refused() -> None:
    with refusal("merge is 'mean': give 'concatenate' or 'add'"):
        ArchitectureSpace((10,), (1,), merge="mean")  # type: ignore[arg-type]
    with refusal("output is Zero"):
        ArchitectureSpace((10,), (1,), output=Zero)
    with refusal("length of its last axis"):
        ArchitectureSpace((10,), (None,))
    with refusal("several inputs, input_0, input_1"):
        _ = ArchitectureSpace([(1,), (1,)], (1,)).input


def test_a_point_that_is_not_complete_is_refused() -> None:
    space = chain([SMALL, WIDE], [SMALL, Zero])
    with refusal(r"'a' is missing: give one of 'Dense\(16, relu\)', 'Dense\(64\)'"):
        space.validate({"b": "Dense(16, relu)"})
    with refusal(r"'b' is 'Dense\(17, relu\)': did you mean 'Dense\(16, relu\)'"):
        space.validate({"b": "Dense(17, relu)"})
    assert space.validate({"b": "Zero", "lr": 0.1}) == {"b": "Zero"}


def test_a_connection_is_there_for_any_value_that_equals_true() -> None:
    space = chain([SMALL, WIDE])
    space.optional("input", "output", name="skip")
    for value in (1, 1.0, np.True_):
        found = space.validate({"a": "Dense(64)", "skip": value})
        assert found["skip"] is True
        (sources,) = (s for n, s in network_of(space.graph, found).sources.items() if n.shape)
        assert [node.name for node in sources] == ["a", "input"]


def test_names_that_a_problem_has_already_are_refused() -> None:
    problem = chain([SMALL, WIDE]).problem()
    with pytest.raises(ProblemError, match="'a' is in the problem already"):
        chain([SMALL, WIDE]).add_to(problem)


# -- drawings ------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(spaces(max_nodes=6))
def test_a_drawing_is_svg_with_the_nodes_that_are_used(space: ArchitectureSpace) -> None:
    def texts(drawing: str) -> list[str]:
        return [e.text or "" for e in ElementTree.fromstring(drawing).iter() if "text" in e.tag]

    assert set(space.nodes) <= set(texts(space.plot()))
    point = space.sample(0)
    network = network_of(space.graph, point)
    shown = texts(space.plot(point))
    assert {node.name for node in network.operations} <= set(shown)
    assert {node.name for node in network.sources} | {n.name for n in space.inputs} == (
        set(shown) & set(space.nodes)
    )


def test_labels_are_shown_as_text() -> None:
    space = chain({"a<b & c": SMALL, "d": WIDE})  # type: ignore[arg-type]
    assert "a&lt;b &amp; c" in space.plot()


def test_a_space_needs_no_keras_until_it_is_built() -> None:
    import subprocess

    program = (
        "import sys; from deephyper.nas import ArchitectureSpace, op;"
        "s = ArchitectureSpace((3,), (1,)); n = s.variable('a', [op('Dense', 2), 'Dropout']);"
        "s.connect('input', n); s.problem(); s.plot(s.sample()); print('keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
