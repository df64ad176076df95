"""qiskit-ionq, unmodified, against a started service: what it computes is what Qiskit's own simulator computes."""

import textwrap
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import MCPhaseGate, PauliEvolutionGate, QFTGate, UnitaryGate
from qiskit.primitives import BackendSamplerV2
from qiskit.quantum_info import DensityMatrix, Operator, SparsePauliOp, Statevector, random_unitary
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

from qstill.contract.circuits.noise.model import IONQ_RATES
from tests.contract.conftest import distance, furthest
from tests.contract.qiskit_circuits import EXACT, Backends, bell, measured, must_be_exact, raw

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("ionq"), pytest.mark.filterwarnings("ignore")]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from qiskit_ionq import GPI2Gate, GPIGate, MSGate, ZZGate
    from qiskit_ionq.exceptions import IonQJobError


def every_gate() -> QuantumCircuit:
    """All that qiskit-ionq can send."""
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    for angle, name in enumerate(("rx", "ry", "rz", "p"), 1):
        getattr(circuit, name)(0.3 * angle, angle % 4)
    for place, name in enumerate(("x", "y", "z", "s", "sdg", "sx", "sxdg", "t", "tdg", "h", "id")):
        getattr(circuit, name)(place % 4)
    for place, name in enumerate(("cx", "cy", "cz", "ch", "csx", "swap")):
        getattr(circuit, name)(place % 4, (place + 1) % 4)
    for place, name in enumerate(("cp", "crx", "cry", "crz", "rxx", "ryy", "rzz")):
        getattr(circuit, name)(0.2 + place / 7, place % 4, (place + 2) % 4)
    circuit.ccx(0, 1, 2)
    circuit.mcx([0, 1, 3], 2)
    circuit.append(MCPhaseGate(0.7, 2), [1, 2, 3])
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XX", "YY"], [0.4, 0.3]), time=0.9), [3, 1])
    circuit.barrier()
    circuit.rx(0.4, range(4))
    return measured(circuit)


def test_bell_with_default_settings(simulator: Any) -> None:
    result = simulator.run(bell()).result()
    assert result.success
    assert set(result.get_counts()) == {"00", "11"}
    assert result.get_probabilities() == pytest.approx({"00": 0.5, "11": 0.5}, abs=EXACT)


def test_a_half_is_told_as_a_half(simulator: Any) -> None:
    job = simulator.run(bell())
    job.result()
    assert raw(job) == {"0": 0.5, "3": 0.5}


def test_every_gate_means_what_qiskit_means(simulator: Any) -> None:
    circuit = every_gate()
    job = simulator.run(circuit)
    job.result()
    must_be_exact(raw(job), circuit)


@pytest.mark.parametrize("seed", range(3))
def test_transpiled_circuits(simulator: Any, seed: int) -> None:
    from qiskit import transpile

    circuit = QuantumCircuit(4)
    for place in range(0, 4, 2):
        circuit.append(UnitaryGate(random_unitary(4, seed=seed + place)), [place, place + 1])
    circuit.append(QFTGate(4), range(4))
    job = simulator.run(transpile(measured(circuit), simulator, optimization_level=1))
    job.result()
    must_be_exact(raw(job), measured(circuit))


def test_measurements_into_other_bits(simulator: Any) -> None:
    circuit = QuantumCircuit(3, 2)
    circuit.x(2)
    circuit.measure([2, 0], [0, 1])
    assert simulator.run(circuit, shots=10).result().get_counts() == {"01": 10}


def test_native_gates(backends: Backends) -> None:
    native = backends("simulator", gateset="native")
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.append(GPI2Gate(0.1 + qubit / 5), [qubit])
        circuit.append(GPIGate(0.3 + qubit / 7), [qubit])
    circuit.append(MSGate(0.1, 0.35, 0.21), [2, 0])
    circuit.append(ZZGate(0.13), [0, 1])
    circuit.append(MSGate(0.4, 0.05), [1, 2])
    for qubit in range(3):
        circuit.append(GPI2Gate(0.45 - qubit / 9), [qubit])
    job = native.run(measured(circuit))
    job.result()
    must_be_exact(raw(job), measured(circuit))


def noisy(name: str) -> NoiseModel:
    one, two = IONQ_RATES[name]
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(one, 1), ["h", "ry"])
    model.add_all_qubit_quantum_error(depolarizing_error(two, 2), ["cx"])
    return model


def test_noise_is_the_depolarizing_one_of_the_machine(simulator: Any) -> None:
    """Against Aer's density matrix with the same rates."""
    shots = 20_000
    circuit = QuantumCircuit(2)
    circuit.h(0)
    for _ in range(21):
        circuit.cx(0, 1)
    circuit.ry(0.4, 1)
    simulator.set_options(noise_model="aria-2", sampler_seed=7)
    counts = simulator.run(measured(circuit), shots=shots).result().get_counts()
    exact = circuit.copy()
    exact.save_density_matrix()
    state = AerSimulator(method="density_matrix", noise_model=noisy("aria-2")).run(exact).result().data()
    found = {int(key, 2): count for key, count in counts.items()}
    assert distance(found, DensityMatrix(state["density_matrix"]).probabilities()) < furthest(4, shots)
    assert distance(found, Statevector(circuit).probabilities()) > 2 * furthest(4, shots)  # the noise is there
    again = simulator.run(measured(circuit), shots=shots).result().get_counts()
    assert again == counts  # the same seed


def test_memory_is_the_counts_shot_by_shot(simulator: Any) -> None:
    simulator.set_options(noise_model="aria-1")
    result = simulator.run(bell(), shots=500, memory=True).result()
    assert Counter(result.get_memory()) == result.get_counts()


def test_a_list_of_one_circuit_has_memory_too(simulator: Any) -> None:
    simulator.set_options(noise_model="aria-1")
    result = simulator.run([bell()], shots=300, memory=True).result()
    assert Counter(result.get_memory()) == result.get_counts()
    assert sum(result.get_counts().values()) == 300


def with_memory(backend: Any) -> Any:
    """The function of the documentation."""
    text = (Path(__file__).parents[2] / "docs" / "circuits.md").read_text(encoding="utf-8")
    written = text[text.index("    def with_memory") : text.index("    sampler = BackendSamplerV2")]
    names: dict[str, Any] = {}
    exec(textwrap.dedent(written), names)  # noqa: S102  # our own page
    return names["with_memory"](backend)


@pytest.mark.parametrize(("name", "noise"), [("simulator", "ideal"), ("simulator", "aria-1"), ("qpu.forte-1", None)])
@pytest.mark.parametrize("times", [1, 2])
def test_a_sampler_counts_bell_pairs(backends: Backends, name: str, noise: str | None, times: int) -> None:
    backend = backends(name)
    if noise is not None:
        backend.set_options(noise_model=noise)
    shots = 2_000
    results = BackendSamplerV2(backend=with_memory(backend)).run([bell()] * times, shots=shots).result()
    for result in results:
        counts = {int(key, 2): count for key, count in result.data.c.get_counts().items()}
        assert sum(counts.values()) == shots
        assert distance(counts, np.array([0.5, 0, 0, 0.5])) < furthest(4, shots) + 0.05


@pytest.mark.parametrize("name", ["simulator", "qpu.aria-1", "qpu.forte-enterprise-2"])
def test_a_dry_run_gives_the_circuit_in_native_gates(backends: Backends, name: str) -> None:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ccx(0, 1, 2)
    circuit.rzz(0.3, 1, 2)
    job = backends(name).run(measured(circuit), dry_run=True)
    job.wait_for_final_state()
    native = job.compiled_circuit("native")
    made = QuantumCircuit(native["qubits"])
    for gate in native["circuit"]:
        match gate:
            case {"gate": "gpi", "target": target, "phase": phase}:
                made.append(GPIGate(phase), [target])
            case {"gate": "gpi2", "target": target, "phase": phase}:
                made.append(GPI2Gate(phase), [target])
            case {"gate": "ms", "targets": targets, "phases": phases, "angle": angle}:
                made.append(MSGate(*phases, angle), targets)
            case {"gate": "zz", "targets": targets, "angle": angle}:
                made.append(ZZGate(angle), targets)
    assert len(made.data) == len(native["circuit"])
    assert ("zz" in made.count_ops()) == ("forte" in name)
    assert Operator(made).equiv(Operator(circuit), atol=1e-7)
    with pytest.raises(IonQJobError, match="dry_run"):
        job.result()


def test_mid_circuit_measurement(simulator: Any) -> None:
    """A reused qubit, a condition, and two registers; what it must read is certain but for the first bit."""
    from qiskit import ClassicalRegister, QuantumRegister

    qubits, first, second = QuantumRegister(2, "q"), ClassicalRegister(1, "first"), ClassicalRegister(2, "second")
    circuit = QuantumCircuit(qubits, first, second)
    circuit.h(0)
    circuit.measure(0, first[0])
    with circuit.if_test((first, 1)):
        circuit.x(0)
    circuit.measure(0, second[0])
    circuit.x(1)
    circuit.measure(1, second[1])
    shots = 400
    counts = simulator.run(circuit, shots=shots).result().get_counts()
    assert set(counts) == {"10 0", "10 1"}
    assert sum(counts.values()) == shots
    assert distance({0: counts["10 0"], 1: counts["10 1"]}, np.array([0.5, 0.5])) < furthest(2, shots)
