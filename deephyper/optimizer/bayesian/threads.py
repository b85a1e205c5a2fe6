"""One BLAS thread while the optimizer computes: at these sizes more of them only wait."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_blas_thread() -> AbstractContextManager[Any]:
    """Limit BLAS to one thread until the context ends; the caller's own setting comes back."""
    context: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return context


@cache
def _controller() -> ThreadpoolController:
    # Made once: looking for the loaded libraries takes longer than an ask.
    return ThreadpoolController()
