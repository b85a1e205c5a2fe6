"""The README's example is a search that runs; its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples/README.md"]


def test_the_example_is_searched(tmp_path: Path) -> None:
    example = re.search(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert example is not None
    (tmp_path / "search.py").write_text(example[1])
    line = re.search(r"^deephyper (hps ambs .*)$", README, re.MULTILINE)
    assert line is not None
    words = line[1].replace("--max-evals 100", "--max-evals 6").split()
    program = "import sys; from deephyper.core.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Best objective: 0.9" in done.stdout
    assert len((tmp_path / "results.csv").read_text().splitlines()) == 7


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [
        link
        for link in links
        if not link.startswith(("http://", "https://")) and not (page.parent / link).exists()
    ]
    assert not missing
