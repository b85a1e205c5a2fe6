"""Runs in the interpreter of a peer: its optimizer, asked and told through a pipe.

Nothing of ours is imported here; `remote.py` starts this file with the name of a room beside it and
speaks with it in JSON, one object a line, each answered by one:

    {"space": ..., "seed": 1}                       -> {"version": "0.13.2"}
    {"ask": true}                                   -> {"id": 0, "point": {...}}
    {"tell": 0, "objective": 1.5 or "F_reason"}     -> {"told": 0}

A room has DISTRIBUTION, the package's name in the registry, and Search(space, seed, directory) with
ask() and tell(number, objective), which maximizes. `number` counts the points from 0 in the order
they were asked for. What goes wrong is answered by {"error": "..."}; the end of the input ends the
process.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO


def main(name: str) -> None:
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as directory:
        conversation = _converse(sys.stdin, name, directory)
        while True:
            try:
                answer = next(conversation)
            except StopIteration:
                return
            except Exception as error:
                _send(answers, {"error": f"{type(error).__name__}: {error}"})
                raise
            _send(answers, answer)


def _converse(lines: TextIO, name: str, directory: str) -> Iterator[dict[str, Any]]:
    room = runpy.run_path(str(Path(__file__).with_name(f"{name}.py")))
    first = json.loads(lines.readline())
    search = room["Search"](first["space"], first["seed"], directory)
    yield {"version": metadata.version(room["DISTRIBUTION"])}
    asked = 0
    for line in lines:
        message = json.loads(line)
        if "ask" in message:
            yield {"id": asked, "point": search.ask()}
            asked += 1
        else:
            search.tell(message["tell"], message["objective"])
            yield {"told": message["tell"]}


def _send(answers: TextIO, answer: dict[str, Any]) -> None:
    # numpy's scalars have item()
    answers.write(json.dumps(answer, default=lambda value: value.item()) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
