"""The titles of axes in parallel coordinates, on screens of any width."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from deephyper.analytics import save_report
from tests.analytics.report.searches import write_rows
from tests.chromium import chromium

__all__ = ["chromium"]

pytestmark = pytest.mark.long

pytest.importorskip("playwright.sync_api")

NAMES = ("learning_rate", "activation", "batch_size", "momentum_of_optimizer", "dropout", "units")
TITLES = """() => {
  const view = [...Bokeh.index.roots].find(({model}) =>
    [...(model.below?.[0]?.major_label_overrides?.values() ?? [])].includes("objective"));
  const {major_label_orientation: angle, major_label_overrides: titles} = view.model.below[0];
  const context = document.createElement("canvas").getContext("2d");
  context.font = "12px system-ui, sans-serif";
  const {start, end} = view.model.x_range;
  const {inner_width: width} = view.model;
  return {
    angle, numbers: width * (end - titles.size + 1) / (end - start),
    places: [...titles].map(([at, text]) => width * (at - start) / (end - start)),
    widths: [...titles].map(([at, text]) => context.measureText(text).width),
  };
}"""


@pytest.mark.parametrize("number", [1, 2, 3, 6])
@pytest.mark.parametrize("width", [390, 700, 1280])
def test_no_title_is_printed_over_another(
    chromium: Any, tmp_path: Path, number: int, width: int
) -> None:
    rows = [[10 ** (-1 - i / 10), *(i * k % 7 for k in range(1, 7))] for i in range(20)]
    header = [*NAMES[:number], "objective"]
    results = write_rows(tmp_path / "results.csv", header, [row[: number + 1] for row in rows])
    save_report(results, tmp_path / "report.html")
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.set_default_timeout(120_000)
    page.goto((tmp_path / "report.html").resolve().as_uri())
    page.wait_for_selector("#parallel-plot[data-drawn]", state="attached")
    found = page.evaluate(TITLES)
    page.close()
    places, widths = found["places"], found["widths"]
    if found["angle"]:
        assert found["angle"] == pytest.approx(math.pi / 2)
        widths = [12.0] * len(places)  # they are upright, and as wide as a letter is high
    ends = [place + w / 2 for place, w in zip(places, widths, strict=True)]
    starts = [place - w / 2 for place, w in zip(places, widths, strict=True)]
    assert all(end < start for end, start in zip(ends[:-1], starts[1:], strict=True))
    assert (width, number, bool(found["angle"])) not in ((390, 6, False), (1280, 3, True))
    assert found["numbers"] >= 45
