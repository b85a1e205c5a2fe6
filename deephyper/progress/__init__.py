"""The progress of a running search, for whoever looks: a terminal, a notebook, a file."""
