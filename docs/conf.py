"""Sphinx's settings: the site is made of these pages, of docstrings, and of the programs' own help.

``sphinx-build -W -b html docs docs/_build`` makes it. The pages are plain Markdown, which is read
on the repository's web page too; all that the site adds to them is in ``_site``.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from _site import GENERATED, api, commands, links, navigation  # noqa: E402

from deephyper.version import __version__  # noqa: E402

project = "deephyper"
author = "The DeepHyper founders"
copyright = "The DeepHyper founders"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "_site"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4

autodoc_mock_imports = list(api.NOT_NEEDED)
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 80
default_role = "py:obj"
smartquotes_action = "D"

html_theme = "furo"
html_title = "deephyper"
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"priority": 900})]  # after the options that it changes
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": False}

# Prompts and what is printed are not copied.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

(HERE / GENERATED).mkdir(exist_ok=True)


def setup(app: object) -> None:
    """Have the pages that are made, and what leads to them."""
    for part in (api, commands, links, navigation):
        part.setup(app)
