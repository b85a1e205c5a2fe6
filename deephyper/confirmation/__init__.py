"""Confirmations: the best points of a search, evaluated again several times and ranked anew."""

DEFAULT_K = 5
"""Points that are evaluated."""
DEFAULT_REPEATS = 3
"""Evaluations of each."""
DEFAULT_LOG_DIR = "confirm"
"""The directory for the files."""
