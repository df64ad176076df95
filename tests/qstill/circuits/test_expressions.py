"""Expressions mean what Python says they mean, and say what is wrong with them at once."""

import re
from contextlib import suppress
from math import pi

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.expressions import MAX_EXPRESSION_CHARACTERS, ExpressionError, compile_expression
from tests.testing.examples import examples

VALUES = {"theta": 0.3, "beta_2": -1.7, "γ": 2.5}
OPERANDS = st.sampled_from(["2", "0.5", ".25", "1e-3", "3.", "pi", *VALUES])
EXPRESSIONS = st.recursive(
    OPERANDS,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=examples(200))
@given(EXPRESSIONS)
def test_an_expression_has_the_value_that_python_gives_it(text: str) -> None:
    expression = compile_expression(text)
    try:
        expected = float(eval(text, {"pi": pi} | VALUES))  # noqa: S307 - our own words only
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="zero"):
            expression.evaluate(VALUES)
        return
    assert expression.evaluate(VALUES) == pytest.approx(expected, rel=1e-12)
    assert set(expression.names) == {name for name in VALUES if name in text}


def test_names_come_in_order_of_first_use() -> None:
    assert compile_expression("b*pi + a/b - c").names == ("b", "a", "c")
    assert compile_expression("2*pi").names == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends"),
        ("2 +", "ends"),
        ("2 theta", "operator is missing before 'theta'"),
        ("2(theta)", "operator is missing before '('"),
        ("sin(theta)", "Functions are not known here: sin"),
        ("theta**2", "Powers are not known here"),
        ("theta^2", "Powers are not known here"),
        ("* 2", "missing before '*'"),
        ("2 +* 2", "missing before '*'"),
        ("(2", "not closed"),
        ("2)", "never opened"),
        ("()", "missing before ')'"),
        ("f(2)", "Functions are not known here: f"),
        ("2 ** 3", "Powers are not known here"),
        ("a.b", "no meaning"),
        ("0x10", "operator is missing"),
        ("__import__('os')", "no meaning"),
        ("1" * (MAX_EXPRESSION_CHARACTERS + 1), "256 characters"),
        ("a" * 65, "64 characters"),
        ("2; 3", "no meaning"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(words)):
        compile_expression(text)


@pytest.mark.parametrize("text", ["1/0", "1/(2 - 2)", "1e400", "1e200*1e200", "1e308*10 - 1e308*10"])
def test_an_expression_without_a_finite_value_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text).evaluate({})


@settings(max_examples=examples(200))
@given(st.text("0123.e+-*/() piabθ\n", max_size=MAX_EXPRESSION_CHARACTERS))
def test_nonsense_is_an_expression_error_and_nothing_else(text: str) -> None:
    with suppress(ExpressionError):
        expression = compile_expression(text)
        expression.evaluate(dict.fromkeys(expression.names, 0.7))


@pytest.mark.parametrize("text", ["(" * 127 + "1" + ")" * 127, "-" * 255 + "1", "1" + "*1e0" * 60, "a/" * 127 + "a"])
def test_the_worst_that_fits_is_computed(text: str) -> None:
    assert compile_expression(text).evaluate({"a": 1.0})
