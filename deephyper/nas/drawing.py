"""Drawings of architectures as SVG, made without any other program.

Layers of nodes from the inputs above to the outputs below (the longest path decides), each ordered
by the mean place of its neighbors above (the barycenter method of Sugiyama et al., 1981).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from deephyper.nas.flow import network_of
from deephyper.nas.graph import Node
from deephyper.printable import one_printable_line

if TYPE_CHECKING:
    from deephyper.nas.space import ArchitectureSpace

_ROW, _GAP, _LINE, _MARGIN, _SPACE = 56.0, 28.0, 15.0, 16.0, 12.0
"""Between layers, between nodes of one, of a line of text, around the drawing, around a text."""
_CHARACTER = 7.2
"""Width of a character of the font."""
_MOST_LINES = 12
_LONGEST_LINE = 48
_FILLS = {"input": "#dbeafe", "hidden": "#f3f4f6", "output": "#dcfce7"}


class Drawing(str):
    """The text of an SVG file, which a notebook shows as a picture."""

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)


@dataclass
class _Box:
    """A node on the page.

    Attributes:
        node: the node.
        lines: of text in it.
        layer: how far it is from the inputs.
        x: of its center.
        y: of its upper edge.
    """

    node: Node
    lines: list[str]
    layer: int
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        return max(len(line) for line in self.lines) * _CHARACTER + 2 * _SPACE

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + _SPACE


@dataclass(frozen=True)
class _Line:
    source: Node
    target: Node
    dashed: bool


def draw(space: ArchitectureSpace, point: Mapping[str, Any] | None) -> Drawing:
    """Return the drawing of a network, or of a whole space.

    Args:
        space: the space.
        point: a valid point; None for all nodes, with their operations, and optional connections
            dashed.
    """
    if point is None:
        texts = {node: _labels(node) for node in space.graph.nodes.values()}
        lines = [_Line(c.source, c.target, c.choice is not None) for c in space.graph.connections]
    else:
        network = network_of(space.graph, point)
        texts = {node: [node.name] for node in (*space.inputs, *space.outputs)}
        texts |= {node: [node.name, each.label] for node, each in network.operations.items()}
        lines = [_Line(s, t, False) for t, found in network.sources.items() for s in found]
    for node in (*space.inputs, *space.outputs):
        texts[node] = [node.name, str(node.shape)]
    boxes: dict[Node, _Box] = {}
    for node in space.graph.forward():
        if node in texts:
            above = [boxes[line.source].layer for line in lines if line.target is node]
            text = [one_printable_line(each, _LONGEST_LINE) for each in texts[node]]
            boxes[node] = _Box(node, text, max(above, default=-1) + 1)
    _place(boxes, lines)
    return Drawing(_svg(boxes, lines))


def _labels(node: Node) -> list[str]:
    """Return the lines for a node of a whole space."""
    if node.mirrored is not None:
        return [node.name, f"as {node.mirrored.name}"]
    labels = [each.label for each in node.operations]
    if len(labels) > _MOST_LINES:
        labels = [*labels[: _MOST_LINES - 1], f"and {len(labels) - _MOST_LINES + 1} more"]
    return [node.name, *labels]


def _place(boxes: Mapping[Node, _Box], lines: list[_Line]) -> None:
    """Give each box its place."""
    last = max(box.layer for box in boxes.values())
    for box in boxes.values():
        if box.node.role == "output":
            box.layer = last
    y = _MARGIN
    for number in range(last + 1):
        row = [box for box in boxes.values() if box.layer == number]
        if not row:
            continue
        wanted = {}
        for box in row:
            above = [boxes[line.source].x for line in lines if line.target is box.node]
            wanted[box.node] = sum(above) / len(above) if above else 0.0
        row.sort(key=lambda box: wanted[box.node])
        width = sum(box.width for box in row) + _GAP * (len(row) - 1)
        x = sum(wanted.values()) / len(row) - width / 2
        for box in row:
            box.x, box.y = x + box.width / 2, y
            x += box.width + _GAP
        y += max(box.height for box in row) + _ROW


def _svg(boxes: Mapping[Node, _Box], lines: list[_Line]) -> str:
    rightmost = max(box.x + box.width / 2 for box in boxes.values())
    bends = [_path(boxes, line, rightmost + _GAP) for line in lines]
    left = min(box.x - box.width / 2 for box in boxes.values()) - _MARGIN
    right = max([rightmost, *(reach for _, reach in bends)]) + _MARGIN
    height = max(box.y + box.height for box in boxes.values()) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.1f} 0 {right - left:.1f} '
        f'{height:.1f}" width="{right - left:.0f}" height="{height:.0f}" '
        'font-family="monospace" font-size="12">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#4b5563"/></marker></defs>',
    ]
    for line, (path, _) in zip(lines, bends, strict=True):
        dash = ' stroke-dasharray="5 4"' if line.dashed else ""
        parts.append(
            f'<path d="{path}" fill="none" stroke="#4b5563"{dash} marker-end="url(#tip)"/>'
        )
    for box in boxes.values():
        parts.append(
            f'<rect x="{box.x - box.width / 2:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
            f'height="{box.height:.1f}" rx="5" fill="{_FILLS[box.node.role]}" stroke="#9ca3af"/>'
        )
        for i, text in enumerate(box.lines):
            style = 'text-anchor="middle"' + (' font-weight="bold"' if i == 0 else "")
            y = box.y + _SPACE / 2 + (i + 0.75) * _LINE
            parts.append(f'<text x="{box.x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _path(boxes: Mapping[Node, _Box], line: _Line, side: float) -> tuple[str, float]:
    """Return the path of a connection, and how far to the right it reaches.

    One that passes over layers goes around them, the further the more it passes.
    """
    source, target = boxes[line.source], boxes[line.target]
    x1, y1, x2, y2 = source.x, source.y + source.height, target.x, target.y
    if target.layer - source.layer <= 1:
        middle = (y1 + y2) / 2
        curve = f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"
        return f"M{x1:.1f} {y1:.1f}{curve}", max(x1, x2)
    out = side + 10.0 * (target.layer - source.layer)
    x1, x2 = x1 + source.width / 4, x2 + target.width / 4
    path = (
        f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + _ROW:.1f} {out:.1f} {y1:.1f} {out:.1f} "
        f"{(y1 + y2) / 2:.1f}S{x2:.1f} {y2 - _ROW:.1f} {x2:.1f} {y2:.1f}"
    )
    return path, out
