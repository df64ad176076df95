"""Columns are taken for what people would take them for, and doubted where that is not sure."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qstill.contract.tables.columns import Column, ColumnKind, Seen, names_rows, understand
from qstill.contract.tables.dates import form_of


def taken(name: str, cells: list[str], kind: ColumnKind | None = None, missing: tuple[str, ...] = ()) -> Column:
    return understand(Seen(name, Counter(cells), frozenset(missing)), kind).column


NUMBERS = [str(number) for number in range(40)]


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("age", ["41", "", "17.5"], "numeric"),
        ("job", ["nurse", "baker", "nurse"], "categorical"),
        ("code", ["1", "2", "A"], "categorical"),
        ("member", ["True", "False", "NA"], "boolean"),
        ("member", ["yes", "no"], "boolean"),
        ("flag", ["x", "", "x"], "categorical"),
        ("flag", ["0", "1"], "numeric"),
        ("since", ["2024-01-31", "", "2023-12-01"], "date"),
        ("since", ["2024-01-31 10:00:00", "2023-12-01 00:00:00"], "date"),
        ("since", ["31.1.2024", "1.12.2023"], "date"),
        ("since", ["2024-02-30", "2023-12-01"], "categorical"),
        ("one", ["x", "x"], "constant"),
        ("none", ["", "NA"], "constant"),
        ("customer_id", NUMBERS, "identifier"),
        ("CustomerId", NUMBERS, "identifier"),
        ("paid", NUMBERS, "numeric"),
        ("", NUMBERS, "index"),
        ("Unnamed: 0", NUMBERS, "index"),
        ("name", [f"n{number}" for number in NUMBERS], "identifier"),
        ("about", [f"this is text number {number}" for number in NUMBERS], "text"),
    ],
)
def test_a_column_is_taken_for_what_it_looks_like(name: str, cells: list[str], kind: str) -> None:
    column = taken(name, cells)
    assert (column.kind, column.doubt) == (kind, None)


def test_a_few_slips_among_numbers_are_doubted_until_the_job_says_what_they_are() -> None:
    cells = [*NUMBERS, "unknown"]
    column = taken("size", cells)
    assert column.kind == "numeric"
    assert column.doubt is not None
    assert column.doubt.startswith("1 of 41 values are no numbers: 'unknown'. Name them in `missing`")
    assert taken("size", cells, missing=("unknown",)).doubt is None
    assert taken("size", cells, "categorical").doubt is None
    assert taken("size", cells, "numeric").doubt is not None


def test_infinity_is_no_number_that_networks_take() -> None:
    assert taken("size", ["1", "inf"]).doubt is not None


@pytest.mark.parametrize("kind", ["numeric", "boolean", "date"])
def test_what_a_job_says_of_a_column_is_held_to_its_cells(kind: ColumnKind) -> None:
    assert taken("job", ["nurse", "baker"], kind).doubt is not None
    assert taken("job", ["nurse", "baker"], "categorical").doubt is None


def test_days_and_months_that_may_be_either_are_said() -> None:
    said = taken("since", ["1/2/2024", "3/4/2024"]).said
    assert said == "dates as month/day/year; no day is beyond the twelfth, so it may be the other way round"
    assert taken("since", ["1/2/2024", "3/14/2024"]).said == "dates as month/day/year"
    assert taken("since", ["1/2/2024", "14/3/2024"]).said == "dates as day/month/year"


@given(st.lists(st.dates(), min_size=13, unique=True), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d"]))
def test_dates_written_in_one_way_have_its_form(days: list[date], way: str) -> None:
    cells = [f"{day:%Y}".rjust(4, "0").join(day.strftime(way.replace("%Y", "|")).split("|")) for day in days]
    found = form_of(cells)
    assert found is not None
    assert found[1] == []


def test_names_that_only_end_like_an_identifier_name_no_rows() -> None:
    assert names_rows("order id", [3, 1, 2])
    assert not names_rows("order id", [3, 1, 1])
    assert not names_rows("grid", [3, 1, 2])
    assert not names_rows("id", [0.5, 1, 2])
