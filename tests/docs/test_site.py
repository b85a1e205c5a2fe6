"""The documentation's site: every page is in it, its references are whole, and it works."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chromium import (
    DESKTOP,
    PHONE,
    check_accessible,
    check_keyboard,
    check_layout,
    chromium,
    opened,
)
from tests.docs.typed_page import DOCS
from tests.test_public_names import PACKAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chromium"]

PAGES = {file.stem for file in DOCS.glob("*.md")} - {"index"}
SEEN = [
    "index",
    "start",
    "howto",
    "concepts",
    "_generated/api/deephyper.optimizer",
    "_generated/commands/deephyper-ask",
    "_generated/figures",
]
"""A page of each kind; axe-core takes some seconds for each, and minutes for the longest ones."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, made with warnings as errors."""
    for package in ("sphinx", "furo", "myst_parser", "sphinx_copybutton"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs the group 'docs': there is no {package}")
    made = tmp_path_factory.mktemp("site")
    words = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(made / "doctrees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, DOCS, made / "html"],
        capture_output=True,
        text=True,
        cwd=DOCS.parent,
    )
    assert done.returncode == 0, done.stderr
    return made / "html"


def test_the_index_leads_to_every_page() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\w+)\.md", index)) == PAGES


@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_public_name_is_in_the_reference_with_its_text(site: Path) -> None:
    inventory = {line.split()[0] for line in _objects(site) if line.split()[1].startswith("py:")}
    missing = []
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            home = getattr(thing, "__module__", package)
            places = {f"{each}.{name}" for each in (*PACKAGES, home)}
            if name not in ("__version__", "config_space") and not places & inventory:
                missing.append(f"{package}.{name}")
    assert missing == []
    page = (site / "_generated" / "api" / "deephyper.html").read_text(encoding="utf-8")
    assert "Return a pandas DataFrame with one row per evaluation" in page


def _objects(site: Path) -> list[str]:
    """Return the lines of the inventory, by which other sites refer to this one."""
    import zlib

    data = (site / "objects.inv").read_bytes()
    return zlib.decompress(data.split(b"\n", 4)[4]).decode().splitlines()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_links_between_pages_lead_to_their_headings(site: Path) -> None:
    pages = {file: file.read_text(encoding="utf-8") for file in site.rglob("*.html")}
    anchors = {file: set(re.findall(r'\bid="([^"]+)"', text)) for file, text in pages.items()}
    broken = []
    for file, text in pages.items():
        for target, anchor in re.findall(r'href="([^":#]*\.html)?#([^"]+)"', text):
            page = (file.parent / target).resolve() if target else file
            if anchor not in anchors.get(page, set()):
                broken.append(f"{file.name}: {target}#{anchor}")
    assert broken == []


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_fit_and_are_accessible(
    site: Path, chromium: Browser, size: dict[str, int], dark: bool
) -> None:
    for name in SEEN:
        with opened(chromium, (site / f"{name}.html").as_uri(), size, dark=dark) as page:
            check_layout(page)
            check_accessible(page)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_whole_of_it_fits_a_phone(site: Path, chromium: Browser) -> None:
    for file in sorted(site.rglob("*.html")):
        with opened(chromium, file.as_uri(), PHONE) as page:
            check_layout(page)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_search_works_from_the_disk(site: Path, chromium: Browser, size: dict[str, int]) -> None:
    url = (site / "search.html").as_uri() + "?q=stopper"
    with opened(chromium, url, size) as page:
        page.wait_for_selector("#search-results a:has-text('deephyper.stopper.Stopper')")
        page.wait_for_selector("#search-results a:has-text('Inside an evaluation')")
        check_layout(page)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_keyboard_alone_leads_to_a_page(site: Path, chromium: Browser) -> None:
    with opened(chromium, (site / "index.html").as_uri()) as page:
        check_keyboard(page, ".sidebar-search")
        page.keyboard.type("stopper")
        page.keyboard.press("Enter")
        page.wait_for_selector("#search-results li a")
        check_keyboard(page, "#search-results li a", presses=120)
        page.keyboard.press("Enter")
        page.wait_for_selector("article h1")
        assert "search.html" not in page.url
