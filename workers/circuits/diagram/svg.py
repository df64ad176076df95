"""A circuit as a picture: an SVG that stands alone, drawn in a millisecond without matplotlib."""

from html import escape

from qiskit import QuantumCircuit

from workers.circuits.diagram.layout import Frame, Layout, Mark, lay_out, left_out
from workers.circuits.examine.shape import depth_of

_ROW = 44.0  # px from wire to wire
_BOX = 32.0  # px, a box's height and least width
_GAP = 12.0  # px between columns
_TOP = 34.0  # px above the first wire
_INK, _WIRE, _PAPER = "#1f2933", "#9aa5b1", "#ffffff"
_FILL = {"box": "#dbe7fb", "angle": "#e9e0fa", "measure": "#e4e7eb", "reset": "#fde8d7", "frame": "#fffaeb"}
_EDGE = {"box": "#3d6cc0", "angle": "#7a55b8", "measure": "#616e7c", "reset": "#c2681c", "frame": "#d9a514"}


def diagram_svg(circuit: QuantumCircuit, *, title: str = "Circuit", depth: int | None = None) -> str:
    """The diagram. What does not fit is left out, and said so below it. depth: the circuit's, where it is known."""
    layout = lay_out(circuit)
    columns = max(layout.front, default=0)
    widths = _column_widths(layout, columns)
    label_width = max((len(label) for label in layout.qubits), default=1) * 7.6 + 26
    starts = [label_width]
    for width in widths:
        starts.append(starts[-1] + width + _GAP)
    centres = [start + (width + _GAP) / 2 for start, width in zip(starts, widths, strict=False)]
    notes = left_out(layout)
    right = max(starts[-1] + 16, label_width + 60)
    bottom = _y(len(layout.qubits)) if layout.clbits else _y(len(layout.qubits) - 1)
    width, height = max(right + 10, len(notes) * 6.4 + 24), bottom + 34 + (22 if notes else 0)
    depth = depth_of(circuit) if depth is None else depth
    summary = f"{circuit.num_qubits} qubits, {len(circuit.data)} operations, depth {depth}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="title description" '
        "font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\">",
        f'<title id="title">{escape(title)}</title><desc id="description">{escape(summary)}</desc>',
        f'<rect width="100%" height="100%" fill="{_PAPER}"/>',
        *(_frame(frame, starts, bottom) for frame in reversed(layout.frames)),
        *(_wire(label, _y(row), label_width, right) for row, label in enumerate(layout.qubits)),
    ]
    if layout.clbits:
        parts.append(_classical_wire(layout.clbits, bottom, label_width, right))
    parts += [_mark(mark, centres[mark.column], widths[mark.column], bottom) for mark in layout.marks]
    parts += [_headings(frame, centres) for frame in layout.frames]
    if notes:
        parts.append(_text(12, height - 12, notes, size=12, anchor="start", fill="#616e7c"))
    return "\n".join([*parts, "</svg>\n"])


def _y(row: int) -> float:
    return _TOP + row * _ROW


def _column_widths(layout: Layout, columns: int) -> list[float]:
    widths = [0.0] * columns
    for mark in layout.marks:
        needed = _BOX if mark.kind in ("box", "measure", "reset") else 20.0
        if mark.kind == "box":
            ports = 12.0 if len(mark.rows) > 1 else 0.0
            needed = max(needed, len(mark.name) * 8.2 + 12 + ports, len(mark.detail) * 6.2 + 10 + ports)
        widths[mark.column] = max(widths[mark.column], needed)
    for frame in layout.frames:
        widths[frame.last_column] = max(widths[frame.last_column], 2.0)
        for column, words in frame.headings:
            widths[column] = max(widths[column], len(words) * 6.6 + 8)
    return widths


def _wire(label: str, y: float, left: float, right: float) -> str:
    return _text(left - 12, y + 4, label, size=13, anchor="end") + _line(left - 6, y, right, y, stroke=_WIRE)


def _classical_wire(clbits: int, y: float, left: float, right: float) -> str:
    lines = "".join(_line(left - 6, y + offset, right, y + offset, stroke=_WIRE) for offset in (-1.5, 1.5))
    slash = _line(left - 1, y + 6, left + 5, y - 6)
    return (
        _text(left - 12, y + 4, "c", size=13, anchor="end")
        + lines
        + slash
        + _text(left + 8, y - 6, str(clbits), size=10, anchor="start", fill="#616e7c")
    )


def _mark(mark: Mark, x: float, width: float, bottom: float) -> str:
    rows = [*mark.rows, *(row for row, _ in mark.controls)]
    parts = []
    if mark.controls or mark.kind == "swap":
        parts.append(_line(x, _y(min(rows)), x, _y(max(rows)), stroke=_EDGE["box"], width=1.6))
    parts += [_control(x, _y(row), state) for row, state in mark.controls]
    match mark.kind:
        case "x":
            parts.append(_target(x, _y(mark.rows[0])))
        case "z":
            parts.append(_control(x, _y(mark.rows[0]), 1))
        case "swap":
            parts += [_cross(x, _y(row)) for row in mark.rows]
        case "measure":
            parts.append(_measurement(x, _y(mark.rows[0]), bottom, mark.detail))
        case "reset":
            y = _y(mark.rows[0])
            parts.append(_box(x, y - _BOX / 2, _BOX, _BOX, "reset") + _text(x, y + 5, "|0⟩", size=13))
        case "barrier":
            parts += [
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_y(row) - _ROW / 2:.1f}" y2="{_y(row) + _ROW / 2:.1f}" '
                'stroke="#9aa5b1" stroke-width="1.4" stroke-dasharray="4 3"/>'
                for row in mark.rows
            ]
        case "box":
            parts.append(_gate(mark, x))
    return "".join(parts)


def _gate(mark: Mark, x: float) -> str:
    """A box over all rows of the gate; where they are several, each wire's number within the gate is at its left."""
    top, bottom = _y(min(mark.rows)), _y(max(mark.rows))
    ports = len(mark.rows) > 1
    width = max(_BOX, len(mark.name) * 8.2 + 10, len(mark.detail) * 6.2 + 8) + (12 if ports else 0)
    kind = "angle" if mark.detail else "box"
    middle = (top + bottom) / 2
    at = x + (5 if ports else 0)
    parts = [_box(x - width / 2, top - _BOX / 2, width, bottom - top + _BOX, kind, left=True)]
    if mark.detail:
        parts.append(_text(at, middle - 1, mark.name, size=13))
        parts.append(_text(at, middle + 11, mark.detail, size=10, fill="#52606d"))
    else:
        parts.append(_text(at, middle + 5, mark.name, size=13))
    if ports:
        parts += [
            _text(x - width / 2 + 7, _y(row) + 3.5, str(index), size=9, fill="#616e7c")
            for index, row in enumerate(mark.rows)
        ]
    return "".join(parts)


def _measurement(x: float, y: float, bottom: float, clbit: str) -> str:
    """The meter, and the double line that carries its reading to the classical wire."""
    tip = bottom - 2
    lines = "".join(
        _line(x + offset, y + _BOX / 2, x + offset, tip - 6, stroke=_EDGE["measure"]) for offset in (-1.5, 1.5)
    )
    return (
        lines
        + f'<path d="M{x - 5:.1f} {tip - 7:.1f}h10l-5 7z" fill="{_EDGE["measure"]}"/>'
        + _text(x, bottom + 15, clbit, size=10, fill="#52606d")
        + _box(x, y - _BOX / 2, _BOX, _BOX, "measure")
        + f'<path d="M{x - 10:.1f} {y + 6:.1f}a10 10 0 0 1 20 0M{x:.1f} {y + 6:.1f}l7 -12" '
        f'fill="none" stroke="{_INK}" stroke-width="1.4"/>'
    )


def _control(x: float, y: float, state: int) -> str:
    fill = _EDGE["box"] if state else _PAPER
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="{_EDGE["box"]}" stroke-width="1.6"/>'


def _target(x: float, y: float) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="11" fill="{_FILL["box"]}" stroke="{_EDGE["box"]}" stroke-width="1.6"/>'
        f'<path d="M{x - 11:.1f} {y:.1f}h22M{x:.1f} {y - 11:.1f}v22" stroke="{_EDGE["box"]}" stroke-width="1.6"/>'
    )


def _cross(x: float, y: float) -> str:
    return (
        f'<path d="M{x - 6:.1f} {y - 6:.1f}l12 12M{x - 6:.1f} {y + 6:.1f}l12 -12" '
        f'stroke="{_EDGE["box"]}" stroke-width="2"/>'
    )


def _frame(frame: Frame, starts: list[float], bottom: float) -> str:
    left, right = starts[frame.headings[0][0]] + 2, starts[frame.last_column + 1] - 4
    top, low = _y(frame.low) - _BOX / 2 - 5, _y(frame.high) + _BOX / 2 + 5
    parts = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{low - top:.1f}" rx="5" '
        f'fill="{_FILL["frame"]}" stroke="{_EDGE["frame"]}" stroke-dasharray="5 3"/>'
    ]
    if frame.conditional:
        x = left + 8
        parts += [_line(x + offset, low, x + offset, bottom, stroke=_EDGE["frame"]) for offset in (-1.5, 1.5)]
        parts.append(f'<circle cx="{x:.1f}" cy="{bottom:.1f}" r="4" fill="{_EDGE["frame"]}"/>')
    parts += [
        _line(starts[column] + 2, top, starts[column] + 2, low, _EDGE["frame"]) for column, _ in frame.headings[1:]
    ]
    return "".join(parts)


def _headings(frame: Frame, centres: list[float]) -> str:
    """The words that open each block, on paper of their own so that no wire runs through them."""
    parts = []
    for column, words in frame.headings:
        width = len(words) * 6.6 + 4
        x, y = centres[column], _y(frame.low)
        parts.append(
            f'<rect x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="18" fill="{_FILL["frame"]}"/>'
            + _text(x, y + 4, words, size=12, fill="#8a6100")
        )
    return "".join(parts)


def _box(x: float, y: float, width: float, height: float, kind: str, *, left: bool = False) -> str:
    """A rounded box. x: its left edge if `left`, otherwise its middle."""
    edge = x if left else x - width / 2
    return (
        f'<rect x="{edge:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4" '
        f'fill="{_FILL[kind]}" stroke="{_EDGE[kind]}" stroke-width="1.2"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str = _INK, width: float = 1.0) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" stroke-width="{width:.1f}"/>'
    )


def _text(x: float, y: float, text: str, *, size: int, anchor: str = "middle", fill: str = _INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'
    )
