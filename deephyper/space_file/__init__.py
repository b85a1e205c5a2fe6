"""Search spaces in files and on command lines, in our own form and in those of other tools.

``read_space("space.yaml").problem`` is the problem that the file describes. The forms of other
tools are recognized by what is in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.space_file.reading import read_space
    from deephyper.space_file.space_file import SpaceFile
    from deephyper.space_file.writing import as_config_space, as_json, as_yaml, schema

__all__ = ["SpaceFile", "as_config_space", "as_json", "as_yaml", "read_space", "schema"]


__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "SpaceFile": "deephyper.space_file.space_file",
        "as_config_space": "deephyper.space_file.writing",
        "as_json": "deephyper.space_file.writing",
        "as_yaml": "deephyper.space_file.writing",
        "read_space": "deephyper.space_file.reading",
        "schema": "deephyper.space_file.writing",
    },
)
