"""The HTML of a report: the files in ``page``, the library of charts, and the content, in one.

Its policy lets the page load nothing, from the network or elsewhere, and run no script but its own,
which are known by their digests.
"""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.util
import json
from pathlib import Path
from typing import Any

from deephyper.analytics.report.content import Content
from deephyper.errors import MissingExtra

MARK = b"<!doctype html>\n<!-- A report of deephyper-analytics -->\n"
"""The beginning of every report."""

_FILES = Path(__file__).parent / "page"
_SCRIPTS = (
    "format.js",
    "data.js",
    "filter.js",
    "view.js",
    "charts.js",
    "history.js",
    "slices.js",
    "parallel.js",
    "curves.js",
    "workers.js",
    "table.js",
    "sections.js",
    "print.js",
    "main.js",
)
_LIBRARY = ("bokeh.min.js", "bokeh-api.min.js")


def page_of(content: Content, follow: float | None = None) -> bytes:
    """Return a report.

    Args:
        content: what it shows.
        follow: seconds after which the page loads itself again; None for never.

    Raises:
        MissingExtra: if Bokeh isn't installed.
    """
    scripts = [*map(_library, _LIBRARY), _own_script()]
    parts = {
        "policy": _policy(scripts),
        "title": html.escape(f"{content.values['name']} · deephyper"),
        "style": (_FILES / "report.css").read_text(encoding="utf-8"),
        "values": as_json({**content.values, "follow": follow}),
        "arrays": content.arrays.text(),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    text = (_FILES / "report.html").read_text(encoding="utf-8")
    # What is put in holds no place of another part, because each part is split off first.
    pieces = []
    for name, part in parts.items():
        before, mark, text = text.partition(f"{{{{{name}}}}}")
        assert mark, name
        pieces += [before, part]
    return MARK + "".join([*pieces, text]).encode("utf-8")


def as_json(values: Any) -> str:
    """Return values as JSON that may stand in HTML: nothing in it ends or begins an element."""
    text = json.dumps(values, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def check_library() -> None:
    """Check that the library of charts is there.

    Raises:
        MissingExtra: if Bokeh isn't installed.
    """
    for name in _LIBRARY:
        if not _library_file(name).is_file():
            raise MissingExtra("Bokeh", "report")


def _library_file(name: str) -> Path:
    # Importing Bokeh would take longer than all else, and its scripts alone are needed.
    try:
        spec = importlib.util.find_spec("bokeh")
    except ImportError as error:
        raise MissingExtra("Bokeh", "report") from error
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("Bokeh", "report")
    return Path(spec.submodule_search_locations[0], "server", "static", "js", name)


def _library(name: str) -> str:
    try:
        text = _library_file(name).read_text(encoding="utf-8")
    except OSError as error:
        raise MissingExtra("Bokeh", "report") from error
    return _in_html(text)


def _own_script() -> str:
    files = [(_FILES / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    return _in_html('"use strict";\n{\n' + "\n".join(files) + "\n}\n")


def _in_html(script: str) -> str:
    """Return a script in which nothing ends its element."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _policy(scripts: list[str]) -> str:
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )
