"""The importance of hyperparameters by functional analysis of variance.

- ``importance``: the question and its answer
- ``table``: the answer for people, and as rows
- ``shares``: shares of variance and their errors
- ``sample``: evaluations as a sample of the whole space
- ``process``, ``dimension``: the model
"""
