"""A view of a search in a terminal, from its files alone, while it runs and after."""
