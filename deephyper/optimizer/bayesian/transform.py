"""Objectives as the Gaussian process sees them: centered, scaled, and closer to normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deephyper.optimizer.arrays import Array

_TAIL = 2.0
"""Scaled objectives worse than minus this are compressed: how bad a bad point is says little."""
_HUGE = 1e150
"""Objectives that are larger are taken in a larger unit, so that their differences are finite."""
_FARTHEST = 1e50
"""Scaled objectives beyond this are taken for it, so that their powers have a variance."""
_EXPONENTS = np.linspace(-1.0, 3.0, 33)


@dataclass(frozen=True)
class Transform:
    """Scaling, compression of the bad tail, and a power transform.

    The power is that of Yeo and Johnson (2000), A new family of power transformations to improve
    normality or symmetry, Biometrika 87.

    Attributes:
        unit: of the objectives.
        center, scale: of the objectives in this unit.
        exponent: of the power; 1 leaves values as they are.
        mean, std: of what the power gives.
    """

    unit: float
    center: float
    scale: float
    exponent: float
    mean: float
    std: float

    @classmethod
    def fit(cls, objectives: Array) -> Transform:
        """Return the transform under which these objectives, shape (n,), are closest to normal."""
        unit = max(1.0, float(np.abs(objectives).max()) / _HUGE)
        y = np.asarray(objectives, dtype=float) / unit
        low, center, high = np.quantile(y, [0.25, 0.5, 0.75])
        scale = (high - low) / 1.35
        if not scale > 0.0:
            scale = float(y.std())
        if not (np.isfinite(scale) and scale > 1e-300):
            return cls(unit, float(center), 1.0, 1.0, 0.0, 1.0)
        z = _scaled(y, float(center), scale)
        powered = np.stack([yeo_johnson(z, e) for e in _EXPONENTS])
        variance = powered.var(axis=1)
        slope = (np.sign(z) * np.log1p(np.abs(z))).sum()
        likelihood = -0.5 * len(z) * np.log(variance + 1e-12) + (_EXPONENTS - 1.0) * slope
        # A pull towards 1, so that a handful of objectives doesn't ask for an extreme power.
        likelihood -= 0.5 * ((_EXPONENTS - 1.0) / 0.5) ** 2
        chosen = int(np.argmax(likelihood))
        std = float(np.sqrt(variance[chosen]))
        return cls(
            unit,
            float(center),
            float(scale),
            float(_EXPONENTS[chosen]),
            float(powered[chosen].mean()),
            std if std > 1e-12 else 1.0,
        )

    @property
    def typical(self) -> float:
        """A typical difference of objectives."""
        return self.scale * self.unit

    def __call__(self, objectives: Array) -> Array:
        """Return transformed objectives, increasing in the objectives."""
        z = _scaled(np.asarray(objectives, dtype=float) / self.unit, self.center, self.scale)
        return (yeo_johnson(z, self.exponent) - self.mean) / self.std

    def inverse(self, values: Array) -> Array:
        """Return the objectives of transformed ones."""
        z = inverse_yeo_johnson(np.asarray(values) * self.std + self.mean, self.exponent)
        z = np.where(z < -_TAIL, -_TAIL - np.expm1(np.minimum(-_TAIL - z, 700.0)), z)
        with np.errstate(over="ignore"):
            out: Array = (z * self.scale + self.center) * self.unit
        return out


def _scaled(y: Array, center: float, scale: float) -> Array:
    """Return objectives scaled, the bad tail compressed."""
    with np.errstate(over="ignore"):
        z = np.clip((y - center) / scale, -_FARTHEST, _FARTHEST)
    return np.where(z < -_TAIL, -_TAIL - np.log1p(np.maximum(-_TAIL - z, 0.0)), z)


def yeo_johnson(z: Array, exponent: float) -> Array:
    """Return the power transform, elementwise; increasing for every exponent."""
    up, down = np.log1p(np.maximum(z, 0.0)), np.log1p(np.maximum(-z, 0.0))
    a, b = exponent, 2.0 - exponent
    high = up if abs(a) < 1e-9 else np.expm1(a * up) / a
    low = -down if abs(b) < 1e-9 else -np.expm1(b * down) / b
    return np.where(z >= 0.0, high, low)


def inverse_yeo_johnson(v: Array, exponent: float) -> Array:
    """Return the value whose power is v; beyond the range of the power, the nearest end of it."""
    a, b = exponent, 2.0 - exponent
    v_up, v_down = np.maximum(v, 0.0), np.maximum(-v, 0.0)
    up = v_up if abs(a) < 1e-9 else np.log1p(np.maximum(a * v_up, -1.0 + 1e-12)) / a
    down = v_down if abs(b) < 1e-9 else np.log1p(np.maximum(b * v_down, -1.0 + 1e-12)) / b
    return np.where(v >= 0.0, np.expm1(np.minimum(up, 700.0)), -np.expm1(np.minimum(down, 700.0)))
