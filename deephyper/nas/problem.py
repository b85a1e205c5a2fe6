"""The problem of a neural architecture search: networks, data, and how they are trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ConfigSpace.hyperparameters import Hyperparameter

from deephyper.errors import ProblemError
from deephyper.nas.calls import Call
from deephyper.nas.objective import History, Objective
from deephyper.nas.setup import Setup, checked_value
from deephyper.nas.space import ArchitectureSpace
from deephyper.problem.domain import Choices, domain_of
from deephyper.problem.point import show
from deephyper.problem.problem import HpProblem
from deephyper.problem.shorthand import hyperparameter_from

Callbacks = Mapping[str, Mapping[str, Any]] | Sequence[Callable[[], object]]
"""Arguments of classes of ``keras.callbacks`` by their names, or functions that return a
callback."""


class NaProblem(HpProblem):
    """The problem of a neural architecture search: an ``HpProblem`` whose points are networks.

    >>> problem = NaProblem()
    >>> problem.load_data(load_data, n_train=1000)
    >>> problem.search_space(build_space, num_layers=3)
    >>> problem.hyperparameters(learning_rate=(1e-4, 1e-1, "log-uniform"), num_epochs=20)
    >>> problem.loss("mse")
    >>> problem.metrics(["r2"])
    >>> problem.objective("val_r2__max")

    Data are loaded and networks trained where evaluations run; see :func:`deephyper.nas.run`.

    Args:
        seed: of the space's own random numbers, 0 to 2**32 - 1; None draws them from the system.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(seed)
        self.setup = Setup()
        """What is searched for, beside the hyperparameters, and how it is trained."""
        self._calls: set[str] = set()

    # -- defining ----------------------------------------------------------------------------

    def load_data(self, function: Callable[..., object], **kwargs: object) -> None:
        """Set the function that returns the data; it is called by each evaluation.

        It returns ``(train_X, train_y), (valid_X, valid_y)``; each ``X`` and ``y`` an array, or a
        list or dictionary of arrays for several inputs or outputs, with sample weights behind them
        if there are any. Or ``train, valid``, each anything that ``fit`` of Keras takes: a
        ``tf.data.Dataset``, a ``keras.utils.PyDataset``, a PyTorch ``DataLoader``, a generator of
        batches. Or a dictionary with ``train`` and ``valid``, each one of these or a function that
        returns it (which gets ``batch_size`` if it has such a parameter), and, for generators,
        ``steps_per_epoch`` and ``validation_steps``.

        Args:
            function: returns the data.
            kwargs: what it is called with.

        Raises:
            ProblemError: it isn't a function, or doesn't take these arguments.
        """
        call = Call.of("load_data", function, kwargs)
        self._first("load_data")
        self.setup.load_data = call

    def preprocessing(self, function: Callable[..., object], **kwargs: object) -> None:
        """Set a function of the data, which returns what is trained on instead of them.

        Args:
            function: called with what ``load_data`` returned; returns something of the same form.
            kwargs: what else it is called with.

        Raises:
            ProblemError: it isn't a function, or doesn't take these arguments.
        """
        call = Call.of("preprocessing", function, kwargs, num_positional=1)
        self._first("preprocessing")
        self.setup.preprocessing = call

    def search_space(self, function: Callable[..., ArchitectureSpace], **kwargs: object) -> None:
        """Set the function that returns the space of networks, and call it.

        Args:
            function: returns an :class:`ArchitectureSpace`.
            kwargs: what it is called with.

        Raises:
            ProblemError: it isn't a function, doesn't take these arguments, or returns something
                else; a hyperparameter of the same name is there already.
            ArchitectureError: the space isn't complete.
        """
        call = Call.of("search_space", function, kwargs)
        space = call()
        if not isinstance(space, ArchitectureSpace):
            raise ProblemError(
                f"search_space(): {call} returned {show(space)} ({type(space).__name__}): return an"
                " ArchitectureSpace"
            )
        self._first("search_space")
        space.add_to(self)
        self.setup.search_space, self.setup.space = call, space
        self.setup.check_objective(self.setup.metrics)

    def hyperparameters(
        self,
        *,
        batch_size: Any = None,
        learning_rate: Any = None,
        optimizer: Any = None,
        num_epochs: Any = None,
        callbacks: Callbacks | None = None,
    ) -> None:
        """Set how networks are trained.

        Where a value is a range or list, as ``add_hyperparameter`` takes it, it is searched
        together with the network: ``learning_rate=(1e-4, 1e-1, "log-uniform")``,
        ``optimizer=["adam", "sgd"]``.

        Args:
            batch_size: of data in arrays; 32 if it isn't given.
            learning_rate: None for the usual one of the optimizer.
            optimizer: name of a class of ``keras.optimizers``, or a function of the learning rate
                that returns an optimizer; ``"adam"`` if it isn't given.
            num_epochs: 10 if it isn't given.
            callbacks: names of classes of ``keras.callbacks`` with their arguments, as
                ``{"EarlyStopping": {"monitor": "val_loss", "patience": (3, 20)}}``, whose ranges
                are searched under names such as ``EarlyStopping.patience``; or a list of functions
                that return a callback.

        Raises:
            ProblemError: a value can't be used, or a hyperparameter of the same name is there.
        """
        self._first("hyperparameters")
        given = {
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "optimizer": optimizer,
            "num_epochs": num_epochs,
        }
        for name, value in given.items():
            if value is not None:
                self._set(name, value)
        if isinstance(callbacks, Mapping):
            for name, arguments in callbacks.items():
                self._add_callback(name, arguments)
        elif callbacks is not None:
            self.setup.made_callbacks = _functions("callbacks", callbacks)

    def loss(self, loss: Any) -> None:
        """Set the loss.

        Args:
            loss: as ``compile`` of Keras takes it: a name, a loss or a function, or a list or
                dictionary of these for several outputs.

        Raises:
            ProblemError: it is something else.
        """
        kinds = (str, list, dict)
        if not loss or not (isinstance(loss, kinds) or callable(loss)):
            raise ProblemError(
                f"the loss is {show(loss)}: give a name, as 'mse', or a loss of Keras"
            )
        self._first("loss")
        self.setup.loss = loss

    def metrics(self, metrics: Sequence[Any] | Mapping[str, Any]) -> None:
        """Set the metrics.

        Args:
            metrics: as ``compile`` of Keras takes them, in a list; ``"r2"`` is the coefficient of
                determination. Metrics that are objects are copied for each network.

        Raises:
            ProblemError: they are something else, or the objective is not among them.
        """
        if isinstance(metrics, str) or not isinstance(metrics, (Sequence, Mapping)):
            raise ProblemError(f"metrics is {show(metrics)}: give a list, as ['r2']")
        for metric in metrics:
            if not isinstance(metric, (str, list, tuple)) and not callable(metric):
                raise ProblemError(
                    f"metrics has {show(metric)} ({type(metric).__name__}): give names, as 'r2', or"
                    " metrics of Keras"
                )
        self._first("metrics")
        self.setup.check_objective(metrics)
        self.setup.metrics = metrics

    def objective(self, objective: str | Callable[[History], float]) -> None:
        """Set the objective, which is maximized.

        Args:
            objective: the name of a metric in the history of ``fit``: ``"val_r2"`` is its value
                after the last epoch, ``"val_r2__max"`` and ``"val_r2__min"`` its largest and
                smallest one, ``"-val_loss"`` that with the other sign. Or a function of the
                history, which is also called with what there is of it after each epoch.

        Raises:
            ProblemError: it is something else, or not among the metrics.
        """
        made = Objective.of(objective)
        self._first("objective")
        self.setup.objective = made
        self.setup.check_objective(self.setup.metrics)

    def _first(self, what: str) -> None:
        """Note that a method is called.

        Raises:
            ProblemError: it was called before.
        """
        if what in self._calls:
            raise ProblemError(f"{what}() is called twice: leave one out")
        self._calls.add(what)

    def _set(self, name: str, value: Any) -> None:
        """Set a value of the training, which is searched if it is a range."""
        if not _is_range(value):
            self.setup.fixed[name] = checked_value(name, value)
            return
        domain = domain_of(hyperparameter_from(name, value))
        ends = domain.values if isinstance(domain, Choices) else (domain.lower, domain.upper)
        for each in ends:
            checked_value(name, each)
        self.add_hyperparameter(value, name)
        self.setup.searched.append(name)

    def _add_callback(self, name: str, arguments: Mapping[str, Any]) -> None:
        if not isinstance(name, str) or not name.isidentifier():
            raise ProblemError(
                f"callbacks has {show(name)}: give the name of a class of keras.callbacks"
            )
        if not isinstance(arguments, Mapping):
            raise ProblemError(
                f"callbacks has {show(arguments)} for {name}: give a dictionary of its arguments"
            )
        fixed: dict[str, Any] = {}
        for key, value in arguments.items():
            if _is_range(value):
                self._set(f"{name}.{key}", value)
            else:
                fixed[key] = value
        self.setup.named_callbacks[name] = fixed

    # -- showing -----------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"{self.setup.shown(self.domains)}\n\n{super().__repr__()}"


def _is_range(value: object) -> bool:
    return isinstance(value, (tuple, list, Hyperparameter))


def _functions(what: str, given: object) -> list[Callable[[], object]]:
    found: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]
    for each in found:
        if not callable(each):
            raise ProblemError(
                f"{what} has {show(each)} ({type(each).__name__}): give functions that return a"
                " callback, as lambda: keras.callbacks.EarlyStopping(), or a dictionary of names of"
                " classes and their arguments"
            )
    return found
