"""The default engine: a Gaussian process made for asynchronous search."""
