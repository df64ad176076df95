"""What is refused at the door, and how fast."""

from typing import Any

import pytest

from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.circuits.cost.json_profile import active_qubits
from qstill.contract.circuits.formats import JsonCircuit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.openqasm3.reader import elaborate
from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
GIBIBYTE = 2**30


def json_job(*operations: dict[str, Any], qubits: int, shots: int = 1000) -> CircuitJob:
    circuit = {"format": "json", "qubits": qubits, "operations": list(operations)}
    return CircuitJob.model_validate({"circuit": circuit, "shots": shots})


def test_a_statevector_of_40_qubits_is_told_what_it_needs_and_what_there_is() -> None:
    problem = problem_of(admit, json_job(*entangled(40), qubits=40), Limits(memory_available=20 * GIBIBYTE))
    assert (problem.code, problem.pointer) == ("needs_more_memory", "/circuit/qubits")
    assert "16 TiB" in problem.title
    assert "20 GiB" in problem.title
    assert problem.ways_out[0]["active_qubits"] == 30


def entangled(qubits: int) -> list[dict[str, Any]]:
    """All with all, and not Clifford: nothing but a statevector holds it."""
    pairs = [(a, b) for a in range(qubits) for b in range(a)]
    turned = {"gate": "rx", "targets": list(range(qubits)), "rotation": 0.3}
    return [turned, *({"gate": "zz", "targets": [a, b], "rotation": 0.2} for a, b in pairs)]


def test_what_would_work_is_said_with_its_reasons() -> None:
    refusal = problem_of(admit, json_job(*entangled(40), qubits=40), Limits(memory_available=20 * GIBIBYTE))
    told = {way["method"]: way["why_not"] for way in refusal.ruled_out}
    assert told["stabilizer"] == "rx on qubit 0 is not a Clifford gate"
    assert "max_bond_dimension" in told["matrix_product_state"]


def test_a_clifford_circuit_of_a_thousand_qubits_needs_no_statevector() -> None:
    gates = [{"gate": "h", "target": 0}, *({"gate": "x", "target": q + 1, "control": q} for q in range(999))]
    admit(json_job(*gates, qubits=1000), Limits(memory_available=GIBIBYTE))


def test_idle_qubits_do_not_count() -> None:
    job = json_job(
        {"gate": "h", "target": 0},
        {"gate": "x", "target": 999, "control": 0},
        {"gate": "barrier"},
        {"gate": "reset", "target": 5},
        {"gate": "measure", "targets": list(range(1000))},
        qubits=1000,
    )
    assert isinstance(job.circuit, JsonCircuit)
    assert active_qubits(job.circuit) == {0, 999}
    admit(job, Limits(memory_available=64))


def test_the_memory_decides_to_the_byte() -> None:
    job = json_job({"gate": "t", "targets": [0, 1, 2]}, qubits=3)
    job = job.model_copy(update={"method": "statevector"})
    admit(job, Limits(memory_available=128))
    with pytest.raises(Problem, match="3 active qubits"):
        admit(job, Limits(memory_available=127))


def test_a_histogram_of_gigabytes_is_refused() -> None:
    job = json_job({"gate": "h", "targets": list(range(25))}, qubits=4000, shots=10_000_000)
    refusal = problem_of(admit, job, Limits(memory_available=GIBIBYTE))
    assert (refusal.code, refusal.pointer) == ("histogram_too_large", "/shots")


def test_every_target_and_pauli_term_counts_as_an_operation() -> None:
    layer = {"gate": "h", "targets": list(range(1000))}
    refusal = problem_of(admit, json_job(*[layer] * 201, qubits=1000), Limits(memory_available=GIBIBYTE))
    assert (refusal.code, refusal.pointer) == ("too_many_operations", "/circuit/operations")


HOSTILE = {
    "register": ("qubit[1000000] q;", "too_many_qubits"),
    "underscores": ("qubit [ 1_000_000 ] q;", "too_many_qubits"),
    "hexadecimal": ("qubit[0xF4240] q;", "too_many_qubits"),
    "old register": ("qreg q [10000000];", "too_many_qubits"),
    "bits": ("bit[100000000] c;", "too_many_bits"),
    "many small": ("".join(f"qubit a{index};" for index in range(5000)), "too_many_qubits"),
    "astronomic": (f"qubit[{'9' * 5000}] q;", "qasm_invalid"),
    "hardware": ("h $10000000;", "too_many_qubits"),
    "parentheses": ("qubit q; rx(" + "(" * 20_000 + "1" + ")" * 20_000 + ") q;", "qasm_too_deep"),
    "minus": ("qubit q; rx(" + "-" * 20_000 + "1) q;", "qasm_too_deep"),
    "a comment of a megabyte": ("/*" + "x" * 1_000_000 + "*/ qubit[1000000] q;", "too_many_qubits"),
    "branches": ("bit c; qubit q; " + "if (c) " * 5000 + "x q;", "qasm_too_deep"),
    "loop": ("qubit q; for int i in [0:100000000] { x q; }", "qasm_loop_too_long"),
    "loop backwards": ("qubit q; for int i in [100000000:-1:0] { x q; }", "qasm_loop_too_long"),
    "include": ('include "/etc/passwd";', "qasm_include"),
    "after a comment": ("// harmless\r qubit[1000000] q;", "too_many_qubits"),
    "open comment": ("/* qubit q;", "qasm_invalid"),
    "half a megabyte of quotes": ('"' * 500_000 + "(" * 100, "qasm_invalid"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_is_refused_by_its_line(name: str) -> None:
    source, code = HOSTILE[name]
    refusal = problem_of(elaborate, HEAD + source)
    assert (refusal.code, refusal.pointer) == (code, "/circuit/source")
    assert refusal.title.startswith("Line ")


def test_the_version_is_read() -> None:
    with pytest.raises(Problem, match="This is OpenQASM 2"):
        elaborate("OPENQASM 2.0; qreg q[2];")


HARMLESS = [
    "qubit[4096] q;",
    "/* qubit[1000000] q; */ // qubit[1000000] q;\nqubit q;",
    "qubit q; for int i in [0:99999] { x q; }",
    "qubit[2] q; ctrl @ x q[0], q[1];",
    'bit[2] c; qubit q; if (c == "01") { x q; }',
]


@pytest.mark.parametrize("source", HARMLESS)
def test_a_harmless_source_passes(source: str) -> None:
    elaborate(HEAD + source)


def template_job(template: dict[str, Any], **more: Any) -> CircuitJob:
    return CircuitJob.model_validate({"circuit": {"format": "template", "template": template}} | more)


GHZ_OF_100 = {"name": "ghz", "qubits": 100}
DAMPING = {
    "model": "custom",
    "gates": [{"gate": "any_one_qubit", "error": {"kind": "amplitude_damping", "gamma": 0.01}}],
}
IMPOSSIBLE_TEMPLATES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    (GHZ_OF_100, {"method": "statevector"}, "needs_more_memory", "/circuit/template"),
    (GHZ_OF_100, {"outputs": ["probabilities"]}, "needs_more_memory", "/circuit/template"),
    (GHZ_OF_100, {"noise": DAMPING}, "needs_more_memory", "/circuit/template"),
    (GHZ_OF_100, {"shots": 10_000_000}, "histogram_too_large", "/shots"),
    ({"name": "random_clifford", "qubits": 30}, {"method": "density_matrix"}, "needs_more_memory", "/method"),
    ({"name": "quantum_volume", "qubits": 12}, {"method": "stabilizer"}, "method_cannot", "/method"),
    ({"name": "teleportation"}, {"method": "statevector"}, "method_cannot", "/method"),
    ({"name": "ghz"}, {"bindings": [{"theta": 1.0}]}, "unknown_parameter", "/bindings/0/theta"),
]


@pytest.mark.parametrize(("template", "more", "code", "pointer"), IMPOSSIBLE_TEMPLATES)
def test_an_impossible_template_is_refused_at_the_door(
    template: dict[str, Any], more: dict[str, Any], code: str, pointer: str
) -> None:
    refusal = problem_of(admit, template_job(template, **more), Limits(memory_available=GIBIBYTE))
    assert (refusal.code, refusal.pointer) == (code, pointer)


def test_a_template_keeps_the_limit_of_qubits() -> None:
    limits = Limits(memory_available=GIBIBYTE, qubits=12)
    admit(template_job({"name": "bernstein_vazirani", "secret": "1" * 11}), limits)
    with pytest.raises(Problem, match="The circuit has 13 qubits; 12 are allowed") as refusal:
        admit(template_job({"name": "bernstein_vazirani", "secret": "1" * 12}), limits)
    assert (refusal.value.code, refusal.value.pointer) == ("too_many_qubits", "/circuit/template")


def test_a_template_is_refused_as_the_same_circuit_in_json_is() -> None:
    chain = [{"gate": "h", "target": 0}, *({"gate": "x", "target": q + 1, "control": q} for q in range(99))]
    written = {"circuit": {"format": "json", "qubits": 100, "operations": chain}, "method": "statevector"}
    refusals = []
    for job in (template_job(GHZ_OF_100, method="statevector"), CircuitJob.model_validate(written)):
        refusal = problem_of(admit, job, Limits(memory_available=GIBIBYTE))
        refusals.append((refusal.code, refusal.title, refusal.ways_out))
    assert refusals[0] == refusals[1]
