"""The search space: which hyperparameters ``run`` takes, and from where the search starts."""

from deephyper.problem import HpProblem

Problem = HpProblem()

Problem.add_hyperparameter((1, 100), "units")
Problem.add_hyperparameter(["identity", "relu", "sigmoid", "tanh"], "activation")
Problem.add_hyperparameter((0.01, 10.0, "log-uniform"), "scale")

Problem.add_starting_point(units=10, activation="identity", scale=0.1)

if __name__ == "__main__":
    print(Problem)
