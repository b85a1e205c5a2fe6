"""Submitting a search to a batch scheduler, and running it there."""
