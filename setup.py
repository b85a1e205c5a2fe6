"""The readme for a package index; everything else is declared in pyproject.toml.

There a link or a picture of README.md that leads into the repository would lead nowhere. So links
become the text that they show, and pictures what stands for them.
"""

import re
from pathlib import Path

from setuptools import setup

RELATIVE = r"!?\[([^\]]*)\]\((?![a-z]+:)[^)]*\)"


def long_description() -> str:
    """Return README.md without what only the repository has."""
    text = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"^" + r"!\[[^\]]*\]\((?![a-z]+:)[^)]*\)\n\n", "", text, flags=re.MULTILINE)
    return re.sub(RELATIVE, r"\1", text)


setup(long_description=long_description(), long_description_content_type="text/markdown")
