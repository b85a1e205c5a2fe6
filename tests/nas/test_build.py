"""Networks of points, by Keras itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from deephyper.errors import ArchitectureError
from deephyper.nas import ArchitectureSpace, Identity, Zero, op
from deephyper.nas.flow import network_of
from tests.nas.random_architectures import spaces

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.tensorflow


def batch(space: ArchitectureSpace) -> Any:
    shapes: list[Any] = [(2, *(node.shape or ())) for node in space.inputs]
    arrays = [np.ones(shape, "float32") for shape in shapes]
    return arrays if space.input_structure is list else arrays[0]


@settings(max_examples=15)
@given(spaces())
def test_any_network_of_any_space_is_built_with_its_shapes(space: ArchitectureSpace) -> None:
    point = space.sample(1)
    model = space.build(point)
    outputs = model(batch(space))
    found = outputs if len(space.outputs) > 1 else [outputs]
    assert [tuple(each.shape) for each in found] == [(2, 1)] * len(space.outputs)
    names = {layer.name for layer in model.layers}
    for node, operation in network_of(space.graph, point).operations.items():
        assert operation.kind == "identity" or node.name in names


def test_a_network_has_the_layers_of_its_point() -> None:
    space = ArchitectureSpace((10,), (1,))
    a = space.variable("a", [op("Dense", 16, activation="relu"), Identity, Zero])
    b = space.variable("b", {"wide": lambda: keras.layers.Dense(64), "twice": twice})
    space.connect(space.input, a)
    space.connect(space.input, b)
    space.connect(a, b)
    point = {"a": "Dense(16, relu)", "b": "wide"}
    # 10 x 16 + 16, (10 + 16) x 64 + 64, 64 + 1.
    assert space.build(point).count_params() == 176 + 1728 + 65
    assert space.build({**point, "a": "Identity"}).count_params() == (20 * 64 + 64) + 65
    assert space.build({**point, "a": "Zero"}).count_params() == (10 * 64 + 64) + 65
    assert space.build({**point, "a": "Zero", "b": "twice"}).count_params() == 22 + 6 + 3


def twice() -> list[Any]:
    return [keras.layers.Dense(2), keras.layers.Dense(2)]


def test_layers_are_copied_and_classes_are_made() -> None:
    layer = keras.layers.Dense(4, activation="tanh", name="mine")
    space = ArchitectureSpace((3,), (1,))
    a = space.variable("a", [layer, keras.layers.Dense(4), keras.layers.BatchNormalization, "ReLU"])
    space.connect("input", a)
    assert space.choices[0].values == ("Dense(4, tanh)", "Dense(4)", "BatchNormalization", "ReLU")
    first, second = (space.build({"a": "Dense(4, tanh)"}) for _ in range(2))
    assert first.get_layer("a") is not second.get_layer("a")
    assert first.get_layer("a").activation is keras.activations.tanh
    assert not layer.built
    for label, kind in (("BatchNormalization", "BatchNormalization"), ("ReLU", "ReLU")):
        assert type(space.build({"a": label}).get_layer("a")).__name__ == kind


def test_a_layer_is_labeled_by_what_is_not_usual() -> None:
    space = ArchitectureSpace((8, 8, 3), (1,))
    layers = keras.layers
    node = space.variable(
        "a",
        [
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Conv2D(8, (5, 5), padding="same"),
            layers.MaxPooling2D(),
            layers.Dropout(0.5),
        ],
    )
    assert [each.label for each in node.operations] == [
        "Conv2D(8, (3, 3), padding=same, relu)",
        "Conv2D(8, (5, 5), padding=same)",
        "MaxPooling2D",
        "Dropout(0.5)",
    ]


def test_a_mirror_has_weights_of_its_own() -> None:
    space = ArchitectureSpace([(3,), (3,)], (1,))
    a = space.variable("a", [op("Dense", 2), op("Dense", 5)])
    b = space.mirror("b", of=a)
    space.connect("input_0", a)
    space.connect("input_1", b)
    model = space.build({"a": "Dense(5)"})
    assert model.get_layer("b").units == 5
    assert model.count_params() == 2 * 20 + 11


def test_additions_project_to_the_first_tensor() -> None:
    space = ArchitectureSpace((8, 8, 3), (2,), merge="add")
    a = space.constant("a", op("Conv2D", 5, 3, padding="same"))
    space.connect("input", a)
    b = space.constant("b", op("GlobalAveragePooling2D"))
    space.connect(a, b)
    space.connect("input", b)
    model = space.build({})
    assert model.get_layer("b_from_input").kernel.shape == (3, 5)
    assert model.get_layer("b_merge").output.shape == (None, 8, 8, 5)


def test_images_are_flattened_for_an_output_that_is_a_vector() -> None:
    space = ArchitectureSpace((4, 4, 3), (2,))
    a = space.variable("a", [op("Conv2D", 2, 1), Zero])
    space.connect("input", a)
    assert space.build({"a": "Conv2D(2, 1)"}).count_params() == 8 + (32 * 2 + 2)
    constant = space.build({"a": "Zero"})
    result = keras.ops.convert_to_numpy(
        constant(np.random.default_rng(1).normal(size=(5, 4, 4, 3)))
    )
    assert result.shape == (5, 2)
    assert not result.any()
    assert len(constant.trainable_variables) == 2


def test_outputs_are_made_by_the_layer_that_is_given() -> None:
    head = op("Dense", 3, activation="softmax")
    space = ArchitectureSpace((4,), [(3,), (3,)], output=head)
    a = space.constant("a", op("Dense", 2))
    space.connect("input", a)
    model = space.build({})
    assert [layer.name for layer in model.layers][-2:] == ["output_0", "output_1"]
    assert float(keras.ops.convert_to_numpy(model(np.ones((1, 4)))[1]).sum()) == pytest.approx(1)
    as_it_is = ArchitectureSpace((4,), (2,), output=Identity)
    as_it_is.connect("input", as_it_is.constant("a", op("Dense", 2)))
    assert as_it_is.build({}).count_params() == 10
    assert as_it_is.build({}).layers[-1].name == "output"


def test_inputs_and_outputs_can_have_names() -> None:
    space = ArchitectureSpace({"age": (1,), "text": (5,)}, {"price": (1,), "rank": (2,)})
    a = space.constant("a", op("Dense", 2))
    space.connect("age", a)
    space.connect("text", a)
    model = space.build({})
    found = model({"age": np.ones((2, 1)), "text": np.ones((2, 5))})
    assert {name: tuple(each.shape) for name, each in found.items()} == {
        "price": (2, 1),
        "rank": (2, 2),
    }


def test_a_network_can_be_saved_and_loaded_without_us(tmp_path: Path) -> None:
    space = ArchitectureSpace((4,), (1,), merge="add")
    a = space.variable("a", [op("Dense", 2), Zero])
    space.connect("input", a)
    space.optional("input", "output")
    space.connect(a, "output")
    for seed in range(4):
        model = space.build(space.sample(seed))
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        data = np.ones((2, 4), "float32")
        np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (model(data), loaded(data))))


def refusal(message: str) -> Any:
    return pytest.raises(ArchitectureError, match=message)


def test_shapes_that_cannot_be_merged_are_refused_with_the_name_of_the_node() -> None:
    space = ArchitectureSpace((8, 8, 3), (1,))
    a = space.constant("a", op("MaxPooling2D"))
    b = space.constant("b", op("Conv2D", 2, 1))
    space.connect("input", a, b)
    space.connect("input", b)
    with refusal(r"node 'b' can't merge 'a' and 'input', whose shapes \(4, 4, 3\) and \(8, 8, 3\)"):
        space.build({})


def test_layers_that_cannot_be_built_are_refused_with_the_name_of_the_node() -> None:
    def space_of(operation: Any, **shapes: Any) -> ArchitectureSpace:
        space = ArchitectureSpace(
            shapes.get("input_shape", (4,)), (1,), output=shapes.get("output")
        )
        space.connect("input", space.variable("a", {"it": operation}))
        return space

    with refusal(r"node 'a': it can't be built for the shape \(4,\): ValueError"):
        space_of(op("Conv2D", 8, 3)).build({})
    with refusal("node 'a': it can't be made: .*units"):
        space_of(op("Dense", -1)).build({})
    with refusal("node 'a': keras.layers has no 'Dens': did you mean 'Dense'"):
        space_of(op("Dens", 1)).build({})
    with refusal("node 'a': it makes None"):
        space_of(lambda: lambda tensor: None).build({})
    with refusal(r"the output 'output' has the shape \(4,\), not \(1,\)"):
        space_of(Identity, output=Identity).build({})
