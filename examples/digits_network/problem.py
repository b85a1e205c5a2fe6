"""Which small network reads handwritten digits best?"""

from deephyper.problem import HpProblem

Problem = HpProblem()

Problem.add_hyperparameter((8, 128, "log-uniform"), "units")
Problem.add_hyperparameter(["relu", "tanh", "selu"], "activation")
Problem.add_hyperparameter((0.0, 0.6), "dropout")
Problem.add_hyperparameter((1e-4, 1e-1, "log-uniform"), "learning_rate")
Problem.add_hyperparameter([16, 32, 64, 128], "batch_size")

Problem.add_starting_point(
    units=32, activation="relu", dropout=0.2, learning_rate=0.001, batch_size=32
)

if __name__ == "__main__":
    print(Problem)
