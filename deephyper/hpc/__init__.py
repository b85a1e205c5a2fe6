"""Searches in jobs of a batch scheduler, whatever submits them: what to search, and when to end."""
