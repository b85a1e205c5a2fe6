"""All tasks: half of them to build with, half for the report."""

from __future__ import annotations

from benchmarks.optimizer import architectures, discrete, functions, live, rugged
from benchmarks.optimizer.functions import bbob
from benchmarks.optimizer.task import Task
from benchmarks.optimizer.tuning import TUNING, available

GROUPS = (
    "bbob",
    "tuning",
    "discrete",
    "hard",
    "rugged",
    "steps",
    "categories",
    "wide",
    "architectures",
)


def tasks(half: str | None = None, group: str | None = None) -> list[Task]:
    """The tasks of a half ("design" or "report") and a group; None for all.

    Tasks whose table hasn't been made are left out.
    """
    every = [
        # separable multimodal; a curved valley; many basins; a deceptive best basin; steps; flat
        bbob("design", 3, 4),
        bbob("design", 8, 6),
        bbob("design", 15, 5),
        bbob("design", 20, 5),
        bbob("design", 7, 8),
        bbob("design", 21, 3),
        bbob("design", 1, 20),
        bbob("design", 12, 10),
        bbob("report", 2, 4),
        bbob("report", 4, 5),
        bbob("report", 9, 5),
        bbob("report", 6, 10),
        bbob("report", 16, 3),
        bbob("report", 17, 6),
        bbob("report", 22, 2),
        bbob("report", 14, 20),
        *(tuning.task() for name, tuning in TUNING.items() if available(name)),
        discrete.categories("design", "discrete-cat8x4", (4,) * 8, pairs=8, triples=0),
        discrete.categories("design", "discrete-cat-wide", (12, 9, 7, 5, 3), pairs=4, triples=2),
        discrete.integers("design", "discrete-int6-cat3", 6, 32, 3, 4),
        discrete.categories("report", "discrete-cat10x3", (3,) * 10, pairs=10, triples=4),
        discrete.categories(
            "report", "discrete-cat-many", (24, 16, 6, 2, 2, 2), pairs=5, triples=1
        ),
        discrete.integers("report", "discrete-int10-cat2", 10, 16, 2, 3),
        functions.plain_hartmann("design"),
        functions.noisy_hartmann("report"),
        functions.failing_branin("design"),
        functions.failing_rosenbrock("report"),
        functions.forbidden_layers("design"),
        functions.forbidden_budget("report"),
        functions.noisy_ackley("design"),
        # many peaks: of a valley, of two funnels, scattered
        bbob("design", 19, 5, group="rugged"),
        bbob("design", 24, 4, group="rugged"),
        bbob("design", 21, 6, group="rugged"),
        rugged.peaks("design", "rugged-peaks4", 4, 40),
        rugged.ripples("design", "rugged-ripples5", 5),
        rugged.accuracy("design", "steps-accuracy50", 50),
        rugged.accuracy("design", "steps-accuracy150", 150),
        rugged.forest("design", "steps-forest", 10),
        live.neighbors("design"),
        live.ridge("design"),
        rugged.counts("design", "steps-counts", 5, 12),
        rugged.trap("design", "categories-trap4x3", (4, 3), 3, 0.22),
        rugged.trap("design", "categories-trap6x2x2", (6, 2, 2), 2, 0.18),
        rugged.trap("design", "categories-trap5", (5,), 5, 0.3),
        bbob("design", 8, 20, group="wide"),
        bbob("design", 20, 50, group="wide"),
        rugged.wide("design", "wide-mixed20", 20, 12),
        rugged.wide("design", "wide-mixed50", 50, 10),
        *architectures.architectures(),
    ]
    return [task for task in every if half in (None, task.half) and group in (None, task.group)]
