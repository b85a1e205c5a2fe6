"""Evaluations on Ray: the cluster and its nodes, the workers on them, the evaluator."""

from __future__ import annotations

from deephyper.evaluator.ray.evaluator import RayEvaluator

__all__ = ["RayEvaluator"]
