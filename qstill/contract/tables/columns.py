"""What each column of a table is taken for, told by its name and its cells, alike at the door and in a worker."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from qstill.contract.schemas import View
from qstill.contract.tables.cells import is_missing, is_number, numbers_of
from qstill.contract.tables.dates import DateForm, form_of

ColumnKind = Literal["numeric", "categorical", "boolean", "date"]  # what inputs may be
Understood = Literal[
    "numeric", "categorical", "boolean", "date", "identifier", "text", "constant", "index", "ignored", "label"
]
TRUTHS = {
    spelled: value
    for word, value in (("true", 1), ("t", 1), ("yes", 1), ("y", 1), ("false", 0), ("f", 0), ("no", 0), ("n", 0))
    for spelled in (word, word.upper(), word.capitalize())
}
WHOLE_TRUTHS = TRUTHS | {"1": 1, "0": 0}  # where a job says that a column is boolean
IDENTIFIER = re.compile(r"(^|[^a-z])(id|uuid|guid|identifier|index)$")  # of a name in words
NAMELESS = re.compile(r"(Unnamed: [0-9]+|__index_level_[0-9]+__)?")  # as pandas writes, and reads, an index
LEAST_ROWS = 20  # of fewer, all words of a column may well differ by chance
NEARLY = 0.9  # of the values that are there: what is no number among so many numbers is a slip, or says "missing"
DIFFERENT = 0.9  # words of which so many differ name rows, or are texts
WORDS_OF_A_TEXT = 4.0  # mean; names of categories have fewer
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+(,[0-9]+)?")
INFINITE = frozenset({"inf", "infinity"})  # which no network takes
SHOWN = 5


class Column(View):
    """What a column of a table was taken for. A job may say otherwise, by `columns`, `ignore` and `missing`."""

    name: str = Field(description="In the header.", examples=["job"])
    kind: Understood = Field(
        description="numeric, categorical, boolean and date are inputs. The others are not read: an identifier is "
        "another one in each row, a text has too many words, a constant says nothing, an index numbers the rows.",
        examples=["categorical"],
    )
    gaps: int = Field(description="Rows in which it says nothing.", examples=[12])
    distinct: int = Field(description="How many values it has, gaps aside.", examples=[7])
    examples: list[str] = Field(description="The most frequent values.", examples=[["nurse", "baker"]])
    said: str | None = Field(description="How it is read, or why it is not.", examples=["dates as year-month-day"])
    doubt: str | None = Field(
        None,
        description="What speaks against it, and what a job can say; a job that says nothing of it is refused.",
        examples=["3 of 20,000 values are no numbers: 'unknown'. Name them in `missing`."],
    )
    inputs: list[str] | None = Field(
        None,
        description="What networks are given of it: encoders are fitted on the training rows, so that an upload does "
        "not know it yet.",
        examples=[["job=nurse", "job=baker", "job=another"]],
    )
    fills: str | None = Field(None, description="What stands in a gap.", examples=["the median, 41.5"])


COLUMN_EXAMPLE = {name: field.examples[0] for name, field in Column.model_fields.items() if field.examples}


@dataclass(frozen=True)
class Seen:
    """A column's cells. counts: how often each occurs, blanks around it left out. missing: what says nothing, besides
    what always does.
    """

    name: str
    counts: Mapping[str, int]
    missing: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        return sum(self.counts.values())

    def says_nothing(self, cell: str) -> bool:
        return cell in self.missing or is_missing(cell)


@dataclass(frozen=True)
class Reading:
    """column: for people. form: of dates."""

    column: Column
    form: DateForm | None = None


def with_points(cells: Sequence[str]) -> list[str]:
    """Cells of a table that does not need commas between its columns: as numbers, if all would be with a point."""
    if not all(DECIMAL_COMMA.fullmatch(cell) for cell in cells if not is_missing(cell) and not is_number(cell)):
        return list(cells)
    return [cell.replace(",", ".") for cell in cells]


def names_rows(name: str, numbers: Collection[float]) -> bool:
    """Whether a column of numbers is another whole one in each row, and called as what names rows is."""
    words = re.sub("(?<=[a-z])(?=[A-Z])", "_", name.strip()).lower()
    if IDENTIFIER.search(words) is None or not all(float(number).is_integer() for number in numbers):
        return False
    return len(set(numbers)) == len(numbers)


def understand(seen: Seen, kind: ColumnKind | None = None) -> Reading:
    """What a column is taken for. kind: what the job says that it is; a doubt says what contradicts that."""
    known = {cell: count for cell, count in seen.counts.items() if not seen.says_nothing(cell)}
    gaps = seen.rows - sum(known.values())
    found, said, doubt, form = _said(known, kind) if kind else _found(seen.name, known, gaps, seen.rows)
    often = sorted(known, key=lambda cell: (-known[cell], cell))[:SHOWN]
    column = Column(
        name=seen.name,
        kind=found,
        gaps=gaps,
        distinct=len(known),
        examples=[cell[:50] for cell in often],
        said=said,
        doubt=doubt,
    )
    return Reading(column, form)


Found = tuple[Understood, str | None, str | None, DateForm | None]  # kind, how, doubt, form


def _found(name: str, known: Mapping[str, int], gaps: int, rows: int) -> Found:
    if not known:
        return "constant", "no row has a value", None, None
    if len(known) == 1 and not gaps and rows > 1:
        return "constant", "all rows have the same value", None, None
    if known.keys() <= TRUTHS.keys():
        return "boolean", None, None, None
    numbers, others = _numbers(known)
    different = len(known) == rows - gaps and rows >= LEAST_ROWS
    if not others:
        return _of_numbers(name, numbers, different and not gaps)
    if (dates := form_of(known)) is not None:
        return "date", f"dates as {dates[0].said}{_either(known, dates[0])}", None, dates[0]
    if _nearly(known, others) or all(cell.lower().lstrip("+-") in INFINITE for cell in others):
        return "numeric", None, _slips(known, others, "numbers"), None
    if (dates := form_of(known, NEARLY)) is not None:
        return "date", f"dates as {dates[0].said}", _slips(known, dates[1], "dates of this form"), dates[0]
    return _of_words(known, rows - gaps)


def _of_numbers(name: str, numbers: list[float], different: bool) -> Found:
    whole = different and all(number.is_integer() for number in numbers)
    if whole and NAMELESS.fullmatch(name) and min(numbers) >= 0:
        return "index", "it has no name and numbers the rows; name it if it is an input", None, None
    if whole and names_rows(name, numbers):
        return "identifier", "its name and its values, another one in each row, say that it names rows", None, None
    return "numeric", None, None, None


def _of_words(known: Mapping[str, int], rows: int) -> Found:
    words = sum(len(cell.split()) * count for cell, count in known.items()) / rows
    if rows >= LEAST_ROWS and len(known) >= DIFFERENT * rows:
        if words >= WORDS_OF_A_TEXT:
            return "text", "its values are texts, and nearly all differ; a job of `text_file` reads texts", None, None
        return "identifier", "nearly every row has a word of its own; `categorical` reads it all the same", None, None
    return "categorical", None, None, None


def _said(known: Mapping[str, int], kind: ColumnKind) -> Found:
    how = "as the job says"
    if kind == "numeric":
        _, others = _numbers(known)
        return "numeric", how, _slips(known, others, "numbers") if others else None, None
    if kind == "boolean":
        others = [cell for cell in known if cell not in WHOLE_TRUTHS]
        return "boolean", how, _slips(known, others, "true or false, yes or no, 1 or 0") if others else None, None
    if kind == "date":
        dates = form_of(known, 0.5)
        if dates is None:
            doubt = (
                "Its values are no dates as 2024-01-31, 31.01.2024 or 1/31/2024, with a time as 23:59:59 or without."
            )
            return "date", how, f"{doubt} Leave it out of `columns`.", None
        form, others = dates
        return "date", f"dates as {form.said}", _slips(known, others, "dates of this form") if others else None, form
    return "categorical", how, None, None


def _numbers(known: Mapping[str, int]) -> tuple[list[float], list[str]]:
    """The values that are numbers, and the cells that are none."""
    cells = list(known)
    if (numbers := numbers_of(cells)) is not None:
        return numbers, []
    return [float(cell) for cell in cells if is_number(cell)], [cell for cell in cells if not is_number(cell)]


def _nearly(known: Mapping[str, int], others: list[str]) -> bool:
    """Whether most values are numbers, and more than some tens: few numbers among words are names, too."""
    rows = sum(known.values())
    return len(known) >= LEAST_ROWS and rows - sum(known[cell] for cell in others) >= NEARLY * rows


def _slips(known: Mapping[str, int], others: list[str], what: str) -> str:
    count = sum(known[cell] for cell in others)
    shown = ", ".join(repr(cell[:30]) for cell in sorted(others, key=lambda cell: (-known[cell], cell))[:3])
    return (
        f"{count:,} of {sum(known.values()):,} values are no {what}: {shown}. Name them in `missing` if they say that "
        "nothing is known, or the column in `categorical` or `ignore`."
    )


def _either(known: Mapping[str, int], form: DateForm) -> str:
    """What a reader must know where days and months cannot be told from each other."""
    if form.order == "ymd":
        return ""
    parts = [cell.split(form.sign)[:2] for cell in known]
    if any(int(part) > 12 for each in parts for part in each):
        return ""
    return "; no day is beyond the twelfth, so it may be the other way round"
