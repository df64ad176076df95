"""What IonQ's clients send becomes the circuit they mean, and what is wrong in it is named in their own fields."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.ionq.machines import machine, machines
from app.ionq.schemas import BELL_JOB, JobRequest
from app.ionq.translate import as_compiled, circuit_job, in_their_words, remarks, work_of
from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.circuits.formats import JsonCircuit, OpenQasm3Circuit
from qstill.contract.circuits.outputs import WHERE_POSSIBLE
from tests.testing.refusals import problem_of

MEMORY = 1 << 34
REQUESTS: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)
QUBITS = 5

Json = dict[str, Any]


def read(body: Json) -> JobRequest:
    return REQUESTS.validate_python(body)


def job_of(body: Json) -> Any:
    request = read(body)
    return circuit_job(work_of(request), request, machine(request.backend, MEMORY))


def circuit_body(*gates: Json, gateset: str = "qis", **more: Any) -> Json:
    given = {"gateset": gateset, "qubits": QUBITS, "circuit": list(gates)}
    return {"type": "ionq.circuit.v1", "backend": "simulator", "input": given} | more


angles = st.floats(-10, 10)
places = st.permutations(range(QUBITS))


@st.composite
def qis_gates(draw: st.DrawFn) -> Json:
    first, second, third, *_ = draw(places)
    kind = draw(st.sampled_from(["plain", "rotation", "two", "controlled", "phase", "pauliexp", "cnot", "swap"]))
    match kind:
        case "plain":
            return {"gate": draw(st.sampled_from(["x", "not", "y", "z", "h", "s", "si", "t", "ti", "v", "vi"]))} | (
                {"target": first} if draw(st.booleans()) else {"targets": [first, second]}
            )
        case "rotation":
            return {"gate": draw(st.sampled_from(["rx", "ry", "rz"])), "target": first, "rotation": draw(angles)}
        case "two":
            name = draw(st.sampled_from(["xx", "yy", "zz"]))
            return {"gate": name, "targets": [first, second], "rotation": draw(angles)}
        case "controlled":
            return {
                "gate": draw(st.sampled_from(["x", "y", "z", "h"])),
                "targets": [first],
                "controls": [second, third],
            }
        case "phase":
            return {"gate": "z", "targets": [first], "controls": [second], "rotation": draw(angles)}
        case "pauliexp":
            return {
                "gate": "pauliexp",
                "targets": [first, second],
                "terms": ["XX", "ZZ"],
                "coefficients": [draw(angles), draw(angles)],
                "time": draw(st.floats(0, 3)),
            }
        case "cnot":
            return {"gate": "cnot", "target": first, "control": second}
        case _:
            return {"gate": "swap", "targets": [first, second]}


@st.composite
def native_gates(draw: st.DrawFn) -> Json:
    first, second, *_ = draw(places)
    match draw(st.sampled_from(["gpi", "gpi2", "ms", "angle", "phase"])):
        case "ms":
            phases = [draw(angles), draw(angles)]
            angle = {"angle": draw(angles)} if draw(st.booleans()) else {}
            return {"gate": "ms", "targets": [first, second], "phases": phases} | angle
        case "angle" | "phase" as name:  # Qiskit says angle, Cirq says phase
            return {"gate": "zz", "targets": [first, second], name: draw(angles)}
        case name:
            return {"gate": name, "target": first, "phase": draw(angles)}


@given(st.lists(qis_gates(), max_size=6))
def test_gates_are_kept_as_they_are(gates: list[Json]) -> None:
    circuit = job_of(circuit_body(*gates)).circuit
    assert isinstance(circuit, JsonCircuit)
    assert circuit.qubits == QUBITS
    assert [operation.model_dump(exclude_none=True) for operation in circuit.operations] == gates


@given(st.lists(native_gates(), max_size=6))
def test_native_gates_are_kept_as_they_are(gates: list[Json]) -> None:
    circuit = job_of(circuit_body(*gates, gateset="native")).circuit
    assert [operation.model_dump(exclude_none=True) for operation in circuit.operations] == gates


@given(st.lists(qis_gates(), min_size=1, max_size=3), st.text(), st.recursive(st.none() | st.integers(), st.lists))
def test_what_is_not_known_is_ignored(gates: list[Json], key: str, value: Any) -> None:
    extra = {f"_{key}": value}
    plain, decorated = circuit_body(*gates), circuit_body(*(gate | extra for gate in gates)) | extra
    decorated["input"] |= extra
    assert job_of(plain) == job_of(decorated)


def test_qubits_may_be_written_as_json_numbers_with_a_point() -> None:
    written = circuit_body({"gate": "x", "targets": [1.0]})
    assert job_of(written) == job_of(circuit_body({"gate": "x", "targets": [1]}))


@pytest.mark.parametrize(("sent", "shots"), [(100, 100), ("100", 100), (100.0, 100), (None, 100)])
def test_shots_may_be_text(sent: Any, shots: int) -> None:
    assert job_of(circuit_body(shots=sent)).shots == shots


@pytest.mark.parametrize("sent", [0, "0", "", "many", "1e3", -1, 1.5, True, 10**7, [1], "9" * 30])
def test_other_shots_are_refused(sent: Any) -> None:
    with pytest.raises(ValidationError):
        read(circuit_body(shots=sent))


def test_several_circuits_are_one_batch_as_wide_as_the_widest() -> None:
    circuits = [{"name": "a", "circuit": [{"gate": "x", "target": 0}]}, {"circuit": [{"gate": "x", "targets": [3]}]}]
    body = {"type": "ionq.multi-circuit.v1", "backend": "simulator", "input": {"circuits": circuits}}
    assert [circuit.qubits for circuit in job_of(body).programs] == [4, 4]
    body["input"] = {"circuits": circuits, "qubits": 7}
    assert [circuit.qubits for circuit in job_of(body).programs] == [7, 7]


def test_each_of_several_circuits_may_have_a_gateset_of_its_own() -> None:
    circuits = [
        {"circuit": [{"gate": "x", "target": 0}]},
        {"gateset": "native", "circuit": [{"gate": "gpi", "target": 0, "phase": 0.1}]},
    ]
    body = {"type": "ionq.multi-circuit.v1", "backend": "simulator", "input": {"gateset": "qis", "circuits": circuits}}
    assert [circuit.operations[0].gate for circuit in job_of(body).programs] == ["x", "gpi"]


@given(st.text(min_size=1).filter(lambda source: "\0" not in source))
def test_a_program_in_openqasm_is_passed_on_unread(source: str) -> None:
    """Whether its probabilities are exact is for the worker to say."""
    body = {"type": "ionq.qasm3.v1", "backend": "simulator", "input": {"data": source, "qubits": 3}}
    made = job_of(body)
    assert isinstance(made.circuit, OpenQasm3Circuit)
    assert (made.circuit.source, made.outputs) == (source, ["counts", WHERE_POSSIBLE])
    assert (work_of(read(body)).qubits, remarks(read(body), machine("simulator", MEMORY))) == (3, [])


def test_an_ideal_circuit_gives_its_exact_probabilities_and_a_noisy_one_its_shots() -> None:
    gate = {"gate": "h", "target": 0}
    assert WHERE_POSSIBLE in job_of(circuit_body(gate)).outputs
    assert WHERE_POSSIBLE in job_of(circuit_body(gate, noise={"model": "ideal", "seed": None})).outputs
    noisy = job_of(circuit_body(gate, noise={"model": "aria-1", "seed": 5}))
    assert (noisy.outputs, noisy.noise.model, noisy.seed) == (["counts"], "aria-1", 5)
    assert not noisy.ideal  # nobody could read it


@pytest.mark.parametrize(
    ("asked", "known"), [("qpu", "qpu.aria-1"), ("qpu.qpu", "qpu.aria-1"), ("ionq_simulator", "simulator")]
)
def test_backends_have_other_names_too(asked: str, known: str) -> None:
    assert machine(asked, MEMORY).name == known


@pytest.mark.parametrize("name", [place.name for place in machines(MEMORY) if place.simulated])
def test_a_machine_brings_its_own_noise_and_says_that_it_is_simulated(name: str) -> None:
    request = read(circuit_body({"gate": "x", "target": 0}, backend=name, noise={"model": "ideal"}))
    place = machine(name, MEMORY)
    made = circuit_job(work_of(request), request, place)
    assert made.noise is not None
    assert (made.noise.model == name.removeprefix("qpu.")) != place.borrows
    assert f"noise {'of' if place.borrows else 'published'}" in remarks(request, place)[0]


def test_a_circuit_wider_than_a_machine_is_refused() -> None:
    body = circuit_body(backend="qpu.harmony")
    body["input"]["qubits"] = 12
    assert (problem_of(job_of, body).code, problem_of(job_of, body).pointer) == ("not_enough_qubits", "/input/qubits")


def test_the_simulator_has_no_more_qubits_than_memory() -> None:
    assert [machine("simulator", 16 << qubits).qubits for qubits in (1, 20, 29, 35)] == [1, 20, 29, 29]


@pytest.mark.parametrize(
    ("gate", "pointer"),
    [
        ({"gate": "measure", "target": 0}, "/input/circuit/1/gate"),
        ({"gate": "gpi", "target": 0, "phase": 0.1}, "/input/circuit/1/gate"),
        ({"gate": "x", "target": QUBITS}, "/input/circuit/1/target"),
        ({"gate": "x", "targets": [0, 0]}, "/input/circuit/1/targets"),
        ({"gate": "rx", "target": 0}, "/input/circuit/1/rotation"),
        ({"gate": "zz", "targets": [0, 1], "angle": 0.1}, "/input/circuit/1/rotation"),
        ({"gate": "cnot", "target": 0}, "/input/circuit/1/control"),
        (
            {"gate": "pauliexp", "targets": [0], "terms": ["Q"], "coefficients": [1], "time": 1},
            "/input/circuit/1/terms/0",
        ),
    ],
)
def test_a_wrong_gate_is_named_where_the_client_wrote_it(gate: Json, pointer: str) -> None:
    problem = problem_of(job_of, circuit_body({"gate": "x", "target": 0}, gate))
    assert problem.pointer == pointer
    assert "/operations" not in problem.title
    several = circuit_body() | {"type": "ionq.multi-circuit.v1"}
    several["input"] = {
        "qubits": QUBITS,
        "circuits": [{"circuit": []}, {"circuit": [{"gate": "x", "target": 0}, gate]}],
    }
    assert problem_of(job_of, several).pointer == pointer.replace("/circuit/", "/circuits/1/circuit/")


def test_what_admission_refuses_is_named_in_the_clients_fields_too() -> None:
    body = {"type": "ionq.qasm3.v1", "backend": "simulator", "input": {"data": "OPENQASM 3.0; qubit[9999999] q;"}}
    caught = problem_of(admit, job_of(body), Limits(memory_available=MEMORY))
    assert in_their_words(caught).pointer == "/input/data"


@pytest.mark.parametrize("model", ["aria-9", "depolarizing", ""])
def test_other_noise_is_refused(model: str) -> None:
    assert problem_of(job_of, circuit_body(noise={"model": model})).pointer == "/noise/model"


def test_a_dry_run_takes_one_shot_and_says_so() -> None:
    request = read(circuit_body(dry_run=True, shots=1000))
    simulator = machine("simulator", MEMORY)
    made = circuit_job(work_of(request), request, simulator)
    assert (made.shots, made.outputs) == (1, ["counts"])
    assert "dry run" in remarks(request, simulator)[0]


def test_a_name_that_ours_cannot_hold_is_shortened() -> None:
    assert job_of(circuit_body(name="\x00a" * 300)).name == "a" * 200
    assert job_of(circuit_body(name="\n")).name is None


def test_the_documented_example_is_a_bell_circuit() -> None:
    assert [operation.gate for operation in job_of(BELL_JOB).circuit.operations] == ["h", "cnot"]


terms = st.lists(st.text("IXYZ", min_size=3, max_size=3), min_size=1, max_size=6)


@given(terms, st.lists(angles, min_size=6, max_size=6), st.booleans())
def test_a_sum_of_paulis_becomes_sums_that_commute_in_the_same_order(
    written: list[str], numbers: list[float], several: bool
) -> None:
    coefficients = numbers[: len(written)]
    gate = {"gate": "pauliexp", "targets": [0, 1, 2], "terms": written, "coefficients": coefficients, "time": 0.5}
    around = [{"gate": "h", "target": 0}, gate, {"gate": "x", "target": 4, "control": 1}]
    body = circuit_body(*around)
    if several:
        body = {"type": "ionq.multi-circuit.v1", "backend": "simulator"}
        body["input"] = {"qubits": QUBITS, "circuits": [{"circuit": around}]}
    job = as_compiled(job_of(body))
    first, *factors, last = job.programs[0].operations
    assert (first.gate, last.gate, {each.gate for each in factors}) == ("h", "x", {"pauliexp"})
    assert [term for each in factors for term in each.terms] == written
    assert [number for each in factors for number in each.coefficients] == coefficients
    assert {(each.time, tuple(each.acts_on)) for each in factors} == {(0.5, (0, 1, 2))}
    assert all(commute(one, other) for each in factors for one in each.terms for other in each.terms)
    for factor, following in pairwise(factors):
        assert not all(commute(term, following.terms[0]) for term in factor.terms)
    assert as_compiled(job) == job


def commute(one: str, other: str) -> bool:
    return sum("I" not in pair and pair[0] != pair[1] for pair in zip(one, other, strict=True)) % 2 == 0


def test_more_factors_than_a_circuit_may_have_are_refused_where_the_client_wrote_them() -> None:
    gate = {"gate": "pauliexp", "target": 0, "terms": ["X", "Z"] * 500, "coefficients": [0.1] * 1000, "time": 1.0}
    caught = problem_of(as_compiled, job_of(circuit_body(*[gate] * 101)))
    assert (caught.code, caught.pointer) == ("too_many_operations", "/circuit/operations")
    assert in_their_words(caught).pointer == "/input/circuit"
