"""The tree of pages: the headings of ``index.md`` are its captions, their links its pages."""

from __future__ import annotations

import re
from typing import Any

from _site import GENERATED, api, commands

BELOW = {
    "cli": [f"{GENERATED}/commands/{name}" for name in commands.page_names()],
    "api": [f"{GENERATED}/api/{name}" for name in api.page_names()],
}
"""Pages that are made, below the page that leads to them."""


def toctree(pages: list[str], caption: str = "") -> str:
    title = f":caption: {caption}\n" if caption else ""
    return "\n```{toctree}\n:hidden:\n" + title + "\n" + "\n".join(pages) + "\n```\n"


def of_index(text: str) -> str:
    """Return a tree for each heading that has links; a page is in the first that links to it."""
    trees, seen = [], set[str]()
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        caption = section.partition("\n")[0]
        pages = []
        for page in re.findall(r"\]\(([^)#:]+)\.md(?:#[^)]*)?\)", section):
            if page not in seen:
                seen.add(page)
                pages.append(page)
        if pages:
            trees.append(toctree(pages, caption))
    return "".join(trees)


def add(app: Any, docname: str, content: list[str]) -> None:
    """Append the trees, after links to other parts of the repository have become pages."""
    if docname == "index":
        content[0] += of_index(content[0])
    elif docname in BELOW:
        content[0] += toctree(BELOW[docname])


def setup(app: Any) -> None:
    app.connect("source-read", add, priority=600)
