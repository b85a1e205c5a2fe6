"""The active Balsam database: reaching it, asking it, and the apps that deephyper has in it."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from deephyper.errors import EvaluatorError, MissingExtra

T = TypeVar("T")
DATABASE_SECONDS = 600.0
"""How long a database that doesn't answer is waited for."""

_LEFT = "Left by an earlier session"
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def quietly_importing() -> Iterator[None]:
    """Undo what importing Balsam does to the process: its excepthook, its logging of everything,
    and what it prints."""
    hook, level = sys.excepthook, logging.getLogger().level
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except ImportError as error:
        raise MissingExtra("Balsam", "balsam") from error
    finally:
        # What Balsam logs where nobody listens would be printed.
        logging.getLogger("balsam").addHandler(logging.NullHandler())
        sys.excepthook = hook
        logging.getLogger().setLevel(level)


def connect() -> Any:
    """The models of the active Balsam database (the module ``balsam.core.models``).

    Raises:
        EvaluatorError: if no database is active, or it doesn't answer.
        MissingExtra: if Balsam isn't installed.
    """
    path = os.environ.get("BALSAM_DB_PATH", "")
    if not path:
        raise EvaluatorError(
            "no Balsam database is active; activate one with: source balsamactivate PATH "
            "(deephyper balsam-init PATH makes one)"
        )
    if not Path(path, "server-info").is_file():
        raise EvaluatorError(
            f"BALSAM_DB_PATH is '{path}', which holds no Balsam database; activate one with: "
            "source balsamactivate PATH"
        )
    with quietly_importing():
        import balsam

        balsam.setup()
        from balsam.core import models
    from django.db import Error

    try:
        models.ApplicationDefinition.objects.exists()
    except Error as error:
        reason = " ".join(str(error).split())[:200]
        raise EvaluatorError(
            f"the Balsam database '{path}' can't be used ({reason}); start it with: source "
            f"balsamactivate {path}"
        ) from error
    return models


def app_of(models: Any, module: str, description: str) -> str:
    """The name of the Balsam app that runs a module in this environment, made if need be."""
    executable = f"{shlex.quote(sys.executable)} -m {module}"
    # Environments that share a database each have their own.
    name = f"{module}-{sha256(executable.encode()).hexdigest()[:8]}"
    models.ApplicationDefinition.objects.get_or_create(
        name=name, defaults={"executable": executable, "description": description}
    )
    return name


def evaluation_app(models: Any) -> str:
    return app_of(models, "deephyper.balsam.evaluation", "One evaluation of a search.")


def query(ask: Callable[[], T], wait: bool = True) -> T:
    """Ask the database, which may be restarted meanwhile, at another address too.

    Args:
        ask: called again as long as the database does not answer.
        wait: False lets the error of the first attempt through.

    Raises:
        EvaluatorError: if it has not answered for a long time.
    """
    from django.db import InterfaceError, OperationalError

    until = time.monotonic() + DATABASE_SECONDS
    pause = 1.0
    while True:
        try:
            return ask()
        except (InterfaceError, OperationalError) as error:
            reason = " ".join(str(error).split())[:200]
            if not wait:
                raise
            if time.monotonic() + pause > until:
                raise EvaluatorError(
                    f"the Balsam database has not answered for {DATABASE_SECONDS:.0f} s "
                    f"({reason}); restart it, then go on with: deephyper balsam-submit --resume"
                ) from error
            _log.warning("the Balsam database doesn't answer (%s); trying again", reason)
        time.sleep(pause)
        pause = min(2 * pause, 15.0)
        _reconnect()


def kill(models: Any, jobs: Any, message: str) -> int:
    """Mark the jobs of a Django query as killed, with one query; return how many."""
    return settle(models, jobs, "USER_KILLED", message)


def settle_left(models: Any, left: Any, ended: Mapping[str, list[Any]]) -> None:
    """End the jobs of a Django query that an earlier session has left.

    Args:
        ended: keys of those that had ended, by the state that they get; the others are killed.
    """
    for state, keys in ended.items():
        if keys:
            settle(models, left.filter(pk__in=keys), state, _LEFT)
    kill(models, left, _LEFT)


def settle(models: Any, jobs: Any, state: str, message: str) -> int:
    """Bring the jobs of a Django query into a state, with one query; return how many."""
    from django.db.models import Value
    from django.db.models.functions import Concat

    line = Value(models.history_line(state, message))
    return int(jobs.update(state=state, state_history=Concat("state_history", line)))


def _reconnect() -> None:
    """Take the address that the database has now; Balsam starts it at another port each time."""
    from balsam.django_config.serverinfo import ServerInfo
    from django.db import connections

    with contextlib.suppress(OSError, ValueError):
        info = ServerInfo(os.environ["BALSAM_DB_PATH"])
        connections["default"].close()
        connections["default"].settings_dict.update(
            HOST=info.get("host", ""), PORT=info.get("port", "")
        )
