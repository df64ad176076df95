"""Each error is the channel of its formula, stands where its rule says, and stands nowhere else."""

from math import exp, pi, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter
from qiskit import QuantumCircuit
from qiskit.circuit.library import RGate, UnitaryGate, XGate
from qiskit.quantum_info import Operator, SuperOp, random_unitary
from qiskit_aer import AerSimulator

from app.circuits.noise import IONQ_RATES, ONE_QUBIT_GATES, TWO_QUBIT_GATES, Noise, as_custom
from app.circuits.schemas import CircuitJob
from app.errors import Problem
from tests.workers.circuits.circuit_strategies import circuits, pauli_string
from workers.circuits import locations
from workers.circuits.engines.aer import translate
from workers.circuits.locations import MAX_DECOMPOSED_QUBITS, name_of
from workers.circuits.noise import _channel, for_noise, noise_cost, noise_model, readout_matrix
from workers.circuits.parse import parse

Matrix = NDArray[np.complex128]
NOISE: TypeAdapter[Noise] = TypeAdapter(Noise)
AER = AerSimulator(method="density_matrix")
PROBABILITIES = st.floats(0, 1) | st.sampled_from([0.0, 1.0])


def noise_of(**fields: Any) -> Noise:
    return NOISE.validate_python(fields)


def custom(*gates: dict[str, Any], readout: tuple[dict[str, Any], ...] = ()) -> Noise:
    return noise_of(model="custom", gates=list(gates), readout=list(readout))


def density(circuit: QuantumCircuit, noise: Noise, *, qubits: list[int] | None = None) -> Matrix:
    """The final density matrix, measurements left out, through everything that a job goes through."""
    located = for_noise(circuit, noise)
    model = noise_model(noise, located, qubits=range(circuit.num_qubits) if qubits is None else qubits)
    translated = translate(located.remove_final_measurements(inplace=False) or located)
    translated.save_density_matrix()
    result = AER.run(translated, noise_model=model).result()
    assert result.success, result.status
    return np.asarray(result.data()["density_matrix"].data)


def ideal(circuit: QuantumCircuit) -> Matrix:
    bare = circuit.remove_final_measurements(inplace=False)
    state = Operator(bare).data[:, 0]
    return np.outer(state, state.conj())


def close(actual: Matrix, expected: Matrix) -> None:
    np.testing.assert_allclose(actual, expected, atol=1e-7)


def depolarized(rho: Matrix, p: float) -> Matrix:
    return (1 - p) * rho + p * np.eye(len(rho)) / len(rho)


def pauli_mixed(rho: Matrix, terms: dict[str, float]) -> Matrix:
    rest = (1 - sum(terms.values())) * rho
    return rest + sum(p * pauli_string(term) @ rho @ pauli_string(term) for term, p in terms.items())


def relaxed(rho: Matrix, *, t1: float, t2: float, nanoseconds: float, excited: float) -> Matrix:
    """One qubit: populations go to equilibrium with T1, coherences to 0 with T2 (microseconds)."""
    kept, coherent = exp(-nanoseconds / 1000 / t1), exp(-nanoseconds / 1000 / t2)
    one = excited + (rho[1, 1] - excited) * kept
    return np.array([[1 - one, rho[0, 1] * coherent], [rho[1, 0] * coherent, one]])


def amplitude_damped(rho: Matrix, gamma: float) -> Matrix:
    shrunk = rho[0, 1] * sqrt(1 - gamma)
    return np.array([[rho[0, 0] + gamma * rho[1, 1], shrunk], [shrunk.conjugate(), (1 - gamma) * rho[1, 1]]])


def phase_damped(rho: Matrix, gamma: float) -> Matrix:
    return rho * np.array([[1, sqrt(1 - gamma)], [sqrt(1 - gamma), 1]])


def one_gate(seed: int) -> QuantumCircuit:
    """One qubit in any pure state, by one gate."""
    circuit = QuantumCircuit(1)
    circuit.append(UnitaryGate(random_unitary(2, seed=seed)), [0])
    return circuit


def two_qubit_gate(seed: int) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.append(UnitaryGate(random_unitary(4, seed=seed)), [0, 1])
    return circuit


SEEDS = st.integers(0, 1000)


@settings(max_examples=30)
@given(PROBABILITIES, PROBABILITIES, SEEDS)
def test_depolarizing_mixes_with_the_identity(one: float, two: float, seed: int) -> None:
    noise = noise_of(model="depolarizing", one_qubit=one, two_qubit=two)
    for circuit, p in ((one_gate(seed), one), (two_qubit_gate(seed), two)):
        close(density(circuit, noise), depolarized(ideal(circuit), p))


@settings(max_examples=30)
@given(
    st.floats(0.001, 1000),
    st.floats(0.01, 2),
    st.floats(0, 1e6),
    PROBABILITIES,
    SEEDS,
)
def test_thermal_relaxation_follows_t1_and_t2(t1: float, ratio: float, time: float, excited: float, seed: int) -> None:
    t2 = min(ratio * t1, 2 * t1)
    fields = {"t1": t1, "t2": t2, "excited_population": excited}
    noise = noise_of(model="thermal_relaxation", **fields, one_qubit_time=time, two_qubit_time=0)
    circuit = one_gate(seed)
    expected = relaxed(ideal(circuit), t1=t1, t2=t2, nanoseconds=time, excited=excited)
    close(density(circuit, noise), expected)


def test_both_qubits_of_a_gate_relax_for_as_long_as_it_takes_and_a_measured_one_before_it_is_read() -> None:
    noise = noise_of(model="thermal_relaxation", t1=1, t2=1.5, one_qubit_time=0, two_qubit_time=300, measure_time=500)
    circuit = QuantumCircuit(2, 1)
    circuit.swap(0, 1)
    circuit.x(0)
    circuit.x(1)
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    kept, kept_longer = exp(-0.3), exp(-0.3 - 0.5)
    populations = np.kron([1 - kept_longer, kept_longer], [1 - kept, kept])
    close(density(circuit, noise), np.diag(populations))


@settings(max_examples=30)
@given(PROBABILITIES, SEEDS)
def test_damping_shrinks_amplitudes_and_phases(gamma: float, seed: int) -> None:
    circuit = one_gate(seed)
    for kind, formula in (("amplitude_damping", amplitude_damped), ("phase_damping", phase_damped)):
        noise = custom({"gate": "any_one_qubit", "error": {"kind": kind, "gamma": gamma}})
        close(density(circuit, noise), formula(ideal(circuit), gamma))


@settings(max_examples=30)
@given(st.dictionaries(st.text("IXYZ", min_size=2, max_size=2), st.floats(0, 1), min_size=1, max_size=5), SEEDS)
def test_pauli_errors_come_with_their_probability(weights: dict[str, float], seed: int) -> None:
    total = 1.2 * sum(weights.values()) + 1e-3
    terms = {term: weight / total for term, weight in weights.items() if term != "II"} or {"XY": 0.25}
    circuit = two_qubit_gate(seed)
    noise = custom({"gate": "unitary2", "error": {"kind": "pauli", "terms": terms}})
    close(density(circuit, noise), pauli_mixed(ideal(circuit), terms))


def test_the_rightmost_letter_acts_on_the_gates_first_qubit() -> None:
    circuit = QuantumCircuit(3)
    circuit.cx(2, 0)
    noise = custom({"gate": "cnot", "error": {"kind": "pauli", "terms": {"IX": 1}}})
    assert density(circuit, noise)[0b100, 0b100] == pytest.approx(1)


@st.composite
def kraus(draw: st.DrawFn) -> list[Matrix]:
    """Any channel on one or two qubits: an isometry cut into squares."""
    size, count = draw(st.sampled_from([2, 4])), draw(st.sampled_from([1, 2, 4]))
    isometry = random_unitary(size * count, seed=draw(SEEDS)).data[:, :size]
    return list(isometry.reshape(count, size, size))


def as_pairs(operators: list[Matrix], digits: int) -> list[list[list[list[float]]]]:
    return [
        [[[round(float(entry.real), digits), round(float(entry.imag), digits)] for entry in row] for row in operator]
        for operator in operators
    ]


@settings(max_examples=30)
@given(kraus(), st.sampled_from([7, 17]), SEEDS)
def test_kraus_operators_are_applied_even_where_they_were_rounded(
    operators: list[Matrix], digits: int, seed: int
) -> None:
    circuit = one_gate(seed) if len(operators[0]) == 2 else two_qubit_gate(seed)
    gate = "any_one_qubit" if len(operators[0]) == 2 else "any_two_qubit"
    noise = custom({"gate": gate, "error": {"kind": "kraus", "operators": as_pairs(operators, digits)}})
    rho = ideal(circuit)
    expected = np.sum([k @ rho @ k.conj().T for k in operators], axis=0)
    np.testing.assert_allclose(density(circuit, noise), expected, atol=1e-6)


@settings(max_examples=20)
@given(PROBABILITIES, PROBABILITIES, st.booleans())
def test_readings_are_wrong_with_their_probability(p01: float, p10: float, prepared: bool) -> None:
    shots = 4000
    noise = noise_of(model="readout", p01=p01, p10=p10)
    circuit = QuantumCircuit(1, 1)
    if prepared:
        circuit.x(0)
    circuit.measure(0, 0)
    located = for_noise(circuit, noise)
    model = noise_model(noise, located, qubits=[0])
    ones = AER.run(located, noise_model=model, shots=shots, seed_simulator=1).result().get_counts().get("1", 0)
    expected = 1 - p10 if prepared else p01
    assert abs(ones - shots * expected) <= 6 * sqrt(shots * expected * (1 - expected)) + 1
    matrix = readout_matrix(noise, 0)
    np.testing.assert_allclose(np.eye(2) if matrix is None else matrix, [[1 - p01, p01], [p10, 1 - p10]])


def test_readout_rules_of_a_qubit_follow_one_another() -> None:
    noise = custom(readout=({"p01": 0.1, "p10": 0.2}, {"qubits": [5], "matrix": [[0.9, 0.1], [0.3, 0.7]]}))
    first, second = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.9, 0.1], [0.3, 0.7]])
    assert readout_matrix(noise, 5) == pytest.approx(first @ second)
    assert readout_matrix(noise, 4) == pytest.approx(first)


FLIP = {"kind": "pauli", "terms": {"X": 1}}


def test_a_rule_for_a_qubit_finds_it_after_idle_qubits_were_dropped() -> None:
    noise = custom({"gate": "any_one_qubit", "qubits": [7], "error": FLIP})
    for kept, flipped in (([3, 7], 0b10), ([7, 9], 0b01), ([3, 9], 0b00)):
        circuit = QuantumCircuit(2)
        circuit.id(0)
        circuit.id(1)
        assert density(circuit, noise, qubits=kept)[flipped, flipped] == pytest.approx(1)


def test_a_rule_for_a_pair_holds_in_the_gates_order() -> None:
    noise = custom({"gate": "cx", "qubits": [4, 2], "error": {"kind": "pauli", "terms": {"XX": 1}}})
    for pair, populated in (((1, 0), 0b11), ((0, 1), 0b00)):
        circuit = QuantumCircuit(2)
        circuit.cx(*pair)
        assert density(circuit, noise, qubits=[2, 4])[populated, populated] == pytest.approx(1)


def test_a_readout_rule_finds_its_qubit_even_if_no_gate_does() -> None:
    noise = custom(readout=({"qubits": [6], "p01": 1, "p10": 0},))
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    located = for_noise(circuit, noise)
    assert located.count_ops()["unitary"] == 2  # or the qubits would be dropped as idle
    counts = AER.run(located, noise_model=noise_model(noise, located, qubits=[5, 6]), shots=10).result().get_counts()
    assert counts == {"10": 10}


def test_all_rules_that_fit_apply_in_order() -> None:
    raised, kept = [[[0, 0], [0, 0]], [[1, 0], [0, 0]]], [[[0, 0], [0, 0]], [[0, 0], [1, 0]]]
    reset_to_1 = {"kind": "kraus", "operators": [raised, kept]}
    circuit = QuantumCircuit(1)
    circuit.h(0)
    for rules, one in (
        (({"gate": "h", "error": reset_to_1}, {"gate": "any_one_qubit", "qubits": [0], "error": FLIP}), 0),
        (({"gate": "any_one_qubit", "qubits": [0], "error": FLIP}, {"gate": "h", "error": reset_to_1}), 1),
    ):
        assert density(circuit, custom(*rules))[1, 1] == pytest.approx(one)


def test_errors_of_measure_and_reset_stand_beside_them() -> None:
    noise = custom({"gate": "measure", "error": FLIP}, {"gate": "reset", "qubits": [1], "error": FLIP})
    circuit = QuantumCircuit(2, 2)
    circuit.reset([0, 1])
    circuit.measure([0, 1], [0, 1])
    located = for_noise(circuit, noise)
    counts = AER.run(located, noise_model=noise_model(noise, located, qubits=[0, 1]), shots=10).result().get_counts()
    assert counts == {"01": 10}


def test_errors_stand_in_branches_and_loops_too() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)), circuit.for_loop(range(3)):
        circuit.y(1)
    circuit.measure(1, 1)
    noise = custom({"gate": "y", "qubits": [9], "error": FLIP})
    located = for_noise(circuit, noise)
    model = noise_model(noise, located, qubits=[0, 9])
    counts = AER.run(translate(located), noise_model=model, shots=20).result().get_counts()
    assert counts == {"01": 20}
    assert noise_cost(noise, located) == 0  # here the second qubit is number 1
    assert noise_cost(custom({"gate": "y", "qubits": [1], "error": FLIP}), located) == 3


@pytest.mark.parametrize("strength", [0, 1])
@settings(max_examples=25)
@given(circuit=circuits(max_qubits=4, max_operations=5))
def test_strength_0_is_ideal_and_strength_1_leaves_nothing(
    circuit: tuple[int, list[dict[str, Any]]], strength: float
) -> None:
    """Over all gates of the JSON format: no gate escapes, whatever it is called or how many qubits it has."""
    qubits, operations = circuit
    parsed = parse(
        CircuitJob.model_validate({"circuit": {"format": "json", "qubits": qubits, "operations": operations}}).circuit
    )
    noise = noise_of(model="depolarizing", one_qubit=strength, two_qubit=strength)
    actual = density(parsed, noise)
    if not strength:
        close(actual, ideal(parsed))
        return
    located = for_noise(parsed, noise)
    touched = {
        located.find_bit(qubit).index
        for instruction in located.data
        if name_of(instruction.operation) not in ("", "measure")
        for qubit in instruction.qubits
    }
    last_is_mixed = [np.eye(2) / 2 if qubit in touched else np.diag([1, 0]) for qubit in range(qubits)]
    expected = np.eye(1)
    for factor in last_is_mixed:
        expected = np.kron(factor, expected)
    close(actual, expected)
    assert touched == {
        parsed.find_bit(qubit).index
        for instruction in parsed.data
        if instruction.operation.name not in ("measure", "barrier")
        for qubit in instruction.qubits
    }


@settings(max_examples=40)
@given(circuits(max_qubits=4, max_operations=6))
def test_naming_the_places_does_not_change_the_circuit(circuit: tuple[int, list[dict[str, Any]]]) -> None:
    qubits, operations = circuit
    parsed = parse(
        CircuitJob.model_validate({"circuit": {"format": "json", "qubits": qubits, "operations": operations}}).circuit
    )
    noise = noise_of(model="aria-1")
    located = for_noise(parsed, noise)
    before, after = (c.remove_final_measurements(inplace=False) for c in (parsed, located))
    assert Operator(before).equiv(Operator(after))
    gates = [instruction.operation for instruction in after.data if instruction.operation.name != "barrier"]
    assert all(name_of(gate) in (*ONE_QUBIT_GATES, *TWO_QUBIT_GATES) for gate in gates)
    assert noise_cost(noise, located) == len(gates)


def test_native_gates_stay_one_gate_each_and_labels_do_not_hide_a_gate() -> None:
    operations = [
        {"gate": "gpi", "target": 0, "phase": 0.3},
        {"gate": "gpi2", "target": 1, "phase": 0.1},
        {"gate": "ms", "targets": [0, 1], "phases": [0.1, 0.2]},
        {"gate": "zz", "targets": [0, 1], "angle": 0.1},
        {"gate": "h", "target": 0, "control": 1},
    ]
    circuit = parse(
        CircuitJob.model_validate({"circuit": {"format": "json", "qubits": 2, "operations": operations}}).circuit
    )
    circuit.append(XGate(label="barrier"), [0])
    circuit.append(RGate(pi, 0).control(1, ctrl_state=0, annotated=False), [0, 1])
    located = for_noise(circuit, noise_of(model="forte-1"))
    names = [name_of(instruction.operation) for instruction in located.data]
    assert [name for name in names if name not in ("", "measure")] == [
        *("gpi", "r", "ms", "rzz", "ch", "x", "unitary2")
    ]


def test_a_gate_on_three_qubits_is_its_one_and_two_qubit_gates() -> None:
    circuit = QuantumCircuit(3)
    circuit.ccx(0, 1, 2)
    located = for_noise(circuit, noise_of(model="aria-1"))
    assert located.count_ops() == {"cx": 6, "t": 4, "tdg": 3, "h": 2}


def test_a_gate_that_cannot_be_written_so_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    qubits = MAX_DECOMPOSED_QUBITS + 1
    circuit = QuantumCircuit(qubits)
    circuit.append(UnitaryGate(np.eye(1 << qubits)), range(qubits))
    with pytest.raises(Problem) as refused:
        for_noise(circuit, noise_of(model="aria-1"))
    assert (refused.value.code, refused.value.pointer) == ("gate_too_wide", "/circuit")
    monkeypatch.setattr(locations, "MAX_EXPANDED_OPERATIONS", 500)
    wide = QuantumCircuit(50)
    wide.append(XGate().control(49), range(50))
    with pytest.raises(Problem) as refused:
        for_noise(wide, noise_of(model="aria-1"))
    assert refused.value.code == "too_many_operations"


def test_no_noise_leaves_the_circuit_and_needs_no_model() -> None:
    circuit = QuantumCircuit(3)
    circuit.ccx(0, 1, 2)
    for noise in (noise_of(model="ideal"), custom()):
        assert for_noise(circuit, noise) is circuit
        assert noise_model(noise, circuit, qubits=range(3)) is None
        assert noise_cost(noise, circuit) == 0
    silent = noise_of(model="depolarizing", one_qubit=0, two_qubit=0)
    assert noise_model(silent, for_noise(circuit, silent), qubits=range(3)) is None


MODELS = [
    *({"model": name} for name in IONQ_RATES),
    {"model": "depolarizing", "one_qubit": 1, "two_qubit": 1},
    {"model": "thermal_relaxation", "t1": 1, "t2": 2, "one_qubit_time": 10, "two_qubit_time": 1e15, "measure_time": 5},
    {"model": "thermal_relaxation", "t1": 1e-6, "t2": 1e-6, "one_qubit_time": 1e15, "two_qubit_time": 0},
    {"model": "thermal_relaxation", "t1": 1e12, "t2": 2e12 / 2, "one_qubit_time": 1, "two_qubit_time": 1},
]


@pytest.mark.parametrize("fields", MODELS, ids=str)
def test_every_models_channels_are_complete_and_positive(fields: dict[str, Any]) -> None:
    for rule in as_custom(noise_of(**fields)).gates:
        for width in (1, 2):
            assert SuperOp(_channel(rule.error.model_dump_json(), width)).is_cptp()


@pytest.mark.parametrize("name", IONQ_RATES)
def test_ionqs_models_act_after_each_gate_at_the_published_rate(name: str) -> None:
    one, two = IONQ_RATES[name]  # type: ignore[index]
    noise = noise_of(model=name)
    circuit = QuantumCircuit(2)
    circuit.rxx(0.7, 0, 1)
    close(density(circuit, noise), depolarized(ideal(circuit), two))
    single = one_gate(1)
    close(density(single, noise), depolarized(ideal(single), one))


@pytest.mark.parametrize("method", ["statevector", "matrix_product_state"])
def test_trajectories_meet_the_same_errors_as_the_density_matrix(method: str) -> None:
    """Two-qubit gates of every name, those included that not every method of Aer knows."""
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.crx(0.7, 0, 1)
    circuit.csx(1, 2)
    circuit.cu(0.3, 0.2, 0.1, 0.4, 2, 0)
    circuit.iswap(0, 1)
    circuit.ch(1, 2)
    circuit.ccx(0, 1, 2)
    noise = custom(
        {"gate": "any_two_qubit", "error": {"kind": "depolarizing", "probability": 0.1}},
        {"gate": "measure", "qubits": [2], "error": {"kind": "amplitude_damping", "gamma": 0.3}},
    )
    circuit.measure(range(3), range(3))
    located = for_noise(circuit, noise)
    shots, model = 8000, noise_model(noise, located, qubits=range(3))
    result = AerSimulator(method=method).run(located, noise_model=model, shots=shots, seed_simulator=1).result()
    assert result.success, result.status
    counts = result.get_counts()
    for state, p in enumerate(np.diag(density(circuit, noise)).real):
        assert abs(counts.get(format(state, "03b"), 0) - shots * p) <= 6 * sqrt(shots * p * (1 - p)) + 1
