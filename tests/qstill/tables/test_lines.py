"""What divides the columns of a table is found in any first line, however long its cells are."""

import csv
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qstill.contract.tables.lines import SEPARATORS, separator_in


@pytest.fixture
def usual_limit() -> Iterator[None]:
    """Of Python for a cell, as in a process that has read no table."""
    ours = csv.field_size_limit(131_072)
    yield
    csv.field_size_limit(ours)


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_million_columns_are_one_cell_for_other_separators(separator: str, usual_limit: None) -> None:
    assert separator_in(f"a{separator}" * 500_000) == separator


@given(line=st.text("ab\"',;\t|\r\n ", max_size=40))
def test_any_line_has_a_separator(line: str) -> None:
    found = separator_in(line)
    assert found in SEPARATORS
    assert found == "," or found in line
