"""The words of ``deephyper balsam-submit``, without a database."""

from __future__ import annotations

import pytest

from deephyper.balsam.cli.submit import in_order


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (("mine", None), ("mine", None)),
        (("mine", "random"), ("mine", "random")),
        (("random", "mine"), ("mine", "random")),
        (("ambs", "ambs-2"), ("ambs-2", "ambs")),
    ],
)
def test_the_search_may_come_before_its_workflow(
    words: tuple[str, str | None], meaning: tuple[str, str | None]
) -> None:
    assert in_order("hps", *words) == meaning
