"""The words of ``deephyper balsam-submit``, without a database."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deephyper.balsam.cli.submit import _new, balsam_submit, in_order


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


def test_options_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "job.yaml").write_text(
        "problem: my_task.Problem\nrun: run.py\ntime_minutes: 30\nqueue: debug\nnodes: 2\n"
        "job_mode: serial\nmax_evals: 7\nseed: 1\n"
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(sys, "path", [*sys.path])
    words = ["hps", "mine", "--config", "../job.yaml", "--seed", "2"]
    with balsam_submit.make_context("balsam-submit", words) as context:
        spec, launch = _new("mine", ("hps", "ambs"), context.params)
    assert (spec.problem, spec.run) == ("my_task.Problem", str(tmp_path / "run.py"))
    assert spec.options == {"--max-evals": "7", "--seed": "2"}
    assert spec.directory == str(tmp_path)
    assert (launch.minutes, launch.queue, launch.nodes, launch.job_mode) == (
        30,
        "debug",
        2,
        "serial",
    )
