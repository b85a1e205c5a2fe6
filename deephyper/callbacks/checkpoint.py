"""The file in the directory of an evaluation from which its training is continued."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path
from typing import Any

from deephyper.errors import ResultsError, SettingsError
from deephyper.evaluator.current import claim_file
from deephyper.safe_files import open_partial, open_to_read, remove_partial


def checked_name(name: str) -> str:
    """Return the name that a user gave to a training.

    Raises:
        SettingsError: if it can't be the name of a file.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]{0,99}", name):
        raise SettingsError(f"name is {name!r}; give letters, digits, '_', '-' and '.'")
    return name


class Checkpoint:
    """The state of one training, as one file that is there as a whole or not at all.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_training(cls, name: str) -> Checkpoint | None:
        """Return the checkpoint of a training of the running evaluation; None outside a search.

        Raises:
            SettingsError: if another training of this evaluation has had the name: the one would
                be continued from the state of the other.
        """
        path = claim_file(f"{name}.checkpoint")
        return None if path is None else cls(path)

    def load(self) -> Any:
        """Return the state that was saved last; None if there is none.

        Raises:
            ResultsError: if it can't be read.
        """
        remove_partial(self.path)
        try:
            with os.fdopen(open_to_read(self.path), "rb") as file:
                return pickle.load(file)
        except FileNotFoundError:
            return None
        except ResultsError:
            raise
        except Exception as error:  # pickle raises many kinds of them
            raise self.unusable(f"can't be read ({type(error).__name__}: {error})") from error

    def save(self, state: Any) -> None:
        """Replace the state."""
        fd, partial = open_partial(self.path)
        try:
            with os.fdopen(fd, "wb") as file:
                pickle.dump(state, file, protocol=5)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, self.path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def remove(self) -> None:
        """Remove the file, if it is there."""
        self.path.unlink(missing_ok=True)

    def unusable(self, why: str) -> ResultsError:
        """Return the error that says why a training can't be continued, and what to do."""
        return ResultsError(
            f"the checkpoint '{self.path}' {why}; remove it to have the training begin anew"
        )
