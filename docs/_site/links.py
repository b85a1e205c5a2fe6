"""Pages from outside of ``docs``, and links that lead out of it.

On the repository's web page ``../CONTRIBUTING.md`` is a file like any other. The site has a copy of
it; what it has no copy of, such as a directory of code, is text there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from _site import GENERATED

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
COPIED = {
    "CHANGELOG.md": "changes",
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "security",
    "benchmarks/RESULTS.md": "figures",
    "benchmarks/curves/README.md": "curves",
    "benchmarks/curves/RESULTS.md": "curves_figures",
    "benchmarks/optimizer/README.md": "optimizers",
    "benchmarks/optimizer/RESULTS.md": "optimizers_figures",
    "examples/README.md": "examples",
}
"""Files of the repository -> the names of their copies."""

PAGES = {f"{GENERATED}/{name}": file for file, name in COPIED.items()}


def copy(app: Any) -> None:
    for page, file in PAGES.items():
        written = DOCS / f"{page}.md"
        text = (ROOT / file).read_text(encoding="utf-8")
        if not written.exists() or written.read_text(encoding="utf-8") != text:
            written.write_text(text, encoding="utf-8")


def led(text: str, docname: str) -> str:
    """Return the page with its links as they are on the site.

    Args:
        text: the page as it is in the repository.
        docname: its name on the site.
    """
    original = PurePosixPath(PAGES.get(docname, f"docs/{docname}.md"))

    def link(match: re.Match[str]) -> str:
        shown, target, anchor = match[1], match[2], match[3] or ""
        file = os.path.normpath(original.parent / target)
        if file in COPIED:
            site = f"{GENERATED}/{COPIED[file]}.md"
        elif file.startswith("docs/"):
            site = file.removeprefix("docs/")
        elif shown.startswith("!") or not (ROOT / file).is_file():
            return f"{shown[1:-1]}"
        else:
            site = f"../{file}"
        return f"{shown}({os.path.relpath(site, PurePosixPath(docname).parent)}{anchor})"

    return re.sub(r"(!?\[[^\]]*\])\((?!\w+:|#)([^)#\s]+)(#[^)]*)?\)", link, text)


def rewrite(app: Any, docname: str, content: list[str]) -> None:
    if docname in PAGES or not docname.startswith(GENERATED):
        content[0] = led(content[0], docname)


def setup(app: Any) -> None:
    app.connect("config-inited", lambda app, config: copy(app))
    app.connect("source-read", rewrite, priority=400)
