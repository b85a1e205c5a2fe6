"""The reference of Python: every public name of every public package, from its docstring."""

from __future__ import annotations

import ast
import importlib
import inspect
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.ext.autodoc.mock import mock  # type: ignore[attr-defined,unused-ignore]
from sphinx.pycode import ModuleAnalyzer

from _site import GENERATED

PACKAGES = (
    "deephyper",
    "deephyper.problem",
    "deephyper.space_file",
    "deephyper.evaluator",
    "deephyper.command",
    "deephyper.callbacks",
    "deephyper.stopper",
    "deephyper.ask_tell",
    "deephyper.optimizer",
    "deephyper.nas",
    "deephyper.analytics",
    "deephyper.analytics.plots",
)
NOT_NEEDED = (
    "keras",
    "lightgbm",
    "lightning",
    "pytorch_lightning",
    "torch",
    "transformers",
    "xgboost",
)
"""Libraries whose callbacks are described without them."""

OTHERS = {
    "deephyper.evaluator": {"deephyper.evaluator.current": ["CurrentEvaluation"]},
    "deephyper.analytics": {
        "deephyper.analytics.compare": [
            "compare",
            "Comparison",
            "Group",
            "Band",
            "Reached",
            "Difference",
        ],
        "deephyper.analytics.insight": ["insight", "Finding"],
        "deephyper.analytics.trajectory": ["read_trajectory", "Trajectory"],
    },
}
"""On the page of a package, what users take from a module of it, or only hold objects of."""

LEFT_OUT = ("__version__", "config_space")


def page_names() -> list[str]:
    return [*PACKAGES]


def names_of(package: ModuleType) -> list[str]:
    return [name for name in package.__all__ if name not in LEFT_OUT]


@cache
def homes() -> dict[str, str]:
    """Return where a public name is documented: in the first of the packages that have it."""
    found: dict[str, str] = {}
    with mock(NOT_NEEDED):
        for package in map(importlib.import_module, PACKAGES):
            for name in names_of(package):
                thing = getattr(package, name)
                home = f"{getattr(thing, '__module__', package.__name__)}.{name}"
                found.setdefault(home, f"{package.__name__}.{name}")
    return found


def entry(package: ModuleType, name: str) -> list[str]:
    """Return the directive for a name. That of a value has the text below its definition."""
    thing, path = getattr(package, name), f"{package.__name__}.{name}"
    if inspect.isclass(thing):
        bases = [] if thing.__bases__ == (object,) else ["   :show-inheritance:"]
        return [f".. autoclass:: {path}", "   :members:", *bases, ""]
    if inspect.isroutine(thing):
        return [f".. autofunction:: {path}", ""]
    analyzer = ModuleAnalyzer.for_module(defined_in(package, name))
    analyzer.analyze()
    text = analyzer.attr_docs[("", name)]
    head = [f".. py:data:: {name}", f"   :module: {package.__name__}", ""]
    return [*head, *(f"   {line}" for line in text), ""]


def defined_in(package: ModuleType, name: str) -> str:
    """Return the module that defines a name, by the imports that type checkers see."""
    for node in ast.walk(ast.parse(inspect.getsource(package))):
        if isinstance(node, ast.ImportFrom) and name in [each.name for each in node.names]:
            return defined_in(importlib.import_module(node.module or ""), name)
    return package.__name__


def page(name: str) -> str:
    package = importlib.import_module(name)
    public = set(homes().values())
    lines = [f"# {name}", "", "```{eval-rst}", f".. automodule:: {name}", "   :no-members:", ""]
    elsewhere = []
    with mock(NOT_NEEDED):
        for each in names_of(package):
            if f"{name}.{each}" in public:
                lines += entry(package, each)
            else:
                elsewhere.append(each)
    for module, names in OTHERS.get(name, {}).items():
        for each in names:
            lines += entry(importlib.import_module(module), each)
    lines.append("```")
    if elsewhere:
        also = ", ".join(f"{{py:obj}}`{each} <{homes_of(package, each)}>`" for each in elsewhere)
        lines += ["", f"Also here: {also}."]
    return "\n".join(lines) + "\n"


def homes_of(package: ModuleType, name: str) -> str:
    thing = getattr(package, name)
    return homes()[f"{getattr(thing, '__module__', package.__name__)}.{name}"]


def write(app: Any) -> None:
    directory = Path(app.srcdir) / GENERATED / "api"
    directory.mkdir(parents=True, exist_ok=True)
    for name in page_names():
        text = page(name)
        file = directory / f"{name}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def refer(app: Any, environment: Any, node: Any, shown: Any) -> Any:
    """Lead a reference by the module that defines a name to where the name is public."""
    target = node.get("reftarget", "")
    public = homes().get(target)
    if public is None or public == target:
        return None
    domain = environment.get_domain("py")
    return domain.resolve_xref(environment, node["refdoc"], app.builder, "obj", public, node, shown)


def setup(app: Any) -> None:
    app.connect("config-inited", lambda app, config: write(app))
    app.connect("missing-reference", refer)
