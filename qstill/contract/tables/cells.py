"""What a cell of a table says, alike in every format: a number, nothing, or the name of a class."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

# Python's float() also takes 7_12, full-width digits, nan and infinity. A longer exponent is more than Decimal orders.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_ONLY_NUMBERS = re.compile(r"[0-9+\-.eE \t,]*")  # where these are all the signs, float() has the grammar above
_BLANKS = " \t\r\n"
MISSING = frozenset(
    {"", "na", "n/a", "#n/a", "#n/a n/a", "#na", "<na>", "nan", "-nan", "null", "none", "missing", "?", "-"}
    | {"1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"}
)  # as tables write it, in small letters


def is_number(cell: str) -> bool:
    """Whether it is a decimal number, blanks around it aside."""
    return NUMBER.fullmatch(cell.strip(_BLANKS)) is not None


def numbers_of(cells: Sequence[str]) -> list[float] | None:
    """The cells of a row as numbers, infinite beyond double precision; None if one of them is no number."""
    if _ONLY_NUMBERS.fullmatch(",".join(cells)) is None:
        return None
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in MISSING


def names_of(cells: Iterable[str]) -> tuple[list[str], Counter[str]]:
    """The classes that cells of a label name, "" where there is none; and how often that is written how.

    `-` is a class where `+` is one.
    """
    names = [cell.strip() for cell in cells]
    opposed = "+" in names
    missing = Counter(name for name in names if is_missing(name) and not (opposed and name == "-"))
    return ["" if name in missing else name for name in names], missing


def same_numbers(names: Iterable[str]) -> list[list[str]]:
    """Names that are one number written in several ways, as `1` and `1.0`; each such number's together."""
    written: dict[Decimal, list[str]] = {}
    for name in filter(is_number, names):
        written.setdefault(Decimal(name.strip(_BLANKS)), []).append(name)
    return [several for several in written.values() if len(several) > 1]


def numbers_first(name: str) -> tuple[bool, Decimal, str]:
    """Sorts the names of classes: numbers by their value, then words."""
    is_one = is_number(name)
    return (not is_one, Decimal(name.strip(_BLANKS)) if is_one else Decimal(0), name)
