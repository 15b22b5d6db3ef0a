"""Where every node and group of a workflow lies, from its layout and the least sizes of its nodes."""

from dataclasses import dataclass, field

from layouts import SIZES, WIDTH, Note

GAP, PAD = 40, 20
TITLE, HEADER = 30, 50
"""Heights of a node's and of a group's title."""

Box = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass(slots=True, kw_only=True)
class Canvas:
    """What lies where."""

    least: dict
    """Type and least height by node id."""
    nodes: dict = field(default_factory=dict)
    """Box by node id, without the title above it."""
    notes: list = field(default_factory=list)
    """(text, box)."""
    groups: list = field(default_factory=list)
    """(title, box)."""

    def size(self, item):
        """Width and height of a node or note."""
        if isinstance(item, Note):
            return item.size
        kind, height = self.least[item]
        width, wanted = SIZES.get(kind, (WIDTH, 0))
        return width, max(height, wanted)

    def put(self, item, box):
        """Remember where a node or note lies."""
        if isinstance(item, Note):
            self.notes.append((item.text, box))
        else:
            self.nodes[item] = box


def arrange(layout, least):
    """All boxes of a layout.

    Args:
        layout: stacks of rows of groups of columns.
        least: type and least height by node id.

    Returns:
        The filled canvas.
    """
    canvas, left = Canvas(least=least), 0
    for stack in layout.stacks:
        top, right = 0, left
        for row in stack:
            end, top = _row(canvas, row, left, top)
            right = max(right, end)
        left = right
    return canvas


def _row(canvas, row, left, top):
    """Groups beside each other; where the next could begin, to the right and below."""
    spans, bottom = [], top
    for group in row:
        right, low = _group(canvas, group, left, top)
        spans.append((group.title, left, right - left))
        left, bottom = right + GAP, max(bottom, low)
    for title, start, width in spans:
        if title:
            canvas.groups.append((title, (start, top, width, bottom - top)))
    return left, bottom + GAP


def _group(canvas, group, left, top):
    """Columns beside each other; right and lower end of the group. Without a title there is no frame."""
    pad, header = (PAD, HEADER) if group.title else (0, 0)
    x, bottom = left + pad, top
    for column in group.columns:
        width, low = _column(canvas, column, x, top + header)
        x, bottom = x + width + GAP, max(bottom, low)
    return x - GAP + pad, bottom + pad


def _column(canvas, column, left, top):
    """Nodes below each other, equally wide; their width and where the last one ends."""
    sizes = [canvas.size(item) for item in column]
    width = max(width for width, _ in sizes)
    for item, (_, height) in zip(column, sizes, strict=True):
        canvas.put(item, (left, top + TITLE, width, height))
        top += TITLE + height + PAD
    return width, top - PAD
