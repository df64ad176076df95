"""Encoders do what scikit-learn's do, are fitted on the training rows alone, and pass through JSON unchanged."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from qstill.contract.errors import Problem
from qstill.contract.tables.dates import DateForm
from tests.testing.examples import examples
from workers.distillation.tables.dates import dates
from workers.distillation.tables.encoding import MAX_CATEGORIES, Encoding, fitted
from workers.distillation.tables.frame import Frame, Numbers, spelled, words_of

words = st.lists(st.sampled_from(["", "a", "b", "c", "d", "e", "f"]), min_size=4, max_size=40)


@given(train=words, others=words)
@settings(max_examples=examples(50))
def test_words_become_what_scikit_learn_makes_of_them(train: list[str], others: list[str]) -> None:
    encoding = fitted(Frame({"w": words_of(train)}), {"w": ("categorical", None)}, [], [])
    theirs = OneHotEncoder(
        min_frequency=2, max_categories=MAX_CATEGORIES, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    kept = [word for word in train if word]
    if not kept:
        return
    theirs.fit(np.array(kept)[:, None])
    names = [str(name) for name in theirs.get_feature_names_out(["w"])]
    ours = [name.replace("w=another", "w_infrequent_sklearn").replace("w=", "w_") for name in encoding.inputs()]
    asked = [word for word in others if word] or ["a"]
    found = encoding.encode(Frame({"w": words_of(asked)}))
    expected = theirs.transform(np.array(asked)[:, None])
    for place, name in enumerate(ours):
        if not name.endswith("is missing"):
            np.testing.assert_array_equal(found[:, place], expected[:, names.index(name)])


@given(
    train=st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=1, max_size=30),
    others=st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=1, max_size=30),
)
@settings(max_examples=examples(50))
def test_numbers_become_what_scikit_learn_makes_of_them(train: list[float], others: list[float]) -> None:
    if np.isnan(train).all():
        return
    encoding = fitted(Frame({"n": Numbers(np.array(train))}), {"n": ("numeric", None)}, [], [])
    theirs = SimpleImputer(strategy="median", add_indicator=True).fit(np.array(train)[:, None])
    found = encoding.encode(Frame({"n": Numbers(np.array(others))}))
    np.testing.assert_array_equal(found, theirs.transform(np.array(others)[:, None]).astype(np.float32))


@given(st.lists(st.datetimes(datetime(1, 3, 1), datetime(9999, 12, 30)), min_size=1, max_size=20))
@settings(max_examples=examples(50))
def test_dates_are_those_of_the_calendar(moments: list[datetime]) -> None:
    moments = [moment.replace(microsecond=0, tzinfo=UTC) for moment in moments]
    cells = [moment.isoformat()[:19] for moment in moments]
    found = dates(cells, DateForm(order="ymd", sign="-", before_time="T"))
    first = datetime(1970, 1, 1, tzinfo=UTC)
    days = [(moment - first).total_seconds() / 86400 for moment in moments]
    np.testing.assert_allclose(found[:, 0], days, rtol=0, atol=1e-6)
    hours = [moment.hour + moment.minute / 60 + moment.second / 3600 for moment in moments]
    rest = [[moment.month, moment.day, moment.weekday()] for moment in moments]
    np.testing.assert_array_equal(found[:, 1:4], rest)
    np.testing.assert_allclose(found[:, 4], hours)


def test_parameters_are_plain_json() -> None:
    frame = Frame(
        {
            "n": Numbers(np.array([1.0, np.nan, 3.0])),
            "d": words_of(["2024-01-31", "", "2024-02-01"]),
            "w": words_of(["a", "a", "b"]),
            "t": words_of(["yes", "no", ""]),
        }
    )
    form = DateForm(order="ymd", sign="-")
    kinds = {"n": ("numeric", None), "d": ("date", form), "w": ("categorical", None), "t": ("boolean", None)}
    encoding = fitted(frame, kinds, ["id"], ["-9"])
    again = Encoding.model_validate_json(encoding.model_dump_json())
    assert again == encoding
    np.testing.assert_array_equal(again.encode(frame), encoding.encode(frame))
    assert encoding.encode(frame).shape == (3, len(encoding.inputs())) == (3, len(encoding.measured()))
    yes_or_no = [name for name, measured in zip(encoding.inputs(), encoding.measured(), strict=True) if not measured]
    assert yes_or_no == ["n is missing", "d is missing", "w=a", "w=another", "t is missing"]


def test_a_column_that_is_not_there_is_named() -> None:
    encoding = fitted(Frame({"n": Numbers(np.ones(2))}), {"n": ("numeric", None)}, [], [])
    with pytest.raises(Problem, match="no column 'n', which is read; there are m"):
        encoding.encode(Frame({"m": Numbers(np.ones(2))}))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_spelled_as_tables_do(value: float) -> None:
    assert float(spelled(value)) == value
    assert "." not in spelled(float(round(min(max(value, -1e9), 1e9))))
