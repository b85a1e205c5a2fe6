"""scikit-optimize behind the same interface."""
