"""Refusals say where, what was found and what should stand there; nothing exhausts the parser."""

import pytest
from openqasm3.ast import IndexedIdentifier, QuantumGate, Span

from qstill.contract.circuits.openqasm3.syntax.expressions import MAX_HEIGHT
from qstill.contract.circuits.openqasm3.syntax.statements import parse_program
from qstill.contract.circuits.source_text import MAX_NESTING
from qstill.contract.errors import Problem
from tests.qstill.circuits.openqasm3.programs import PROGRAMS
from tests.qstill.circuits.openqasm3.reference import read
from tests.testing.refusals import problem_of


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("qubit q;\nh q\ncx q;", "Line 3, column 1: 'cx' stands where ';' is expected."),
        ("x q", "Line 1, column 4: the end of the program stands where ';' is expected."),
        ("a = b + ;", "Line 1, column 9: ';' stands where an expression is expected."),
        ("a = (b\n  3);", "Line 2, column 3: an integer, 3, stands where ')' is expected."),
        ("h ? q;", "Line 1, column 3: The character '?' has no meaning in OpenQASM."),
        ("defcal x $q { }", "Line 1, column 10: '$' cannot stand between 'defcal' and its brace."),
        ("h q; /* never", "Line 1, column 6: A comment is not closed."),
        ("if (a) { x q;", "Line 1, column 14: the end of the program stands where a statement or '}' is expected."),
        ("x q; }", "Line 1, column 6: '}' stands where a statement is expected."),
        ("int 3;", "Line 1, column 5: an integer, 3, stands where a name is expected."),
        ("for i in [0:1] x q;", "Line 1, column 5: 'i' stands where a type is expected."),
        ("gate g q { measure q; }", "Line 1, column 12: A gate's definition cannot hold a measurement."),
        ("if (a) { qubit q; }", "Line 1, column 10: Declarations of qubits must stand outside all blocks."),
        ("uint[0] a;", "Line 1, column 5: The size of 'uint' is a positive number."),
        ("ctrl @x a, b;", "Line 1, column 6: an annotation, @x, stands where '@' is expected."),
        ("measure;", "Line 1, column 8: ';' stands where a qubit is expected."),
        ("x q; OPENQASM 3;", "Line 1, column 6: The version is the first statement of a program."),
    ],
)
def test_a_refusal_says_where_and_what(text: str, title: str) -> None:
    caught = problem_of(parse_program, text)
    assert (caught.code, caught.title) == ("qasm_invalid", title)
    assert caught.pointer == "/circuit/source"


DEEP = {
    "brackets": lambda n: "a = " + "(" * n + "1" + ")" * n + ";",
    "indices": lambda n: "a = " + "b[" * n + "1" + "]" * n + ";",
    "calls": lambda n: "a = " + "f(" * n + "1" + ")" * n + ";",
    "casts": lambda n: "a = " + "int(" * n + "1" + ")" * n + ";",
    "signs": lambda n: "a = " + "-" * n + "1;",
    "powers": lambda n: "a = " + "2 ** " * n + "1;",
    "sizes": lambda n: "a = " + "int[" * n + "1" + "](a)" * n + ";",
    "blocks": lambda n: "{" * n + "}" * n,
    "loops": lambda n: "while (a) " * n + "x q;",
    "branches": lambda n: "if (a) x q; else " * n + "x q;",
    "arrays": lambda n: "array[int, 1] a = " + "{" * n + "}" * n + ";",
    "durations": lambda n: "a = " + "durationof({ a = " * n + "1" + "; })" * n + ";",
}
HIGH = {
    "sums": lambda n: "a = 1" + " + 1" * n + ";",
    "indices in a row": lambda n: "a = b" + "[0]" * n + ";",
    "aliases": lambda n: "let a = b" + " ++ b" * n + ";",
    "indices of a statement": lambda n: "a" + "[0]" * n + ";",
}


@pytest.mark.parametrize("shape", [*DEEP, *HIGH])
@pytest.mark.parametrize("times", [200, 20_000])
def test_what_would_exhaust_a_recursive_reader_is_refused(shape: str, times: int) -> None:
    assert problem_of(parse_program, (DEEP | HIGH)[shape](times)).code == "qasm_too_deep"


@pytest.mark.parametrize("shape", DEEP)
def test_nesting_within_bounds_is_read(shape: str) -> None:
    text = DEEP[shape](MAX_NESTING // 3)
    assert parse_program(text) == read(text)


@pytest.mark.parametrize("shape", HIGH)
def test_rows_within_bounds_are_read(shape: str) -> None:
    text = HIGH[shape](MAX_HEIGHT - 1)
    assert parse_program(text) == read(text)


def test_operators_of_all_levels_in_brackets_are_read_or_refused_without_a_recursion_error() -> None:
    with pytest.raises(Problem, match=r"levels|deep"):
        parse_program("a = " + "(1 || 1 && 1 | 1 ^ 1 & 1 == 1 < 1 << 1 + 1 * -" * 60 + "1" + ")" * 60 + ";")


def test_a_number_of_a_million_digits_is_refused_or_read() -> None:
    with pytest.raises(Problem, match="too long"):
        parse_program("a = " + "1" * 1_000_000 + ";")
    parse_program("a = 0x" + "1" * 100_000 + ";")


@pytest.mark.parametrize("text", PROGRAMS)
def test_statements_and_operands_are_found_where_they_stand(text: str) -> None:
    expected, found = read(text), parse_program(text)
    assert expected is not None
    for theirs, ours in zip(expected.statements, found.statements, strict=True):
        assert ours.span == theirs.span
        if isinstance(theirs, QuantumGate) and isinstance(ours, QuantumGate):
            for their_qubit, our_qubit in zip(theirs.qubits, ours.qubits, strict=True):
                assert not isinstance(their_qubit, IndexedIdentifier) or our_qubit.span == their_qubit.span


def test_operands_written_alike_have_their_own_places() -> None:
    first, second = parse_program("cx q[0], r;\n  cx q[0], r;").statements
    assert [qubit.span for qubit in first.qubits] == [Span(1, 3, 1, 6), Span(1, 9, 1, 9)]
    assert [qubit.span for qubit in second.qubits] == [Span(2, 5, 2, 8), Span(2, 11, 2, 11)]
