"""The space of networks: dense layers in a row, and connections that skip some of them."""

import os

from deephyper.nas import ArchitectureSpace, Identity, op

UNITS = [16, 32, 64]
ACTIVATIONS = ["relu", "tanh", "silu"]


def build_space(num_layers=3, input_shape=(10,), output_shape=(1,)):
    """Return a space in which each layer is chosen, or left out, and may see all layers before."""
    space = ArchitectureSpace(input_shape, output_shape)
    choices = [op("Dense", units, activation=name) for units in UNITS for name in ACTIVATIONS]
    nodes = [space.input]
    for i in range(1, num_layers + 1):
        node = space.variable(f"layer_{i}", [*choices, Identity])
        space.connect(nodes[-1], node)
        for before in nodes[:-1]:
            space.optional(before, node)
        nodes.append(node)
    return space


def main():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before Keras is imported: no banners
    space = build_space()
    print(f"{space.size:,} architectures, three of them:")
    for seed in range(3):
        point = space.sample(seed)
        print(point)
        space.build(point).summary()


if __name__ == "__main__":
    main()
