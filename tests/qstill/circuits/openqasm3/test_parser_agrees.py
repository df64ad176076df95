"""Our parser reads what the reference parser reads, to the same tree, and refuses what that refuses."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openqasm3 import ast

from qstill.contract.circuits.openqasm3.syntax.statements import parse_program
from qstill.contract.errors import Problem
from tests.qstill.circuits.openqasm3.grammar import damaged, oddly_written, token_lists, written
from tests.qstill.circuits.openqasm3.programs import PROGRAMS, REFUSED
from tests.qstill.circuits.openqasm3.reference import is_stricter, read

ROOT = Path(__file__).parents[4]
slow_reference = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def require_agreement(text: str) -> None:
    try:
        expected = read(text)
    except AttributeError:
        assume(False)
    found, refusal = _read(text)
    assert found == expected or is_stricter(refusal) or (expected is None and calls_pow(found)), refusal


def calls_pow(program: ast.Program | None) -> bool:
    """Whether the function `pow` is called: the specification has it, and the grammar of the reference has not."""
    return "name='pow'" in repr(program)


def _read(text: str) -> tuple[ast.Program | None, str]:
    """Our tree, or None and the words of the refusal."""
    try:
        return parse_program(text), ""
    except Problem as problem:
        return None, problem.title


@pytest.mark.parametrize("text", PROGRAMS)
def test_every_rule_is_read_as_the_reference_reads_it(text: str) -> None:
    expected = read(text)
    assert expected is not None
    assert parse_program(text) == expected


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_reference_refuses_is_refused(text: str) -> None:
    assert read(text) is None
    with pytest.raises(Problem):
        parse_program(text)


@slow_reference
@given(token_lists().flatmap(lambda tokens: st.one_of(st.just(written(tokens)), oddly_written(tokens))))
def test_programs_are_read_as_the_reference_reads_them(text: str) -> None:
    require_agreement(text)


@slow_reference
@given(token_lists(rule="statement", depth=7).flatmap(damaged).map(written))
def test_damaged_programs_are_read_or_refused_as_the_reference_does(text: str) -> None:
    require_agreement(text)


@slow_reference
@given(st.text(alphabet=" \n01_.eE+-*/<>=&|^~!%@#$\"'[](){};:,abims", max_size=12))
def test_any_text_is_read_or_refused_as_the_reference_does(text: str) -> None:
    require_agreement(f"a {text} ;")


def _sources() -> list[str]:
    """All OpenQASM 3 in the repository: in bodies of examples and documents, and in strings of tests."""
    found = set()
    for folder in ("tests", "docs", "examples", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".md", ".json", ".qasm"):
                text = path.read_text(encoding="utf-8")
                found |= {
                    bytes(source, "utf-8").decode("unicode_escape") if "\\n" in source else source
                    for source in re.findall(r'(OPENQASM 3(?:[^"\\]|\\.)*)', text)
                }
    return sorted(found)


def test_every_program_of_the_repository_is_read_or_refused_as_the_reference_does() -> None:
    sources = _sources()
    assert len(sources) > 10
    for source in sources:
        require_agreement(source)
