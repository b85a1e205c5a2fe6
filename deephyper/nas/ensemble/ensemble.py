"""Ensembles of the best networks that a search has kept.

Caruana, Niculescu-Mizil, Crew and Ksikes (2004), Ensemble selection from libraries of models, ICML:
starting from nothing, the network is added, again and again, with which the mean prediction has the
lowest loss on the validation data; one that is added several times weighs more.
"""

from __future__ import annotations

import json
import math
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deephyper.analytics.topk import best_rows
from deephyper.callbacks.package import importing
from deephyper.checks import user_path, whole
from deephyper.errors import DeepHyperError, ResultsError
from deephyper.nas.ensemble.files import DESCRIPTION, MODEL, PREDICTIONS, check_directory
from deephyper.nas.ensemble.losses import Losses
from deephyper.nas.ensemble.uncertainty import Uncertainty, uncertainty
from deephyper.nas.ensemble.validation import Arrays, validation_arrays
from deephyper.nas.fit import NetworkFit
from deephyper.nas.kept_models import BEST_MODEL
from deephyper.nas.run_function import require_na_problem
from deephyper.nas.training import copied
from deephyper.objective import one_line
from deephyper.search.log_dir import LogDir

with importing("keras", "Keras", pip="tensorflow"):
    import keras

if TYPE_CHECKING:
    from deephyper.nas.problem import NaProblem
    from deephyper.nas.setup import CompleteSetup
    from deephyper.problem.point import Point

_Kept = tuple[str, "Point", float, Path]
"""Id, point, objective and model of an evaluation."""
_ROUNDS = 100
"""Networks that are added, the same ones included; the best of all steps is the ensemble."""
_ROUNDING = 1e-9
"""Share of a loss by which it may seem to be lower."""
_CANDIDATES = 100
"""Networks, the best ones, that are looked at."""


@dataclass(frozen=True)
class Member:
    """A network of an ensemble.

    Attributes:
        id: of its evaluation.
        weight: of its predictions; those of all members add up to 1.
        loss: on the validation data.
        objective: of its evaluation.
        point: what it was made of.
    """

    id: str
    weight: float
    loss: float
    objective: float
    point: Point


@dataclass(frozen=True)
class Ensemble:
    """Networks whose predictions are averaged.

    Attributes:
        members: its networks, those that weigh most first.
        loss: of the mean prediction on the validation data.
        metrics: of the problem, for the mean prediction on the same.
        best_single: the network with the lowest loss on the same, with a weight of 1.
        num_candidates: networks that were to choose from.
        model: a ``keras.Model`` of the mean prediction.
        uncertainty: of the prediction for each example of the validation data.
    """

    members: tuple[Member, ...]
    loss: float
    metrics: dict[str, float]
    best_single: Member
    num_candidates: int
    model: Any
    uncertainty: Uncertainty

    def save(self, directory: str | Path, *, force: bool = False) -> None:
        """Write the model, who is in it, and the predictions for the validation data.

        Args:
            directory: gets ``ensemble.keras``, ``ensemble.json`` and ``predictions.csv``.
            force: write over what is there.

        Raises:
            ResultsError: something is there, or can't be written.
        """
        path = user_path("the directory of an ensemble", directory)
        check_directory(path, force=force)
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.model.save(path / MODEL)
            text = json.dumps(self.described(), indent=4)
            (path / DESCRIPTION).write_text(f"{text}\n", encoding="utf-8")
            (path / PREDICTIONS).write_text(self.uncertainty.as_csv(), encoding="utf-8")
        except OSError as error:
            raise ResultsError(
                f"'{path}' can't be written ({error.strerror or error}); choose another directory"
            ) from error

    def described(self) -> dict[str, Any]:
        """Return everything but the model and the predictions, for JSON."""
        return {
            "members": [asdict(member) for member in self.members],
            "loss": self.loss,
            "metrics": self.metrics,
            "best_single": asdict(self.best_single),
            "num_candidates": self.num_candidates,
            "uncertainty": self.uncertainty.means,
        }


def build_ensemble(
    problem: NaProblem,
    log_dir: str | Path,
    k: int = 5,
    *,
    on_notice: Callable[[str], None] = lambda line: None,
) -> Ensemble:
    """Return an ensemble of at most k networks that a search has kept.

    Args:
        problem: of the search.
        log_dir: of the search, whose evaluations have kept their models.
        k: different networks, at most.
        on_notice: called with a line for the user.

    Raises:
        ProblemError: the problem isn't complete, or its validation data have another form.
        ResultsError: the search has no results, or kept no models.
        SettingsError: ``k`` is below 1.
    """
    k = whole("k", k, 1)
    setup = require_na_problem(problem).setup.complete()
    kept = _kept(problem, log_dir, on_notice)
    x, structured = validation_arrays(setup.data())
    y = keras.tree.flatten(structured)
    losses = Losses(setup.loss)
    kept, models = _loaded(setup, kept, on_notice)
    predictions = [_predicted(model, x) for model in models]
    each = [losses(y, prediction) for prediction in predictions]
    if not any(map(math.isfinite, each)):
        raise ResultsError("no network has a finite loss on the validation data")
    counts = select(predictions, lambda prediction: losses(y, prediction), k)
    total = sum(counts.values())

    def member(index: int, weight: float) -> Member:
        id_, point, objective, _ = kept[index]
        return Member(id_, weight, each[index], objective, point)

    chosen = [index for index, _ in counts.most_common()]
    weights = [counts[index] / total for index in chosen]
    combined = _combined([models[index] for index in chosen], weights)
    combined.compile(loss=setup.loss, metrics=copied(setup.metrics))
    evaluated = combined.evaluate(x, structured, verbose=0, return_dict=True)
    found = [predictions[index] for index in chosen]
    return Ensemble(
        tuple(map(member, chosen, weights)),
        losses(y, _mean(found, weights)),
        {name: float(value) for name, value in evaluated.items() if name != "loss"},
        member(int(np.nanargmin(each)), 1.0),
        len(kept),
        combined,
        uncertainty(found, weights, y, losses, _output_names(setup)),
    )


def _output_names(setup: CompleteSetup) -> list[str]:
    """Return the names of the outputs in the order of ``keras.tree.flatten``."""
    names = [node.name for node in setup.space.outputs]
    return sorted(names) if setup.space.output_structure is dict else names


def select(predictions: Sequence[Arrays], loss: Callable[[Arrays], float], k: int) -> Counter[int]:
    """Return how often each network is taken, by Caruana et al.

    Args:
        predictions: of each network.
        loss: of a prediction.
        k: different networks, at most.
    """
    counts: Counter[int] = Counter()
    best, lowest = counts, math.inf
    total: Arrays | None = None
    for number in range(1, _ROUNDS + 1):
        allowed = range(len(predictions)) if len(counts) < k else sorted(counts)
        sums = {i: _added(total, predictions[i]) for i in allowed}
        scores = {i: _or_infinity(loss([each / number for each in sums[i]])) for i in allowed}
        added = min(scores, key=scores.__getitem__)
        if math.isinf(scores[added]):
            break
        counts[added] += 1
        total = sums[added]
        if scores[added] < lowest - _ROUNDING * abs(scores[added]):
            best, lowest = counts.copy(), scores[added]
    return best


def _or_infinity(loss: float) -> float:
    return loss if math.isfinite(loss) else math.inf


def _kept(problem: NaProblem, log_dir: str | Path, on_notice: Callable[[str], None]) -> list[_Kept]:
    """Return id, point, objective and model of the best evaluations that have kept theirs."""
    place = LogDir(log_dir)
    rows, table = best_rows(place.path, None, on_notice)
    fit = NetworkFit(problem, table)
    kept: list[_Kept] = []
    unfit: list[ResultsError] = []
    for row in rows:
        id_ = row.columns.get("id")
        path = place.evaluations / str(id_) / BEST_MODEL
        if row.objective is None or not path.is_file():
            continue
        try:
            point = fit.point(row)
        except ResultsError as error:
            unfit.append(error)
            continue
        kept.append((str(id_), point, row.objective, path))
        if len(kept) == _CANDIDATES:
            break
    if unfit and not kept:
        raise unfit[0]
    if unfit:
        on_notice(f"evaluations that are left out, as points of another problem: {len(unfit)}")
    if not kept:
        raise ResultsError(
            f"no evaluation of '{place.path}' has kept its model; search with --keep-models all"
        )
    return kept


def _loaded(
    setup: CompleteSetup, kept: Sequence[_Kept], on_notice: Callable[[str], None]
) -> tuple[list[_Kept], list[Any]]:
    """Return those networks that can be loaded, and their models.

    Raises:
        ResultsError: there is none.
    """
    good, models, bad = [], [], []
    for each in kept:
        try:
            models.append(_model(setup, each[1], each[3]))
            good.append(each)
        except ResultsError as error:
            bad.append(error)
    if not models:
        raise bad[0]
    for each_bad in bad:
        on_notice(f"{each_bad}; it is left out")
    return good, models


def _model(setup: CompleteSetup, point: Point, path: Path) -> Any:
    """Return a network as it was kept; it is built anew, so that its layers may be anyone's own."""
    model = setup.space.build(point)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the error says it
            model.load_weights(path)
    except Exception as error:
        raise ResultsError(
            f"'{path}' isn't the model of its point ({one_line(error)}); was the problem changed"
            " since?"
        ) from error
    return model


def _predicted(model: Any, x: Any) -> Arrays:
    try:
        predicted = model.predict(x, verbose=0)
    except Exception as error:
        raise DeepHyperError(
            f"a network can't predict the validation data ({one_line(error)})"
        ) from error
    return [np.asarray(each, dtype=float) for each in keras.tree.flatten(predicted)]


def _combined(models: Sequence[Any], weights: Sequence[float]) -> Any:
    """Return a model of the weighted mean of the outputs of models, which stay as they are."""
    for number, model in enumerate(models):
        model.name = f"member_{number}"
        model.trainable = False

    def like(tensor: Any) -> Any:
        return keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name)

    inputs = keras.tree.map_structure(like, models[0].input)
    outputs = [model(inputs) for model in models]

    def mean(*tensors: Any) -> Any:
        if len(tensors) == 1:
            return tensors[0]
        scaled = [
            keras.layers.Rescaling(weight)(tensor)
            for weight, tensor in zip(weights, tensors, strict=True)
        ]
        return keras.layers.Add()(scaled)

    return keras.Model(inputs, keras.tree.map_structure(mean, *outputs), name="ensemble")


def _added(total: Arrays | None, prediction: Arrays) -> Arrays:
    if total is None:
        return prediction
    return [a + b for a, b in zip(total, prediction, strict=True)]


def _mean(predictions: Sequence[Arrays], weights: Sequence[float]) -> Arrays:
    return [
        np.tensordot(np.asarray(weights), np.stack(each), axes=1)
        for each in zip(*predictions, strict=True)
    ]
