"""``python -m deephyper`` is ``deephyper``."""

import sys

from deephyper.core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
