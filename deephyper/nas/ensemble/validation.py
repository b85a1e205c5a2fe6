"""The validation data of a problem as arrays, in whatever form ``load_data`` returns them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deephyper.callbacks.package import importing
from deephyper.errors import ProblemError
from deephyper.nas.data import fit_arguments

with importing("keras", "Keras", pip="tensorflow"):
    import keras

Arrays = list[NDArray[Any]]
"""One array an output, in the order of ``keras.tree.flatten``."""
_BATCH = 256


def validation_arrays(loaded: object) -> tuple[Any, Any]:
    """Return inputs and targets, each an array, or a list or dictionary of arrays.

    Args:
        loaded: what ``load_data`` returned, see :meth:`.NaProblem.load_data`.

    Raises:
        ProblemError: it has another form, or doesn't end.
    """
    arguments = fit_arguments(loaded, _BATCH)
    given, steps = arguments["validation_data"], arguments.get("validation_steps")
    if isinstance(given, tuple):
        return _arrays(given[0]), _arrays(given[1])
    batches = [(batch[0], batch[1]) for batch in islice(_batches(given), steps)]
    if not batches:
        raise ProblemError("the validation data are empty")
    return (
        keras.tree.map_structure(_joined, *[_arrays(x) for x, _ in batches]),
        keras.tree.map_structure(_joined, *[_arrays(y) for _, y in batches]),
    )


def _batches(given: Any) -> Iterable[Any]:
    if isinstance(given, keras.utils.PyDataset):
        return (given[i] for i in range(given.num_batches))
    batches: Iterator[Any] = iter(given)
    return batches


def _arrays(given: Any) -> Any:
    return keras.tree.map_structure(lambda each: keras.ops.convert_to_numpy(each), given)


def _joined(*parts: Any) -> Any:
    return np.concatenate(parts)
