from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_on_reports_has_its_pictures() -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    pictures = re.findall(r"images/report[\w-]*\.png", text)
    assert len({*pictures}) == 3
    for each in pictures:
        data = (DOCS / each).read_bytes()
        assert data.startswith(b"\x89PNG")
        assert len(data) < 200_000


def test_links_of_the_page_lead_to_pages() -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    pages = re.findall(r"]\((\w+\.md)(?:#[\w-]+)?\)", text)
    assert pages
    assert all((DOCS / each).is_file() for each in pages)
