"""Columns as numbers that networks take. Encoders are fitted on training rows, and are plain JSON.

What scikit-learn's SimpleImputer(strategy="median", add_indicator=True) and OneHotEncoder(min_frequency=2,
max_categories=100, handle_unknown="infrequent_if_exist") do, as parameters that a card can hold.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from qstill.contract.errors import Problem
from qstill.contract.tables.columns import WHOLE_TRUTHS
from qstill.contract.tables.dates import DateForm
from workers.distillation.tables.dates import dates, parts_of
from workers.distillation.tables.frame import GAP, Cells, Frame, Words, as_numbers, as_words

MAX_CATEGORIES = 100  # of a column; the rarer ones are taken together
LEAST_IN_CATEGORY = 2  # training rows: what was seen once says as little as what was never seen

Features = NDArray[np.float32]


class Encoder(BaseModel):
    """name: of the column. gaps: whether the training rows had some, so that a gap has a meaning of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    gaps: bool

    def _with_gaps(self, names: list[str]) -> list[str]:
        return [*names, f"{self.name} is missing"] if self.gaps else names


class NumberEncoder(Encoder):
    """median: of the training rows, which stands in gaps."""

    kind: Literal["numeric", "boolean"]
    median: float

    def inputs(self) -> list[str]:
        return self._with_gaps([self.name])

    def fills(self) -> str | None:
        if self.kind == "boolean":
            return f"what most rows say: {'true' if self.median >= 0.5 else 'false'}"
        return f"the median, {self.median:.6g}"

    def encode(self, cells: Cells) -> Features:
        values = as_numbers(cells) if self.kind == "numeric" else truths(as_words(cells))
        return filled(values[:, None], [self.median], gaps=self.gaps)


class DateEncoder(Encoder):
    """medians: of each part of the dates."""

    kind: Literal["date"]
    form: DateForm
    medians: list[float]

    def inputs(self) -> list[str]:
        return self._with_gaps([f"{self.name}, {part}" for part in parts_of(self.form)])

    def fills(self) -> str | None:
        return "the median of each part"

    def encode(self, cells: Cells) -> Features:
        words = as_words(cells)
        return filled(dates(words.cells, self.form), self.medians, gaps=self.gaps)[words.codes]


class CategoryEncoder(Encoder):
    """categories: of the training rows, the most frequent first. another: whether there were rarer ones, which have
    an input together: words that training did not show are taken for one of them, or else for none at all.
    """

    kind: Literal["categorical"]
    categories: list[str]
    another: bool

    def inputs(self) -> list[str]:
        names = [f"{self.name}={category}" for category in self.categories]
        return self._with_gaps([*names, *([f"{self.name}=another"] if self.another else [])])

    def fills(self) -> str | None:
        return None if self.gaps else "no category"

    @property
    def unseen(self) -> int:
        """The place of the input for words that are no category; -1: none."""
        return len(self.categories) if self.another else -1

    @property
    def missing(self) -> int:
        """The place of the input for gaps, or of that for unseen words."""
        return len(self.inputs()) - 1 if self.gaps else self.unseen

    def encode(self, cells: Cells) -> Features:
        words = as_words(cells)
        places = {category: place for place, category in enumerate(self.categories)} | {GAP: self.missing}
        wanted = np.array([places.get(cell, self.unseen) for cell in words.cells], dtype=np.int64)
        table: Features = (wanted[:, None] == np.arange(len(self.inputs()))).astype(np.float32)
        return table[words.codes]


AnyEncoder = Annotated[NumberEncoder | DateEncoder | CategoryEncoder, Field(discriminator="kind")]


class Encoding(BaseModel):
    """How rows of a table become numbers. encoders: of the columns that are read, in the order of their inputs.

    others: names of columns that rows may have and that are not read. missing: how gaps are spelled besides as ever.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoders: list[AnyEncoder]
    others: list[str] = []
    missing: list[str] = []

    def inputs(self) -> list[str]:
        """Names of the numbers."""
        return [name for encoder in self.encoders for name in encoder.inputs()]

    def encode(self, frame: Frame) -> Features:
        """(rows, inputs). Raises Problem inputs_mismatch for a column that the frame lacks."""
        return np.concatenate([each.encode(self._cells(frame, each.name)) for each in self.encoders], axis=1)

    def measured(self) -> NDArray[np.bool_]:
        """(inputs,) which of them are measured, and so standardised; the others say yes or no."""
        counts = [
            (len(each.inputs()) - each.gaps if not isinstance(each, CategoryEncoder) else 0, len(each.inputs()))
            for each in self.encoders
        ]
        return np.concatenate([np.arange(inputs) < measured for measured, inputs in counts])

    def unseen(self, frame: Frame, but: Frame | None = None) -> list[tuple[str, int, list[str]]]:
        """(column, rows, some words) for each column with words that its encoder does not tell from others.

        but: rows whose words were seen.
        """
        found = []
        for each in self.encoders:
            if isinstance(each, NumberEncoder) and each.kind == "numeric":
                continue
            words = as_words(self._cells(frame, each.name))
            strange = _strange(each, words)
            if but is not None:  # whose words have the same places
                strange[np.unique(as_words(self._cells(but, each.name)).codes)] = False
            counts = np.bincount(words.codes, minlength=len(words.cells))
            some = [cell for cell, odd, count in zip(words.cells, strange, counts, strict=True) if odd and count]
            if some:
                found.append((each.name, int(counts[strange].sum()), some[:3]))
        return found

    def _cells(self, frame: Frame, name: str) -> Cells:
        if name not in frame.columns:
            has = ", ".join(list(frame.columns)[:10])
            raise Problem("inputs_mismatch", f"There is no column {name!r}, which is read; there are {has}.")
        return frame.columns[name]


def fitted(
    frame: Frame, kinds: Mapping[str, tuple[str, DateForm | None]], others: Sequence[str], missing: Sequence[str]
) -> Encoding:
    """Encoders for the columns in `kinds`, by their kind and the form of their dates. frame: training rows alone."""
    encoders = [_fitted(name, *kinds[name], frame.columns[name]) for name in kinds]
    return Encoding(encoders=encoders, others=list(others), missing=list(missing))


def _fitted(name: str, kind: str, form: DateForm | None, cells: Cells) -> AnyEncoder:
    if kind == "numeric" or kind == "boolean":
        values = as_numbers(cells) if kind == "numeric" else truths(as_words(cells))
        return NumberEncoder(
            name=name,
            gaps=bool(np.isnan(values).any()),
            kind="numeric" if kind == "numeric" else "boolean",
            median=_median(values),
        )
    words = as_words(cells)
    counts = np.bincount(words.codes, minlength=len(words.cells))
    if form is not None:
        values = dates(words.cells, form)[words.codes]
        medians = [_median(column) for column in values.T]
        return DateEncoder(name=name, gaps=bool(np.isnan(values).any()), kind="date", form=form, medians=medians)
    known = [(-int(count), cell) for cell, count in zip(words.cells, counts, strict=True) if count and cell != GAP]
    categories = [cell for count, cell in sorted(known) if -count >= LEAST_IN_CATEGORY][:MAX_CATEGORIES]
    gaps = any(count and cell == GAP for cell, count in zip(words.cells, counts, strict=True))
    return CategoryEncoder(
        name=name, gaps=gaps, kind="categorical", categories=categories, another=len(categories) < len(known)
    )


def _median(values: NDArray[np.float64]) -> float:
    """Of those that are there; 0 where none is."""
    there = values[~np.isnan(values)]
    return float(np.median(there)) if len(there) else 0.0


def truths(words: Words) -> NDArray[np.float64]:
    """(rows,) 1 where a word says that something is true, 0 where it is not, NaN where it says neither."""
    values = [float(WHOLE_TRUTHS.get(cell, np.nan)) for cell in words.cells]
    return np.array(values, dtype=np.float64)[words.codes]


def filled(values: NDArray[np.float64], medians: list[float], *, gaps: bool) -> Features:
    """(rows, values) with medians where there is none, and whether there was none in a last column."""
    missing = np.isnan(values)
    whole = np.where(missing, np.array(medians), values).astype(np.float32)
    return np.concatenate([whole, missing[:, :1].astype(np.float32)], axis=1) if gaps else whole


def _strange(encoder: AnyEncoder, words: Words) -> NDArray[np.bool_]:
    """(cells,) which of them say something that the encoder does not know."""
    match encoder:
        case CategoryEncoder():
            known = set(encoder.categories)
            odd = [cell not in known for cell in words.cells]
        case DateEncoder():
            odd = np.isnan(dates(words.cells, encoder.form)[:, 0]).tolist()
        case NumberEncoder():
            odd = [cell not in WHOLE_TRUTHS for cell in words.cells]
    return np.array([each and cell != GAP for each, cell in zip(odd, words.cells, strict=True)], dtype=bool)
