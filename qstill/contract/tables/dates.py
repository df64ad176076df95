"""How a column writes its dates: one form for all of its cells, told by the cells themselves."""

import re
from collections.abc import Collection
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

Order = Literal["ymd", "dmy", "mdy"]
DIGITS = {"y": "[0-9]{4}", "m": "(0?[1-9]|1[0-2])", "d": "(0?[1-9]|[12][0-9]|3[01])"}
TIME = r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
WORDS = {"y": "year", "m": "month", "d": "day"}


class DateForm(BaseModel):
    """Year, month and day in this order, with this sign between them; perhaps a time of day after `before_time`.

    zone: how cells may end that say they are of UTC, empty where none does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: Order
    sign: Literal["-", "/", "."]
    before_time: Literal["", " ", "T"] = ""
    zone: Literal["", "Z", "+00:00"] = ""

    @property
    def pattern(self) -> str:
        """A regular expression, as Python and RE2 read it, which fits the whole of a cell. A time may be left out."""
        day = re.escape(self.sign).join(DIGITS[part] for part in self.order)
        zone = f"({re.escape(self.zone)})?" if self.zone else ""
        return f"{day}({self.before_time}{TIME}{zone})?" if self.before_time else day

    @property
    def said(self) -> str:
        """For people."""
        day = self.sign.join(WORDS[part] for part in self.order)
        return f"{day}{f' and, after {self.before_time!r}, a time' if self.before_time else ''}"


def form_of(cells: Collection[str], least: float = 1.0) -> tuple[DateForm, list[str]] | None:
    """The form that all cells have, or a share of at least `least`, and the cells that have it not.

    Where days and months could be either, the month is first after a slash and the day after a point, as most write.
    None: they are no dates.
    """
    if not cells or not any(re.match(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]", cell) for cell in list(cells)[:100]):
        return None
    best: tuple[DateForm, list[str]] | None = None
    for form in _forms(cells):
        fits = re.compile(form.pattern)
        others = [cell for cell in cells if fits.fullmatch(cell) is None or not is_day(cell, form)]
        if len(others) <= (1 - least) * len(cells) and (best is None or len(others) < len(best[1])):
            best = form, others
    return best


def _forms(cells: Collection[str]) -> list[DateForm]:
    """Those that are tried, the likelier first."""
    before: Literal["", " ", "T"] = ""
    zone: Literal["", "Z", "+00:00"] = ""
    if any(":" in cell for cell in cells):
        before = "T" if any("T" in cell for cell in cells) else " "
        zone = "Z" if any(cell.endswith("Z") for cell in cells) else zone
        zone = "+00:00" if any(cell.endswith("+00:00") for cell in cells) else zone
    tried: list[tuple[Order, Literal["-", "/", "."]]] = [
        ("ymd", "-"), ("ymd", "/"), ("mdy", "/"), ("dmy", "/"), ("dmy", "."), ("mdy", "."), ("dmy", "-"), ("mdy", "-")
    ]  # fmt: skip
    return [DateForm(order=order, sign=sign, before_time=before, zone=zone) for order, sign in tried]


def is_day(cell: str, form: DateForm) -> bool:
    """Whether the calendar has the day of a cell that fits the pattern."""
    day = re.split("[ T]", cell)[0].split(form.sign)
    named = dict(zip(form.order, map(int, day), strict=True))
    try:
        date(named["y"], named["m"], named["d"])
    except ValueError:
        return False
    return True
