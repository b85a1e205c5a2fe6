"""The kinds of sample code that ``deephyper new-problem`` writes."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from deephyper.core.cli.new_files import TEMPLATES
from deephyper.errors import MissingExtra

_COMMON_DIRECTORY = TEMPLATES / "hps" / "common"
_COMMON = ("__init__.py", "load_data.py", "problem.py")


@dataclass(frozen=True)
class Template:
    """Sample code for a problem.

    Attributes:
        name: as the command line names it.
        what: the library that it needs, as people call it.
        module: the module that has to be there for it; empty if nothing has to.
        extra: the extra of deephyper that brings it.
        own: files that it has instead of, or beside, those that all have.
        directory: where these are, among the templates; empty for that of a hyperparameter search.
    """

    name: str
    what: str
    module: str = ""
    extra: str = ""
    own: tuple[str, ...] = ("model_run.py",)
    directory: str = ""

    @property
    def is_usable(self) -> bool:
        """True if what it needs is installed."""
        return not self.module or importlib.util.find_spec(self.module) is not None

    @property
    def files(self) -> dict[str, str]:
        """The text of each file, by its name."""
        common = {name: _COMMON_DIRECTORY / name for name in _COMMON}
        directory = TEMPLATES / (self.directory or f"hps/{self.name}")
        paths = common | {name: directory / name for name in self.own}
        return {name: paths[name].read_text("utf-8") for name in sorted(paths)}

    def require(self) -> None:
        """Raise MissingExtra if what it needs isn't installed."""
        if not self.is_usable:
            raise MissingExtra(self.what, self.extra)


PROBLEM_TEMPLATES = {
    template.name: template
    for template in (
        Template("keras", "Keras", "keras", "tensorflow"),
        Template("sklearn", "scikit-learn"),
        Template("torch", "PyTorch", "torch", "torch"),
        Template("command", "a program", own=("model_run.py", "problem.py", "program.py")),
    )
}
NAS_TEMPLATE = Template(
    "keras", "Keras", "keras", "tensorflow", own=("problem.py", "search_space.py"), directory="nas"
)
PREFERRED = "keras"
FALLBACK = "sklearn"
