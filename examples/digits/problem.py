"""Which support vector machine reads handwritten digits best?"""

from ConfigSpace import EqualsCondition, InCondition

from deephyper.problem import HpProblem

Problem = HpProblem()

Problem.add_hyperparameter(["none", "standard", "quantile"], "scaling")
Problem.add_hyperparameter((8, 64), "components")
Problem.add_hyperparameter((0.01, 100.0, "log-uniform"), "C")
kernel = Problem.add_hyperparameter(["linear", "poly", "rbf", "sigmoid"], "kernel")
gamma = Problem.add_hyperparameter((1e-5, 1e1, "log-uniform"), "gamma")
degree = Problem.add_hyperparameter((2, 5), "degree")

Problem.add_condition(InCondition(gamma, kernel, ["poly", "rbf", "sigmoid"]))
Problem.add_condition(EqualsCondition(degree, kernel, "poly"))

Problem.add_starting_point(scaling="standard", components=32, C=1.0, kernel="linear")

if __name__ == "__main__":
    print(Problem)
