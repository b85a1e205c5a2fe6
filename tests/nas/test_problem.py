"""Problems of neural architecture search: what they are given, and what is refused at once."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ConfigSpace import EqualsCondition

from deephyper.errors import ArchitectureError, ProblemError
from deephyper.nas import ArchitectureSpace, Identity, NaProblem, op
from deephyper.nas.objective import Objective
from deephyper.problem.problem import require_problem


def load_data(n: int = 10) -> Any:
    return ([1.0] * n, [2.0] * n), ([3.0], [4.0])


def scaled(data: Any, by: float = 1.0) -> Any:
    return tuple(tuple([each * by for each in part] for part in side) for side in data)


def build(num_layers: int = 2) -> ArchitectureSpace:
    space = ArchitectureSpace((4,), (1,))
    layers = [
        space.variable(f"layer_{i}", [op("Dense", 2), op("Dense", 8), Identity])
        for i in range(num_layers)
    ]
    space.connect(space.input, *layers)
    return space


def complete() -> NaProblem:
    problem = NaProblem(seed=1)
    problem.load_data(load_data, n=3)
    problem.search_space(build)
    problem.loss("mse")
    problem.metrics(["r2"])
    problem.objective("val_r2")
    return problem


def refusal(message: str) -> Any:
    return pytest.raises(ProblemError, match=message)


# -- what it is given ----------------------------------------------------------------------------


def test_the_choices_of_the_space_are_hyperparameters() -> None:
    problem = complete()
    assert problem.hyperparameter_names == ["layer_0", "layer_1"]
    problem.add_starting_point(layer_0="Identity")
    assert problem.starting_points == [{"layer_0": "Identity", "layer_1": "Dense(2)"}]
    problem.setup.complete()


def test_ranges_are_searched_and_values_are_not() -> None:
    problem = complete()
    problem.hyperparameters(
        batch_size=[16, 32],
        learning_rate=(1e-4, 1e-1, "log-uniform"),
        optimizer=["adam", "sgd"],
        num_epochs=7,
        callbacks={"EarlyStopping": {"monitor": "val_loss", "patience": (2, 9)}},
    )
    assert problem.hyperparameter_names == [
        "EarlyStopping.patience",
        "batch_size",
        "layer_0",
        "layer_1",
        "learning_rate",
        "optimizer",
    ]
    setup = problem.setup.complete()
    point = {"batch_size": 16, "optimizer": "sgd", "EarlyStopping.patience": 3, "layer_0": "x"}
    assert setup.training(point) == {
        "batch_size": 16,
        "learning_rate": None,
        "optimizer": "sgd",
        "num_epochs": 7,
    }
    assert setup.training({"num_epochs": 100})["num_epochs"] == 100
    assert setup.named_callbacks(point) == {"EarlyStopping": {"monitor": "val_loss", "patience": 3}}
    assert setup.named_callbacks({}) == {"EarlyStopping": {"monitor": "val_loss"}}


def test_data_are_loaded_and_preprocessed_with_their_arguments() -> None:
    problem = complete()
    problem.preprocessing(scaled, by=10.0)
    assert problem.setup.complete().data() == (([10.0] * 3, [20.0] * 3), ([30.0], [40.0]))


def test_its_hyperparameters_can_be_used_in_conditions() -> None:
    problem = complete()
    problem.hyperparameters(optimizer=["adam", "sgd"], learning_rate=(0.1, 1.0))
    space = problem.space
    problem.add_condition(EqualsCondition(space["learning_rate"], space["optimizer"], "sgd"))
    assert "learning_rate" not in problem.validate({}, complete=True)


def test_it_is_shown_with_all_that_it_knows() -> None:
    problem = complete()
    problem.preprocessing(scaled, by=2)
    problem.hyperparameters(learning_rate=(0.1, 1.0), callbacks=[made_callback])
    assert str(problem).startswith(
        f"""\
Problem is:
    - search space   : {__name__}.build, 9 architectures
    - data loading   : {__name__}.load_data(n=3)
    - preprocessing  : {__name__}.scaled(by=2)
    - hyperparameters:
        * batch_size: 32
        * learning_rate: a float from 0.1 to 1.0
        * optimizer: adam
        * num_epochs: 10
        * made_callback()
    - loss           : mse
    - metrics        :
        * r2
    - objective      : val_r2

Configuration space object:
"""
    )
    assert "search space   : not given" in str(NaProblem())


def made_callback() -> object:
    return object()


# -- objectives ----------------------------------------------------------------------------------

HISTORY = {"val_r2": [0.1, 0.7, 0.5], "val_loss": [3.0, 1.0, 2.0]}


@pytest.mark.parametrize(
    ("given", "value", "of_epoch"),
    [
        ("val_r2", 0.5, 0.5),
        ("val_r2__last", 0.5, 0.5),
        ("val_r2__max", 0.7, 0.5),
        ("val_r2__min", 0.1, 0.5),
        ("-val_loss", -2.0, -2.0),
        ("-val_loss__min", -1.0, -2.0),
        (lambda history: max(history["val_r2"]) - min(history["val_loss"]), 0.7 - 1, 0.7 - 1),
    ],
)
def test_an_objective_is_a_number_of_the_history(given: Any, value: float, of_epoch: float) -> None:
    objective = Objective.of(given)
    assert objective(HISTORY) == pytest.approx(value)
    assert objective.of_epoch(HISTORY) == pytest.approx(of_epoch)


def test_a_metric_that_is_not_there_is_refused() -> None:
    with refusal("the objective val_r3 is no metric of the training: did you mean 'val_r2'"):
        Objective.of("val_r3")(HISTORY)


def test_values_that_are_no_numbers_are_neither_the_largest_nor_the_smallest() -> None:
    nan = float("nan")
    history = {"auc": [nan, 0.5, nan, 0.25]}
    assert Objective.of("auc__max")(history) == 0.5
    assert Objective.of("-auc__min")(history) == -0.25
    assert math.isnan(Objective.of("auc")({"auc": [0.5, nan]}))
    assert math.isnan(Objective.of("auc__max")({"auc": [nan]}))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda history: "good", r"the objective .* is 'good' \(str\): return a number"),
        (lambda history: None, r"the objective .* is None \(NoneType\): return a number"),
        (lambda history: history["val_r3"], "needs 'val_r3', which is no metric .* 'val_r2'"),
    ],
)
def test_functions_that_return_no_number_are_told(function: Any, message: str) -> None:
    with refusal(message):
        Objective.of(function)(HISTORY)


def test_names_of_metrics_may_have_dots_and_dashes() -> None:
    history = {"val_head.1_top-5": [0.5, 0.75]}
    assert Objective.of("-val_head.1_top-5__max")(history) == -0.75


def test_a_class_in_the_place_of_a_problem_is_told_what_to_do() -> None:
    with refusal(r"the class NaProblem, not a problem; name an NaProblem, as in: Problem = NaP"):
        require_problem(NaProblem, "problem.py")


@pytest.mark.parametrize("order", [("metrics", "objective"), ("objective", "metrics")])
def test_an_objective_that_is_no_metric_is_refused_as_soon_as_it_is_known(
    order: tuple[str, str],
) -> None:
    problem = NaProblem()
    problem.search_space(build)
    given = {"metrics": ["r2", "mae"], "objective": "val_acc"}
    getattr(problem, order[0])(given[order[0]])
    with refusal("the objective val_acc is no metric of the training: did you mean 'val_mae'"):
        getattr(problem, order[1])(given[order[1]])


@pytest.mark.parametrize("given", ["val_r2__best", "", "-", "val r2", None, 3])
def test_objectives_that_cannot_be_read_are_refused(given: Any) -> None:
    with refusal("the objective is"):
        NaProblem().objective(given)


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["load_data", "search_space", "loss", "objective"])
def test_what_is_missing_is_named(missing: str) -> None:
    problem = NaProblem()
    given = {"load_data": load_data, "search_space": build, "loss": "mse", "objective": "-loss"}
    for name, value in given.items():
        if name != missing:
            getattr(problem, name)(value)
    with refusal(rf"the problem has no {missing}: call Problem.{missing}\(...\)"):
        problem.setup.complete()


def test_functions_are_checked_with_their_arguments() -> None:
    problem = NaProblem()
    with refusal(r"load_data\(\) is given 'data.csv' \(str\): give a function"):
        problem.load_data("data.csv")  # type: ignore[arg-type]
    with refusal(r"load_data\(\): .*load_data can't be called: .*'m'"):
        problem.load_data(load_data, m=3)
    with refusal(r"preprocessing\(\): .*build can't be called"):
        problem.preprocessing(build, num_layers=1)
    with refusal(r"search_space\(\): .*load_data returned .*: return an ArchitectureSpace"):
        problem.search_space(load_data)
    with pytest.raises(ArchitectureError, match="nothing leads to node 'a'"):
        problem.search_space(incomplete)
    problem.load_data(load_data)
    with refusal(r"load_data\(\) is called twice"):
        problem.load_data(load_data)


def incomplete() -> ArchitectureSpace:
    space = ArchitectureSpace((4,), (1,))
    space.constant("a", op("Dense", 2))
    return space


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 0}, "batch_size has 0: give whole numbers from 1"),
        ({"batch_size": (0, 4)}, "batch_size has 0: give whole numbers from 1"),
        ({"batch_size": [16, 2.5]}, "batch_size has 2.5"),
        ({"num_epochs": 2.5}, "num_epochs has 2.5"),
        ({"num_epochs": True}, "num_epochs has True"),
        ({"learning_rate": -0.1}, "learning_rate has -0.1: give numbers above 0"),
        ({"learning_rate": (0.0, 0.1)}, "learning_rate has 0.0: give numbers above 0"),
        ({"learning_rate": (0.1, 0.01)}, "'learning_rate' has reversed bounds"),
        ({"learning_rate": "fast"}, "learning_rate has 'fast'"),
        ({"optimizer": 3}, "optimizer has 3: give names, as 'adam'"),
        ({"callbacks": {"Early Stopping": {}}}, "callbacks has 'Early Stopping': give the name"),
        ({"callbacks": {"EarlyStopping": 3}}, "callbacks has 3 for EarlyStopping"),
        ({"callbacks": ["EarlyStopping"]}, "callbacks has 'EarlyStopping' .*: give functions"),
    ],
)
def test_values_that_cannot_be_used_are_refused(given: Any, message: str) -> None:
    problem = complete()
    with refusal(message):
        problem.hyperparameters(**given)
    assert problem.hyperparameter_names == ["layer_0", "layer_1"]


@pytest.mark.parametrize("loss", [None, "", 3, []])
def test_losses_that_cannot_be_used_are_refused(loss: Any) -> None:
    with refusal("the loss is"):
        NaProblem().loss(loss)


def test_metrics_that_cannot_be_used_are_refused() -> None:
    with refusal(r"metrics is 'r2': give a list, as \['r2'\]"):
        NaProblem().metrics("r2")
    with refusal("metrics has 3 "):
        NaProblem().metrics([3])
