from __future__ import annotations

import re
from pathlib import Path

from deephyper.core.cli.plot import plot

DOCS = Path(__file__).parents[2] / "docs"


def test_every_kind_has_a_command_and_a_picture() -> None:
    text = (DOCS / "plots.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^deephyper-analytics plot (\w+) ", text, re.M)) == {*plot.commands}
    pictures = re.findall(r"!\[[^]]{20,}]\((images/\w+\.png)\)", text)
    assert [Path(each).stem for each in sorted(pictures)] == sorted(plot.commands)
    assert all((DOCS / each).read_bytes().startswith(b"\x89PNG") for each in pictures)
