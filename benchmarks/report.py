"""What a benchmark found, as lines of one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

HEADINGS = ("claim", "ours", "counterpart", "ratio", "goal", "")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure of both sides, and the bound that ours has to keep."""

    claim: str
    ours: float
    plain: float
    unit: str
    goal: float
    better: Literal["more", "less"]

    @property
    def met(self) -> bool:
        return self.ours >= self.goal if self.better == "more" else self.ours <= self.goal

    @property
    def ratio(self) -> float | None:
        """How many times better ours is; None where one of the two is nothing."""
        if not (self.ours and self.plain):
            return None
        return self.ours / self.plain if self.better == "more" else self.plain / self.ours

    def cells(self) -> tuple[str, ...]:
        sign = "≥" if self.better == "more" else "≤"
        ratio = "" if self.ratio is None else f"{self.ratio:.1f}×"
        figures = (f"{_short(figure)} {self.unit}" for figure in (self.ours, self.plain))
        return self.claim, *figures, ratio, f"{sign} {_short(self.goal)}", "met" if self.met else "MISSED"


def milliseconds(claim: str, ours: float, plain: float, *, goal: float) -> Line:
    """Durations of both sides, given in seconds; the goal in milliseconds."""
    return Line(claim=claim, ours=1000 * ours, plain=1000 * plain, unit="ms", goal=goal, better="less")


def report(lines: Sequence[Line]) -> int:
    """Print the table; returns the exit status, 1 when a goal is missed."""
    rows = [HEADINGS, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in rows:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())
    return 0 if all(line.met for line in lines) else 1


def _short(figure: float) -> str:
    return f"{figure:.0f}" if figure >= 10 or figure == int(figure) else f"{figure:.2f}"
