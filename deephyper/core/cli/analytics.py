"""The program ``deephyper-analytics``: looks at what a search has written."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deephyper.core.cli.main import run_program


def main(args: Sequence[str] | None = None) -> int:
    """Run ``deephyper-analytics`` and return its exit status."""
    return run_program("deephyper-analytics", args)


if __name__ == "__main__":
    sys.exit(main())
