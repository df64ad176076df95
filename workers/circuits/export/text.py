"""A circuit as a picture for a terminal, from the same layout as the SVG."""

from dataclasses import dataclass, field

from qiskit import QuantumCircuit

from workers.circuits.diagram.layout import Frame, Layout, Mark, lay_out, left_out

WIDTH = 100  # characters; what does not fit beside goes below

_SYMBOLS = {"x": "⊕", "z": "●", "swap": "╳", "reset": "┤0⟩├", "measure": "┤M├", "barrier": "░"}


def to_text(circuit: QuantumCircuit, *, width: int = WIDTH) -> str:
    """The diagram, in lines of `width` characters at most. What does not fit into the layout is said below it."""
    layout = lay_out(circuit)
    drawing = _Drawing(layout)
    for mark in layout.marks:
        drawing.mark(mark)
    for frame in layout.frames:
        drawing.frame(frame)
    note = left_out(layout)
    return "\n".join([*drawing.lines(width), *([note] if note else []), ""])


@dataclass(slots=True)
class _Column:
    """cells: what stands on each row; below: what joins a row and the next; across: what crosses a row's wire."""

    cells: dict[int, str] = field(default_factory=dict)
    below: dict[int, str] = field(default_factory=dict)
    across: dict[int, str] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return max(map(len, self.cells.values()), default=1)

    def join(self, top: int, bottom: int, line: str, crossing: str) -> None:
        """A line from one row down to another, across those between."""
        for row in range(top, bottom):
            self.below[row] = line
            if row > top:
                self.across[row] = crossing


class _Drawing:
    def __init__(self, layout: Layout) -> None:
        self.bits = len(layout.qubits)
        self.labels = [*layout.qubits, *([f"c {layout.clbits}"] if layout.clbits else [])]
        self.columns = [_Column() for _ in range(max(layout.front, default=0))]

    def mark(self, mark: Mark) -> None:
        column = self.columns[mark.column]
        rows = [*mark.rows, *(row for row, _ in mark.controls)]
        if mark.kind == "measure":
            column.join(mark.rows[0], self.bits, "║", "╫")
            column.cells[self.bits] = f"╩{mark.detail}"
        elif mark.kind != "barrier":
            column.join(min(rows), max(rows), "│", "┼")
        for row, state in mark.controls:
            column.cells[row] = "●" if state else "○"
        for place, row in enumerate(mark.rows):
            column.cells[row] = _SYMBOLS.get(mark.kind) or _box(mark, place)

    def frame(self, frame: Frame) -> None:
        for place, words in frame.headings:
            cells = self.columns[place].cells
            cells |= dict.fromkeys(range(frame.low, frame.high + 1), "[" + "─" * len(words)) | {frame.low: f"[{words}"}
        self.columns[frame.last_column].cells |= dict.fromkeys(range(frame.low, frame.high + 1), "]")
        if frame.conditional:
            column = self.columns[frame.headings[0][0]]
            column.join(frame.high, self.bits, "║", "╫")
            column.cells[self.bits] = "■"

    def lines(self, width: int) -> list[str]:
        margin = max(map(len, self.labels), default=0) + 1
        lines: list[str] = []
        start = 0
        while start < len(self.columns) or not lines:
            end, room = start, width - margin - 2
            while end < len(self.columns) and (end == start or room >= self.columns[end].width + 2):
                room -= self.columns[end].width + 2
                end += 1
            lines += ["", *self._part(start, end, margin)] if lines else self._part(start, end, margin)
            start = max(end, start + 1)
        return lines

    def _part(self, start: int, end: int, margin: int) -> list[str]:
        columns = self.columns[start:end]
        before, after = ("«" if start else ""), ("»" if end < len(self.columns) else "")
        lines = []
        for row, label in enumerate(self.labels):
            wire = "═" if row == self.bits else "─"
            cells = [_centred(c.cells.get(row) or c.across.get(row, wire), c.width + 2, wire) for c in columns]
            lines.append(label.ljust(margin) + (before or wire) + "".join(cells) + (after or wire))
            joints = "".join(_centred(c.below.get(row, " "), c.width + 2, " ") for c in columns).rstrip()
            if joints:
                lines.append(" " * (margin + 1) + joints)
        return lines


def _centred(text: str, width: int, filling: str) -> str:
    left = (width - 1) // 2 - (len(text) - 1) // 2
    return filling * left + text + filling * (width - left - len(text))


def _box(mark: Mark, place: int) -> str:
    port = f"{place} " if len(mark.rows) > 1 else ""
    detail = f" {mark.detail}" if mark.detail and place == 0 else ""
    return f"┤{port}{mark.name}{detail}├"
