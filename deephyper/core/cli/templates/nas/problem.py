"""The problem: data, networks, and how they are trained. What is a range is searched too."""

from deephyper.nas import NaProblem

if __package__:  # imported as a part of a package
    from .load_data import load_data
    from .search_space import build_space
else:  # run as a script, or loaded from its path
    from load_data import load_data
    from search_space import build_space

Problem = NaProblem()

Problem.load_data(load_data)
Problem.search_space(build_space, num_layers=3)
Problem.hyperparameters(
    batch_size=256,
    learning_rate=(0.0001, 0.1, "log-uniform"),
    optimizer=["adam", "rmsprop"],
    num_epochs=40,
    callbacks={
        "EarlyStopping": {"monitor": "val_r2", "mode": "max", "patience": 5, "min_delta": 0.001}
    },
)
Problem.loss("mse")
Problem.metrics(["r2"])
Problem.objective("val_r2__max")

Problem.add_starting_point(learning_rate=0.01)

if __name__ == "__main__":
    print(Problem)
