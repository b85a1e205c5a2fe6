"""The asynchronous search loop, its record, and the searches that run on it."""
