"""What the place reads that hosts the repository, and those who cite it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deephyper import __version__

ROOT = Path(__file__).parents[2]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert citation["authors"] == [{"name": "The DeepHyper founders"}]
    assert {"cff-version", "message", "title"} <= set(citation)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_can_be_filled_in(form: Path) -> None:
    described = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(described)
    ids = [field["id"] for field in described["body"]]
    assert len({*ids}) == len(ids)
    for field in described["body"]:
        assert field["type"] in ("checkboxes", "dropdown", "input", "textarea")
        assert field["attributes"]["label"]
