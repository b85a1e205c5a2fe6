"""Journals as accidents, editors and strangers leave them, from a fixed seed each."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

Damage = Callable[[random.Random, list[bytes]], bytes]

# What a field may hold instead of what belongs there, as it stands in the file.
VALUES = [
    "NaN", "Infinity", "-Infinity", "1e999", "-1", "0", "1", "1.5", "true", "false", "null", '""',
    '"0"', '"nan"', '"F_"', '"0,97"', '"-3"', '"007"', '"1e3"', '"\\ud800"', '"a\\nb"',
    '"\\u001b[31m"', "[]", "{}", "[1]", '{"x": 1}', '{"x": NaN}', "9" * 30, "9" * 5000,
    "[" * 70 + "]" * 70, "[" * 100_000, '"' + "x" * 100_000 + '"', "'x'", "nan", "01", "",
    "999999999999999999", '"999999999999999999"', "1e-400", '"../../x"', '"\\u0663"',
]  # fmt: skip


def damaged(seed: int, lines: list[bytes]) -> bytes:
    """Return a journal with one damage, or sometimes with several."""
    chance = random.Random(seed)
    data = b"".join(lines)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        data = chance.choice(DAMAGES)(chance, data.splitlines(keepends=True) or [b""])
    return data


def _cut(chance: random.Random, lines: list[bytes]) -> bytes:
    data = b"".join(lines)
    return data[: chance.randrange(len(data) + 1)]


def _lose_the_beginning(chance: random.Random, lines: list[bytes]) -> bytes:
    data = b"".join(lines)
    return data[chance.randrange(len(data) + 1) :]


def _lose_lines(chance: random.Random, lines: list[bytes]) -> bytes:
    first = chance.randrange(len(lines))
    return b"".join(lines[:first] + lines[first + chance.randint(1, 4) :])


def _repeat_a_line(chance: random.Random, lines: list[bytes]) -> bytes:
    at, where = chance.randrange(len(lines)), chance.randrange(len(lines) + 1)
    return b"".join([*lines[:where], lines[at], *lines[where:]])


def _repeat_lines(chance: random.Random, lines: list[bytes]) -> bytes:
    first = chance.randrange(len(lines))
    return b"".join(lines + lines[first : first + chance.randint(1, len(lines))])


def _append_to_itself(chance: random.Random, lines: list[bytes]) -> bytes:
    return b"".join(lines + lines[chance.choice([0, 1]) :])


def _append_renumbered(chance: random.Random, lines: list[bytes]) -> bytes:
    """The same evaluations again, as new ones."""
    again = []
    for line in lines[1:]:
        event = _parsed(line)
        if _has_id(event):
            event["id"] = str(int(event["id"]) + 1000)
            again.append(_written(event))
    return b"".join(lines + again)


def _swap(chance: random.Random, lines: list[bytes]) -> bytes:
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def _shuffle(chance: random.Random, lines: list[bytes]) -> bytes:
    first = chance.randrange(len(lines))
    part = lines[first : first + 8]
    chance.shuffle(part)
    return b"".join(lines[:first] + part + lines[first + 8 :])


def _flip_a_bit(chance: random.Random, lines: list[bytes]) -> bytes:
    data = bytearray(b"".join(lines))
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _overwrite(chance: random.Random, lines: list[bytes]) -> bytes:
    data = b"".join(lines)
    at = chance.randrange(len(data) + 1)
    junk = chance.choice([b"\0", b"\xff", b"\n", b'"', b"{", b" ", b"\r"]) * chance.randint(1, 40)
    return data[:at] + junk + data[at + chance.choice([0, len(junk)]) :]


def _change_a_field(chance: random.Random, lines: list[bytes]) -> bytes:
    at = chance.randrange(len(lines))
    event = _parsed(lines[at])
    if event:
        field = chance.choice([*event])
        value = chance.choice(VALUES)
        fields = {k: value if k == field else json.dumps(v) for k, v in event.items()}
        lines[at] = _written_raw(fields)
    return b"".join(lines)


def _change_the_fields(chance: random.Random, lines: list[bytes]) -> bytes:
    at = chance.randrange(len(lines))
    event = _parsed(lines[at])
    if event:
        field = chance.choice([*event])
        change = chance.randrange(3)
        if change == 0:
            del event[field]
        elif change == 1:
            event[chance.choice(["comment", "objective", "retry", "step", "metrics"])] = event[
                field
            ]
        else:
            event[field] = chance.choice([*_parsed(chance.choice(lines)).values()] or [None])
        lines[at] = _written(event)
    return b"".join(lines)


def _lose_an_evaluation(chance: random.Random, lines: list[bytes]) -> bytes:
    ids = [event["id"] for line in lines if "id" in (event := _parsed(line))]
    gone = chance.choice(ids or [None])
    return b"".join(line for line in lines if gone is None or _parsed(line).get("id") != gone)


def _leave_gaps_in_the_ids(chance: random.Random, lines: list[bytes]) -> bytes:
    factor, more = chance.randint(1, 3), chance.choice([0, 1, 7, 10**6, 10**12])
    changed = []
    for line in lines:
        event = _parsed(line)
        if _has_id(event):
            event["id"] = str(int(event["id"]) * factor + more)
            line = _written(event)
        changed.append(line)
    return b"".join(changed)


def _save_with_an_editor(chance: random.Random, lines: list[bytes]) -> bytes:
    data = b"".join(lines)
    if chance.random() < 0.5:
        data = data.replace(b"\n", b"\r\n")
    if chance.random() < 0.5:
        data = b"\xef\xbb\xbf" + data
    if chance.random() < 0.5:
        data += chance.choice([b"\n", b"\r\n", b"\n\n\n", b"  \n\t\n", b"   "])
    return data.rstrip(b"\n") if chance.random() < 0.3 else data


def _insert_blank_lines(chance: random.Random, lines: list[bytes]) -> bytes:
    lines.insert(chance.randrange(len(lines) + 1), chance.choice([b"\n", b"\r\n", b"   \n"]))
    return b"".join(lines)


def _join_two_lines(chance: random.Random, lines: list[bytes]) -> bytes:
    at = chance.randrange(len(lines))
    lines[at] = lines[at].rstrip(b"\n")
    return b"".join(lines)


def _encode_otherwise(chance: random.Random, lines: list[bytes]) -> bytes:
    text = b"".join(lines).decode("utf-8", "replace")
    return text.encode(chance.choice(["utf-16", "utf-16-le", "utf-32", "utf-7"]))


DAMAGES: list[Damage] = [
    _cut, _lose_the_beginning, _lose_lines, _repeat_a_line, _repeat_lines, _append_to_itself,
    _append_renumbered, _swap, _shuffle, _flip_a_bit, _flip_a_bit, _overwrite, _change_a_field,
    _change_a_field, _change_a_field, _change_the_fields, _change_the_fields, _lose_an_evaluation,
    _leave_gaps_in_the_ids, _save_with_an_editor, _insert_blank_lines, _join_two_lines,
    _encode_otherwise,
]  # fmt: skip


def _parsed(line: bytes) -> dict[str, Any]:
    """The event of a line; empty if it is damaged already."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _has_id(event: dict[str, Any]) -> bool:
    return isinstance(event.get("id"), str) and event["id"].isdecimal()


def _written(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode() + b"\n"


def _written_raw(fields: dict[str, str]) -> bytes:
    text = ", ".join(f"{json.dumps(name)}: {value}" for name, value in fields.items())
    return f"{{{text}}}\n".encode("utf-8", "surrogatepass")
