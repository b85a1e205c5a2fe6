"""Reports in a real Chromium: what a person sees and does, by mouse and by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deephyper.analytics import save_report
from deephyper.analytics.report.content import read_content
from deephyper.analytics.report.page import page_of
from deephyper.ask_tell.status import read_status
from deephyper.clock import Clock
from tests.analytics.report.searches import (
    all_failed,
    hostile,
    in_two_sessions,
    many,
    searched,
    write_rows,
)
from tests.chromium import chromium

__all__ = ["chromium"]

pytestmark = pytest.mark.long

pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

ATTEMPTS = 120
DESKTOP, PHONE = (1280, 800), (390, 844)
ROWS = "#evaluations tbody tr[data-row]"
NUMBER_SHOWN = "() => document.getElementById('chosen').textContent"


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Any:
    return chromium


class Opened:
    """A report in a tab; it fails at its end if anything was written to the console."""

    def __init__(self, browser: Any, file: Path, size: tuple[int, int], **settings: Any) -> None:
        viewport = {"width": size[0], "height": size[1]}
        self.context = browser.new_context(viewport=viewport, **settings)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.set_default_timeout(120_000)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._take)
        self.page.on("request", self._request)
        self.page.goto(file.resolve().as_uri())
        self.wait()

    def _take(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "blob:", "data:")):
            self.faults.append(request.url)

    def wait(self) -> None:
        self.page.wait_for_selector("html[data-ready=true]", state="attached")

    def show_all(self) -> None:
        """Scroll through the page, so that every chart is made."""
        height = self.page.evaluate("document.documentElement.scrollHeight")
        for y in range(0, height, 400):
            self.page.evaluate(f"scrollTo(0, {y})")
            self.page.wait_for_timeout(30)
        for plot in self.page.locator("section:not([hidden]) .plot:not([hidden])").all():
            plot.scroll_into_view_if_needed()
            plot.and_(self.page.locator("[data-drawn]")).wait_for(state="attached")

    def wait_for_charts(self) -> None:
        """Wait until every chart is drawn, though nobody scrolls to it."""
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('section:not([hidden]) .plot:not([hidden])')]"
            ".every((plot) => plot.dataset.drawn)"
        )

    def shown(self) -> str:
        return str(self.page.evaluate(NUMBER_SHOWN))

    def wait_for_chosen(self, text: str) -> None:
        self.page.wait_for_function(
            f"() => document.getElementById('chosen').textContent.includes({text!r})"
        )

    def bring_to_sight(self, plot: str) -> dict[str, float]:
        """Return where a chart is, when it can be clicked on."""
        self.page.evaluate(f"document.getElementById({plot!r}).scrollIntoView({{block: 'center'}})")
        self.page.locator(f"#{plot}[data-drawn]").wait_for(state="attached")
        box: dict[str, float] = self.page.locator(f"#{plot}").bounding_box()
        return box

    def drag_over(self, plot: str) -> None:
        """Drag over a part of a chart, until that has chosen something.

        A drag is lost on a page that is busy, as a person's is.
        """
        for _ in range(ATTEMPTS):
            box = self.bring_to_sight(plot)
            corners = [
                (box["x"] + across * box["width"], box["y"] + down * box["height"])
                for across, down in ((0.3, 0.15), (0.5, 0.4), (0.75, 0.7))
            ]
            self.page.mouse.move(*corners[0])
            self.page.mouse.down()
            self.page.mouse.move(*corners[1], steps=5)
            self.page.mouse.move(*corners[2], steps=5)
            self.page.mouse.up()
            self.pause(500)
            if self.shown().endswith(" evaluations chosen"):
                return
        pytest.fail(f"no drag over {plot} chose anything")

    def pause(self, milliseconds: int) -> None:
        """Wait in the page, until it has done what was asked for before."""
        self.page.evaluate(f"() => new Promise((done) => setTimeout(done, {milliseconds}))")

    def close(self) -> None:
        self.context.close()
        assert self.faults == []


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a report of each kind of search."""
    directory = tmp_path_factory.mktemp("reports")
    few = write_rows(directory / "few.csv", ["x", "objective"], [[i, i * i] for i in range(5)])
    none = write_rows(directory / "none.csv", ["x", "objective", "status"], [])
    searches = {
        "searched": searched(directory / "searched", 60),
        "minimized": searched(directory / "minimized", 20, direction="minimize"),
        "failed": all_failed(directory / "failed"),
        "hostile": hostile(directory / "hostile.csv"),
        "few": few,
        "none": none,
        "many": many(directory / "many.csv", 50_000),
    }
    found = {name: directory / f"{name}.html" for name in searches}
    for name, results in searches.items():
        save_report(results, found[name])
    return found


KINDS = ("searched", "minimized", "failed", "hostile", "few", "none", "many")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_every_report_fits_and_is_without_fault(
    browser: Any, reports: dict[str, Path], kind: str, size: tuple[int, int], scheme: str
) -> None:
    opened = Opened(browser, reports[kind], size, color_scheme=scheme)
    opened.show_all()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert opened.page.evaluate("document.documentElement.dataset.theme") == scheme
    assert opened.page.title().endswith("deephyper")
    if kind not in ("none", "failed"):
        opened.page.locator(ROWS).first.click()
        opened.page.locator("#picked").wait_for(state="visible")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    found = axe.Axe().run(opened.page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    opened.close()


def test_fifty_thousand_rows_are_few_elements(browser: Any, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["many"], DESKTOP)
    page = opened.page
    assert opened.shown() == "all 50,000 evaluations"
    assert page.locator(ROWS).count() < 100
    page.evaluate("document.getElementById('table-scroll').scrollTop = 1e9")
    page.wait_for_selector(f"{ROWS}[aria-rowindex='50001']", state="attached")
    assert page.locator(ROWS).count() < 100
    opened.close()


def test_rows_are_sorted_and_filtered(browser: Any, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["few"], DESKTOP)
    page = opened.page

    def column(number: int) -> list[str]:
        return [
            str(each) for each in page.locator(f"{ROWS} td:nth-child({number})").all_inner_texts()
        ]

    assert column(2) == ["16", "9", "4", "1", "0"]
    head = page.get_by_role("columnheader").nth(1)
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").click()
    assert column(2) == ["0", "1", "4", "9", "16"]
    assert head.get_attribute("aria-sort") == "ascending"
    page.get_by_label("Filter").fill("objective>=4 x!=3")
    opened.wait_for_chosen("2 of 5")
    assert column(2) == ["4", "16"]
    page.get_by_label("Filter").fill("loss>1")
    page.wait_for_function("() => document.getElementById('filter-error').textContent !== ''")
    assert "there is no column “loss”" in page.locator("#filter-error").inner_text()
    page.get_by_role("button", name="Show all").click()
    opened.wait_for_chosen("all 5")
    opened.close()


def test_what_is_chosen_in_a_chart_is_chosen_in_the_others(
    browser: Any, reports: dict[str, Path]
) -> None:
    opened = Opened(browser, reports["searched"], DESKTOP)
    page = opened.page
    for plot in ("history-plot", "slice-0", "parallel-plot", "busy-plot"):
        opened.drag_over(plot)
        number = int(opened.shown().split()[0])
        assert number < 60
        rows = page.locator("#evaluations").get_attribute("aria-rowcount")
        assert rows == str(number + 1)
        page.get_by_role("button", name="Show all").click()
        opened.wait_for_chosen("all 60")
    opened.close()


def test_a_click_on_a_row_and_on_a_point_picks_an_evaluation(
    browser: Any, reports: dict[str, Path]
) -> None:
    opened = Opened(browser, reports["searched"], DESKTOP)
    page = opened.page
    page.locator(ROWS).nth(2).click()
    panel = page.locator("#picked")
    panel.wait_for(state="visible")
    picked = page.locator(f"{ROWS}[aria-current=true]")
    assert picked.count() == 1
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    page.get_by_role("button", name="Show it in the charts").click()
    panel.wait_for(state="visible")
    assert "objective" in panel.inner_text()
    page.keyboard.press("Escape")
    box = opened.bring_to_sight("history-plot")
    for step in range(ATTEMPTS):
        x = box["x"] + (0.1 + 0.02 * (step % 40)) * box["width"]
        # Good objectives, of which there are the most, are at the upper edge.
        down = (0.07, 0.2, 0.5)[step // 40 % 3]
        page.mouse.click(x, box["y"] + down * box["height"])
        opened.pause(300)
        if panel.is_visible():
            break
    assert panel.is_visible()
    opened.close()


def test_the_evaluations_of_a_kind_of_failure_are_chosen(
    browser: Any, reports: dict[str, Path]
) -> None:
    opened = Opened(browser, reports["many"], DESKTOP)
    opened.page.get_by_role("button", name="Choose these evaluations").first.click()
    opened.wait_for_chosen("1,000 of 50,000 evaluations chosen")
    assert {*opened.page.locator(f"{ROWS} td:nth-child(1)").all_inner_texts()} == {"failed"}
    opened.close()


def test_everything_is_reached_by_the_keyboard(browser: Any, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["searched"], DESKTOP)
    page = opened.page
    seen = []
    for _ in range(80):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "() => document.activeElement.id || document.activeElement.textContent.trim()"
            )
        )
    for wanted in ("theme", "filter", "zoom", "drag", "download", "table-scroll"):
        assert wanted in seen
    assert "Copy the point" in seen
    assert {"status", "model", "rate"} <= {*seen}
    page.locator("#filter").focus()
    page.keyboard.type("status=finished")
    opened.wait_for_chosen(" chosen")
    page.get_by_role("columnheader").get_by_role("button", name="rate").focus()
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("rate")
    page.locator("#table-scroll").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#picked").wait_for(state="visible")
    assert page.locator(f"{ROWS}[aria-current=true]").get_attribute("aria-rowindex") == "3"
    opened.close()


def test_the_chosen_rows_are_downloaded(browser: Any, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["few"], DESKTOP)
    page = opened.page
    page.get_by_label("Filter").fill("x<2")
    opened.wait_for_chosen("2 of 5")
    with page.expect_download() as found:
        page.get_by_role("button", name="Download as CSV").click()
    text = Path(found.value.path()).read_text()
    assert text.splitlines() == ["status,objective,x", "finished,1,1", "finished,0,0"]
    opened.close()


def test_the_view_outlives_a_reload(browser: Any, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["searched"], DESKTOP, color_scheme="light")
    page = opened.page
    page.get_by_label("Filter").fill("status=finished")
    opened.wait_for_chosen(" chosen")
    before = opened.shown()
    page.get_by_label("Colors").select_option("dark")
    page.locator(ROWS).nth(1).click()
    page.evaluate("scrollTo(0, 900)")
    place = page.evaluate("scrollY")
    page.reload()
    opened.wait()
    assert opened.shown() == before
    assert page.locator("#filter").input_value() == "status=finished"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator("#picked").is_visible()
    page.wait_for_function(f"() => Math.abs(scrollY - {place}) < 5")
    opened.close()


def test_a_page_that_is_followed_loads_itself_again(browser: Any, tmp_path: Path) -> None:
    results = write_rows(tmp_path / "results.csv", ["x", "objective"], [[i, i] for i in range(5)])
    path = tmp_path / "report.html"
    path.write_bytes(page_of(read_content(results), follow=2.0))
    opened = Opened(browser, path, DESKTOP)
    page = opened.page
    page.get_by_label("Filter").fill("x<3")
    opened.wait_for_chosen("3 of 5")
    page.locator("h1").click()  # nothing is loaded again while somebody types
    write_rows(results, ["x", "objective"], [[i, i] for i in range(7)])
    save_report(results, path, force=True)
    opened.wait_for_chosen("3 of 7")
    assert page.locator("#filter").input_value() == "x<3"
    opened.close()


def test_a_page_that_nobody_follows_any_more_says_so(browser: Any, tmp_path: Path) -> None:
    results = write_rows(tmp_path / "results.csv", ["x", "objective"], [[i, i] for i in range(5)])
    path = tmp_path / "report.html"
    long_ago = Clock(now=lambda: 1e9)
    path.write_bytes(page_of(read_content(results, long_ago), follow=1.0))
    opened = Opened(browser, path, DESKTOP)
    assert "no longer kept fresh" in opened.page.locator("#notices").inner_text()
    opened.close()


def test_names_and_values_of_users_run_nothing(browser: Any, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["hostile"], DESKTOP)
    opened.show_all()
    opened.page.get_by_label("Filter").fill("</script>")
    opened.wait_for_chosen(" chosen")
    assert opened.page.title() == "hostile.csv · deephyper"
    assert opened.page.locator("img").count() == 0
    assert "\\u202e" in opened.page.locator("#run-body").first.inner_text()
    opened.close()


def test_the_counts_add_up_as_the_status_has_them(browser: Any, tmp_path: Path) -> None:
    in_two_sessions(tmp_path / "search")
    save_report(tmp_path / "search", tmp_path / "report.html")
    status = read_status(tmp_path / "search")
    assert (status.num_evaluations, status.num_paused) == (11, 3)
    opened = Opened(browser, tmp_path / "report.html", DESKTOP)
    card = opened.page.locator("#cards .card").first
    assert card.inner_text().splitlines() == [
        "Evaluations", "11 of 14", "10 finished, 1 failed; besides 3 paused",
    ]  # fmt: skip
    opened.close()


PAPER = 700
"""Pixels across the text on a sheet of paper."""
PICTURES = """() => [...document.querySelectorAll(".plot > .picture")].map((picture) => {
  const {data} = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height);
  const colors = new Set(new Uint32Array(data.buffer));
  return {colors: colors.size, right: picture.getBoundingClientRect().right};
})"""


@pytest.mark.parametrize("kind", ["searched", "many"])
def test_all_charts_and_the_first_rows_are_printed(
    browser: Any, reports: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    opened = Opened(browser, reports[kind], DESKTOP)
    page = opened.page
    opened.wait_for_charts()
    assert page.evaluate("scrollY") == 0
    plots = page.locator("section:not([hidden]) .plot:not([hidden])").count()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 900})
    page.wait_for_function("() => document.querySelector('.picture') !== null")
    pictures = page.evaluate(PICTURES)
    assert len(pictures) == plots >= 7
    assert all(each["colors"] > 5 and each["right"] <= PAPER for each in pictures)
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
    assert page.locator("#evaluations").bounding_box()["width"] <= PAPER
    number = {"searched": 60, "many": 50_000}[kind]
    assert page.locator(ROWS).count() == min(100, number)
    said = page.locator("#table-printed").inner_text()
    assert said == {
        "searched": "", "many": "The first 100 of them are printed, and 49,900 more are not.",
    }[kind]  # fmt: skip
    adjust = "(e) => getComputedStyle(e).printColorAdjust"
    assert page.locator(".bar .fill").first.evaluate(adjust) == "exact"
    page.emulate_media(media="screen")
    page.wait_for_function("() => document.querySelector('.picture') === null")
    assert page.locator(ROWS).count() < 60
    page.evaluate(
        "addEventListener('beforeprint', () => { window.printed = "
        "document.querySelectorAll('.plot > .picture').length; })"
    )
    page.pdf(path=tmp_path / "report.pdf")
    assert page.evaluate("window.printed") == plots
    opened.close()


def test_evaluations_without_a_line_are_told(browser: Any, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["many"], DESKTOP)
    opened.bring_to_sight("parallel-plot")
    note = opened.page.locator("#parallel-note")
    assert "5,000 that ended early and 1,000 that failed have none" in note.inner_text()
    opened.page.get_by_label("Filter").fill("status=finished")
    opened.wait_for_chosen(" chosen")
    opened.page.wait_for_function(
        "() => !document.getElementById('parallel-note').textContent.includes('have none')"
    )
    opened.close()


def test_a_button_without_use_looks_like_it(browser: Any, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["few"], DESKTOP)
    button = opened.page.get_by_role("button", name="Show all")
    look = "(e) => { const s = getComputedStyle(e); return [s.color, s.borderStyle, s.cursor]; }"
    assert button.is_disabled()
    disabled = button.evaluate(look)
    opened.page.get_by_label("Filter").fill("x<2")
    opened.wait_for_chosen("2 of 5")
    enabled = button.evaluate(look)
    assert all(a != b for a, b in zip(disabled, enabled, strict=True))
    opened.close()
