"""Settings of the optimizer: what isn't one of their values is told in a line."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from deephyper.errors import SettingsError
from deephyper.optimizer.settings import SkoptSettings

WRONG: dict[str, list[Any]] = {
    "surrogate_model": ["rf", "", None, 3, True, ["RF"], {}, np.array(["RF", "ET"])],
    "acq_func": ["UCB", None, 1, [], {"LCB"}],
    "liar_strategy": ["cl_median", None, 0, ("cl_min",)],
    "kappa": ["a", "1.96", None, -1, math.nan, math.inf, True, [1.0], 1j, np.array([1.0, 2.0])],
    "xi": ["a", None, -0.001, 10**400, math.nan, math.inf, False, {}],
    "n_jobs": ["2", 0, -2, 1.0, None, True, math.inf, [1]],
    "n_initial_points": [0, -1, "10", 2.5, True, [3], math.nan],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_wrong_value_is_told_with_what_to_give(name: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        SkoptSettings(**{name: value})
    message = str(caught.value)
    assert "\n" not in message
    assert repr(value) in message
    what = {"acq_func": "acquisition function"}.get(name, name)
    assert what in message or what.replace("_", " ") in message
    assert "; give " in message or "; choose one of " in message


def test_numbers_of_numpy_become_plain_ones_that_a_journal_can_hold() -> None:
    given: dict[str, Any] = {
        "kappa": np.float32(0.5),
        "xi": np.int64(1),
        "n_jobs": np.int32(-1),
        "n_initial_points": np.int64(7),
    }
    settings = SkoptSettings(**given)
    assert settings == SkoptSettings(kappa=0.5, xi=1.0, n_jobs=-1, n_initial_points=7)
    json.dumps(vars(settings))
