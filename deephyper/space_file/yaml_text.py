"""YAML as of version 1.2: ``on`` is text, 010 is ten, 1e-4 is a number, a key stands once."""

from __future__ import annotations

from typing import Any

import yaml

from deephyper.cell import encodable
from deephyper.errors import ProblemError
from deephyper.printable import printable
from deephyper.space_file.scalars import scalar

Path = tuple[str | int, ...]
"""Keys and positions that lead to a value."""
Places = dict[Path, tuple[int, int]]
"""Path -> line and column, both from 1."""

_MOST_VALUES = 100_000
_STR = "tag:yaml.org,2002:str"
_LISTS = ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:python/tuple")
"""Tags of lists; ConfigSpace writes some as tuples."""
_TAGS = {
    type(None): "tag:yaml.org,2002:null",
    bool: "tag:yaml.org,2002:bool",
    int: "tag:yaml.org,2002:int",
    float: "tag:yaml.org,2002:float",
    str: _STR,
}


class YamlError(ProblemError):
    """A text that isn't YAML, or uses what spaces have no use for.

    Args:
        reason: what is wrong.
        place: line and column, from 1; None if unknown.
    """

    def __init__(self, reason: str, place: tuple[int, int] | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


class _Loader(yaml.SafeLoader):
    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """Return the tag of a node, by YAML 1.2 where it is a plain word."""
        if kind is yaml.ScalarNode:
            return _TAGS[type(scalar(value))] if implicit[0] else _STR
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]


class _Dumper(yaml.SafeDumper):
    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """Return the tag that readers of version 1.2, or else of 1.1, give to a plain word.

        What is text to one of them only is quoted then.
        """
        if kind is yaml.ScalarNode and implicit[0]:
            tag = _TAGS[type(scalar(value))]
            if tag != _STR:
                return tag
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def ignore_aliases(self, data: Any) -> bool:
        return True


def load(text: str) -> tuple[Any, Places]:
    """Return what a text of YAML holds, and where; keys are text, values plain ones.

    Raises:
        YamlError: it isn't YAML, a key stands twice, or it is too large.
        RecursionError: it is nested too deeply.
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        shown = f"#x{ord(text[error.position]):04x}" if error.position < len(text) else "its end"
        raise YamlError(f"the character {shown} is not allowed in YAML", place) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(each for each in (error.context, error.problem) if each)
        if isinstance(error, yaml.scanner.ScannerError) and mark and text[mark.index :][:1] == "\t":
            reason += ": indent by spaces, not by tabs"
        raise YamlError(reason, None if mark is None else _place(mark)) from None
    construction = _Construction()
    return (None if node is None else construction.value(node, ())), construction.places


def dump(tree: Any, depth: int | None = None, *, allow_unicode: bool = True) -> str:
    """Return YAML that :func:`load` reads as the same.

    Args:
        tree: dictionaries, lists and plain values.
        depth: collections so deep within others are on one line each; None for none.
        allow_unicode: leave characters beyond ASCII as they are.
    """
    lined = tree if depth is None else _on_lines(tree, depth)
    text = _dumped(lined, allow_unicode=allow_unicode)
    # What is invisible is escaped; PyYAML would also read some of it as the end of a line.
    return text if printable(text, lines=True) == text else _dumped(lined, allow_unicode=False)


class _LineOfPairs(dict[str, Any]):
    """A dictionary on one line."""


class _LineOfItems(list[Any]):
    """A list on one line."""


def _on_lines(tree: Any, depth: int) -> Any:
    if depth > 0 and isinstance(tree, dict):
        return {name: _on_lines(each, depth - 1) for name, each in tree.items()}
    if depth > 0 and isinstance(tree, list):
        return [_on_lines(each, depth - 1) for each in tree]
    if isinstance(tree, dict):
        return _LineOfPairs(tree)
    return _LineOfItems(tree) if isinstance(tree, list) else tree


_Dumper.add_representer(
    _LineOfPairs,
    lambda dumper, pairs: dumper.represent_mapping(
        "tag:yaml.org,2002:map", pairs.items(), flow_style=True
    ),
)
_Dumper.add_representer(
    _LineOfItems,
    lambda dumper, items: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", items, flow_style=True
    ),
)


def _dumped(tree: Any, *, allow_unicode: bool) -> str:
    return yaml.dump(
        tree,
        Dumper=_Dumper,
        default_flow_style=False,
        sort_keys=False,
        allow_unicode=allow_unicode,
        width=1_000_000,
    )


class _Construction:
    """Values made of nodes."""

    def __init__(self) -> None:
        self.places: Places = {}
        self._count = 0
        self._open: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        """Return the value of a node; each alias counts as all that it stands for."""
        place = _place(node.start_mark)
        self.places.setdefault(path, place)
        self._count += 1
        if self._count > _MOST_VALUES:
            raise YamlError(f"there are more than {_MOST_VALUES} values, aliases included", place)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self._open:
            raise YamlError("an alias stands for something that it is itself a part of", place)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode) and node.tag.endswith(":map"):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode) and node.tag in _LISTS:
                return [self.value(each, (*path, i)) for i, each in enumerate(node.value)]
        finally:
            self._open.discard(id(node))
        raise YamlError(f"the tag {node.tag} isn't supported: leave it out", place)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            place = _place(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError("a key is a name, not a list or a mapping", place)
            name = key.value
            if name in found:
                first = self.places[(*path, name)]
                raise YamlError(
                    f"the key {name!r} stands here a second time, after line {first[0]}: leave out "
                    "one of them",
                    place,
                )
            self.places[(*path, name)] = place
            found[name] = self.value(value, (*path, name))
        return found


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    if node.tag == _STR:
        if encodable(text):
            return text
        # JSON escapes what is beyond 16 bits as two characters.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if node.tag not in _TAGS.values():
        raise YamlError(
            f"the tag {node.tag} isn't supported: leave it out", _place(node.start_mark)
        )
    value = scalar(text)
    if node.tag == _TAGS[type(value)]:
        return value
    if node.tag == _TAGS[float] and type(value) is int:
        return float(value)
    raise YamlError(f"{text!r} is not of the type {node.tag}", _place(node.start_mark))


def _place(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1
