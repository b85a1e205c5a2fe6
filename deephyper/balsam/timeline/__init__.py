"""The evaluations of a workflow over time."""
