"""Pages in a real Chromium without a window, and what must hold of each.

A test file that needs it has ``from tests.chromium import chromium``; as root on Debian the fixture
installs the browser, and elsewhere it skips the tests where there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def program() -> str:
    """Return the path of a Chromium, installed if there is none and that is possible."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", *words, "-y"], env=environment, capture_output=True, check=False
            )
        found = shutil.which("chromium")
    if found is None:
        pytest.skip("there is no Chromium, and only root can install it by apt-get")
    return found


@pytest.fixture(scope="module")  # two at a time in one process are refused
def chromium() -> Iterator[Browser]:
    """A running browser."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the group 'browser'")
    pytest.importorskip("axe_playwright_python", reason="needs the group 'browser'")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, url: str, size: dict[str, int] = DESKTOP, *, dark: bool = False
) -> Iterator[Page]:
    """Open a page; at the end its console must have had no error, and nothing may have failed.

    Args:
        browser: the fixture's.
        url: of the page, ``file://`` too.
        size: of the window, in pixels.
        dark: whether its reader prefers dark pages.
    """
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda it: errors.extend([it.text] if it.type == "error" else []))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    try:
        page.goto(url)
        yield page
    finally:
        context.close()
    assert errors == []


def check_layout(page: Page) -> None:
    """Check that the page as a whole has nothing to the right of the window."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{page.url} is {wide} pixels wider than the window"


def check_accessible(page: Page) -> None:
    """Check that axe-core finds nothing serious or critical.

    It would read style sheets again, which a page from the disk may not: ``preload``.
    """
    from axe_playwright_python.sync_playwright import Axe

    violations: list[dict[str, Any]] = (
        Axe().run(page, options={"preload": False}).response["violations"]
    )
    found = [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in violations
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
    assert found == [], page.url


def check_keyboard(page: Page, wanted: str, presses: int = 60) -> None:
    """Check that the tabulator key comes to an element, and that one sees where it is.

    Args:
        page: the page.
        wanted: a selector of the element.
        presses: of the key, at most.
    """
    for _ in range(presses):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            style = "getComputedStyle(document.activeElement)"
            assert page.evaluate(f"{style}.outlineStyle + {style}.boxShadow") != "nonenone"
            return
    raise AssertionError(f"{wanted} is not reached by {presses} presses of Tab")
