"""What is refused in OpenQASM 2 by its text alone, and how fast."""

from contextlib import suppress

import pytest

from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.openqasm2.reader import MAX_DOOR_TOKENS, check_openqasm2, read_openqasm2
from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'


def doubling(levels: int) -> str:
    gates = "".join(f"gate g{i} a{{g{i - 1} a;g{i - 1} a;}}" for i in range(1, levels))
    return "gate g0 a{x a;x a;}" + gates + f"qreg q[1];g{levels - 1} q[0];"


def chain(levels: int) -> str:
    return "gate g0 a{x a;}" + "".join(f"gate g{i} a{{g{i - 1} a;}}" for i in range(1, levels)) + "qreg q[1];"


HOSTILE = {
    "doubling": (doubling(20), "too_many_operations"),
    "doubling without end": (doubling(60), "too_many_operations"),
    "doubling under a condition": (doubling(20).replace(";g19 ", ";creg c[1];if(c==1) g19 "), "too_many_operations"),
    "doubling over a register": (doubling(10).replace("[1]", "[4096]").replace("q[0]", "q"), "too_many_operations"),
    "broadcasts": ("qreg q[4096];" + "h q;" * 1000, "too_many_operations"),
    "broadcast measurements": ("qreg q[4096];creg c[4096];" + "measure q->c;" * 1000, "too_many_operations"),
    "a chain of definitions": (chain(1000), "qasm_too_deep"),
    "register": ("qreg q[10000000];", "too_many_qubits"),
    "register over lines": ("qreg // harmless\n q [ 10000000 ] ;", "too_many_qubits"),
    "many small": ("".join(f"qreg a{i}[1];" for i in range(5000)), "too_many_qubits"),
    "bits": ("creg c[100000000];", "too_many_bits"),
    "astronomic": (f"qreg q[{'9' * 5000}];", "too_many_qubits"),
    "index": (f"qreg q[1]; x q[{'9' * 30}];", "qasm_invalid"),
    "condition": (f"qreg q[1]; creg c[1]; if(c=={'9' * 5000}) x q[0];", "qasm_invalid"),
    "parentheses": ("qreg q[1]; rx(" + "(" * 20_000 + "1" + ")" * 20_000 + ") q[0];", "qasm_too_deep"),
    "functions": ("qreg q[1]; rx(" + "sin(" * 20_000 + "1" + ")" * 20_000 + ") q[0];", "qasm_too_deep"),
    "signs": ("qreg q[1]; rx(" + "-+" * 20_000 + "1) q[0];", "qasm_too_deep"),
    "powers": ("qreg q[1]; rx(" + "1^" * 20_000 + "1) q[0];", "qasm_too_deep"),
    "include": ('include "/etc/passwd";', "qasm_include"),
    "include, other quotes": ("include '../qelib1.inc';", "qasm_include"),
    "opaque": ("opaque g a; qreg q[1]; g q[0];", "qasm_unsupported"),
    "open comment": ("/* qreg q[1];", "qasm_invalid"),
    "half a megabyte of quotes": ('"' * 500_000 + "(" * 100, "qasm_invalid"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_is_refused(name: str) -> None:
    source, code = HOSTILE[name]
    refusal = problem_of(read_openqasm2, HEAD + source)
    assert (refusal.code, refusal.pointer) == (code, "/circuit/source")
    assert refusal.title.startswith("Line ")


@pytest.mark.parametrize("source", [doubling(20), "qreg q[1];" + "x q;" * 200_000])
def test_the_door_refuses_too_many_operations_too(source: str) -> None:
    job = CircuitJob.model_validate({"circuit": {"format": "openqasm2", "source": HEAD + source}})
    with pytest.raises(Problem, match="operations"):
        admit(job, Limits(memory_available=2**30))


@pytest.mark.parametrize("version", ["3.0", "3", "99999999999999999999999.0"])
def test_the_version_is_read(version: str) -> None:
    assert problem_of(check_openqasm2, f"OPENQASM {version}; qreg q[2];").code == "qasm_version"


HARMLESS = [
    "qreg q[4096];",
    "/* qreg q[1000000]; */ // qreg q[1000000];\nqreg q[1];",
    doubling(17),
    doubling(12) + "g11 q[0];" * 20,
    "gate unused a { x a; } qreg q[2]; creg c[2]; measure q -> c; if(c==1) x q[0]; barrier q;",
    "qreg q[1]; opaque unused a; gate empty a { }",
    chain(60),
]


@pytest.mark.timeout(20)  # quadratic time would be hours; alone on a core it is 0.1 s
@pytest.mark.parametrize(
    "piece", ["a", " ", "qreg ", "if(", "- ;", "gate a ", "OPENQASM 1.", "include ", "== ", ") (", "{}"]
)
def test_no_pattern_takes_quadratic_time(piece: str) -> None:
    with suppress(Problem):
        check_openqasm2(piece * (300_000 // len(piece)))


@pytest.mark.parametrize("source", HARMLESS)
def test_a_harmless_source_passes(source: str) -> None:
    check_openqasm2(HEAD + source)
    read_openqasm2(HEAD + source)


def test_what_stands_behind_the_first_words_is_left_to_the_worker() -> None:
    source = HEAD + "qreg q[1];" + "x q[0];" * MAX_DOOR_TOKENS + "undefined q[0];"
    check_openqasm2(source)
    with pytest.raises(Problem, match="'undefined' is not defined"):
        read_openqasm2(source)


def test_a_program_of_more_than_a_megabyte_is_let_in_and_read_whole() -> None:
    """QASMBench has one of 1.48 MB."""
    statement = "rz(0.1234567890123456789) q[0];" + " " * 500 + "\n"
    source = HEAD + "qreg q[1];\n" + statement * 2_800
    assert len(source) > 1_480_000
    admit(
        CircuitJob.model_validate({"circuit": {"format": "openqasm2", "source": source}}),
        Limits(memory_available=2**30),
    )
    assert len(read_openqasm2(source).statements) == 2_800
