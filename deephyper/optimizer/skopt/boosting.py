"""scikit-optimize's gradient boosted quantiles, made to work with today's scikit-learn and numpy.

As shipped in 0.10 the class isn't recognised as a regressor by scikit-learn 1.6 and later (its
bases stand in the wrong order), and its standard deviation calls a function that numpy 2.4 dropped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.utils import RegressorTags
from skopt.learning import GradientBoostingQuantileRegressor

_QUANTILES = (0.16, 0.5, 0.84)


class QuantileBoosting(GradientBoostingQuantileRegressor):
    """Median and spread by three boosted quantile regressions."""

    def __init__(
        self,
        quantiles: Any = None,
        base_estimator: Any = None,
        n_jobs: int = 1,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            quantiles=list(_QUANTILES) if quantiles is None else quantiles,
            base_estimator=(
                GradientBoostingRegressor(n_estimators=30, loss="quantile")
                if base_estimator is None
                else base_estimator
            ),
            n_jobs=n_jobs,
            random_state=random_state,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "regressor"
        tags.regressor_tags = RegressorTags()
        return tags

    def predict(self, X: Any, return_std: bool = False, return_quantiles: bool = False) -> Any:
        """Return the median of each row, shape (n,), and if asked half the gap of 16 and 84 %."""
        quantiles = np.stack([regressor.predict(X) for regressor in self.regressors_], axis=1)
        if return_quantiles:
            return quantiles
        low, median, high = quantiles.T
        return (median, (high - low) / 2.0) if return_std else median
