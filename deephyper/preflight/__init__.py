"""A look ahead: what a search will need and take, found out before it begins."""

MOST_RUNS = 3
"""Evaluations of a check: one, one more with its seed, and one with another seed."""
