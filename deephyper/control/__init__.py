"""Requests of its user to a search that runs: how they reach it, and what it makes of them."""
