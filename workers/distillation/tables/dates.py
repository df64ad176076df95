"""Dates as numbers of their parts, by the proleptic Gregorian calendar."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qstill.contract.tables.dates import DateForm

DAYS, MONTH, DAY, WEEKDAY, HOUR = "days since 1970-01-01", "month", "day", "weekday", "hour"
FIRST_DAY = 719_468  # days from 0000-03-01, with which the arithmetic's years begin, to 1970-01-01
MONDAY_FIRST = 3  # 1970-01-01 was a Thursday
BEFORE_MARCH = 9  # months, by which a year that begins in March is behind


def parts_of(form: DateForm) -> list[str]:
    """Names of the numbers that a date becomes."""
    return [DAYS, MONTH, DAY, WEEKDAY, *([HOUR] if form.before_time else [])]


def dates(cells: Sequence[str], form: DateForm) -> NDArray[np.float64]:
    """(cells, parts): days with the time of day as their fraction, Monday 0, hours with minutes as their fraction.

    NaN for a cell that is no date of this form. (y, m, d) becomes days by years that begin in March, so that leap
    days end them (H. Hinnant, chrono-compatible low-level date algorithms, 2013).
    """
    fits = re.compile(form.pattern)
    found = [_split(cell, form) if fits.fullmatch(cell) else [np.nan] * 6 for cell in cells]
    year, month, day, hour, minute, second = np.array(found, dtype=np.float64).reshape(-1, 6).T
    march = np.floor((month + BEFORE_MARCH) / 12)  # 1 from March on
    years, months = year - 1 + march, month + BEFORE_MARCH - 12 * march
    leaps = np.floor(years / 4) - np.floor(years / 100) + np.floor(years / 400)
    days = 365 * years + leaps + np.floor((153 * months + 2) / 5) + day - 1 - FIRST_DAY
    weekday = days + MONDAY_FIRST - 7 * np.floor((days + MONDAY_FIRST) / 7)
    hours = hour + minute / 60 + second / 3600
    parts = [days + hours / 24, month, day, weekday, hours]
    return np.stack(parts[: len(parts_of(form))], axis=1)


def _split(cell: str, form: DateForm) -> list[float]:
    """Year, month, day, hour, minute, second."""
    day, _, time = cell.partition(form.before_time) if form.before_time else (cell, "", "")
    named = dict(zip(form.order, map(float, day.split(form.sign)), strict=True))
    clock = [float(part) for part in time.removesuffix(form.zone).split(":")] if time else []
    return [named["y"], named["m"], named["d"], *clock, *[0.0] * (3 - len(clock))]
