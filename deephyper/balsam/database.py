"""The active Balsam database: connecting, querying, and the apps that deephyper has in it."""

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
SEARCH_MODULE = "deephyper.balsam.submission.search_job"
"""The module that the app of a search runs; the app's name begins with it."""
_EVALUATION_MODULE = "deephyper.balsam.evaluation"
DATABASE_SECONDS = 600.0
"""The time to wait for a database that doesn't answer."""

_ORPHANED = "Left by an earlier session"
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def quietly_importing() -> Iterator[None]:
    """Undo what importing Balsam does to this process.

    It replaces the excepthook, logs everything and prints.

    Raises:
        MissingExtra: if Balsam isn't installed.
    """
    hook, level = sys.excepthook, logging.getLogger().level
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except ImportError as error:
        raise MissingExtra("Balsam", "balsam") from error
    finally:
        # Without a handler, what Balsam logs would be printed.
        logging.getLogger("balsam").addHandler(logging.NullHandler())
        sys.excepthook = hook
        logging.getLogger().setLevel(level)


def connect() -> Any:
    """Return the models of the active Balsam database (the module ``balsam.core.models``).

    Raises:
        EvaluatorError: if no database is active, or it doesn't answer.
        MissingExtra: if Balsam isn't installed.
    """
    path = os.environ.get("BALSAM_DB_PATH", "")
    if not path:
        raise EvaluatorError(
            "no Balsam database is active; activate one with: source balsamactivate PATH "
            "(deephyper balsam-init PATH creates one)"
        )
    if not Path(path, "server-info").is_file():
        raise EvaluatorError(
            f"BALSAM_DB_PATH is '{path}', which is not a Balsam database; activate one with: "
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


def search_app(models: Any) -> str:
    """Return the name of the app that runs a search, which is made if it doesn't exist."""
    return _app_of(models, SEARCH_MODULE, "A search of deephyper.")


def evaluation_app(models: Any) -> str:
    """Return the name of the app that runs an evaluation, which is made if it doesn't exist."""
    return _app_of(models, _EVALUATION_MODULE, "One evaluation of a search.")


def _app_of(models: Any, module: str, description: str) -> str:
    """Return the name of the app that runs a module in this environment."""
    executable = f"{shlex.quote(sys.executable)} -m {module}"
    # Environments that share a database each have their own.
    name = f"{module}-{sha256(executable.encode()).hexdigest()[:8]}"
    models.ApplicationDefinition.objects.get_or_create(
        name=name, defaults={"executable": executable, "description": description}
    )
    return name


def query(ask: Callable[[], T], wait: bool = True) -> T:
    """Query the database, which may be restarted meanwhile, also at another address.

    Args:
        ask: makes the query; called again as long as the database does not answer.
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
                    f"({reason}); restart it, then resume with: deephyper balsam-submit --resume"
                ) from error
            _log.warning("the Balsam database doesn't answer (%s); trying again", reason)
        time.sleep(pause)
        pause = min(2 * pause, 15.0)
        _reconnect()


def kill(models: Any, jobs: Any, message: str) -> int:
    """Mark the jobs of a Django query as killed, with one query; return how many."""
    return _set_state(models, jobs, "USER_KILLED", message)


def close_orphans(models: Any, orphans: Any, ended: Mapping[str, list[Any]]) -> None:
    """End the jobs of a Django query that an earlier session has left unfinished.

    Args:
        models: of the database.
        orphans: Django's query for the jobs.
        ended: keys of those that had ended, by the state that they get; the others are killed.
    """
    for state, keys in ended.items():
        if keys:
            _set_state(models, orphans.filter(pk__in=keys), state, _ORPHANED)
    kill(models, orphans, _ORPHANED)


def _set_state(models: Any, jobs: Any, state: str, message: str) -> int:
    """Bring the jobs of a Django query into a state, with one query; return how many."""
    from django.db.models import Value
    from django.db.models.functions import Concat

    line = Value(models.history_line(state, message))
    return int(jobs.update(state=state, state_history=Concat("state_history", line)))


def _reconnect() -> None:
    """Use the address that the database has now; Balsam starts it on another port each time."""
    from balsam.django_config.serverinfo import ServerInfo
    from django.db import connections

    with contextlib.suppress(OSError, ValueError):
        info = ServerInfo(os.environ["BALSAM_DB_PATH"])
        connections["default"].close()
        connections["default"].settings_dict.update(
            HOST=info.get("host", ""), PORT=info.get("port", "")
        )
