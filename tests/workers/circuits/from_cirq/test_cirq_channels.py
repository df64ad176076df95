"""Channels act where they stand, by every method that can follow them, and together with a job's noise."""

import json
from typing import Any

import cirq
import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qstill.contract.errors import Problem
from tests.testing.circuits.exact import assert_sampled
from tests.testing.circuits.house import run_job
from tests.testing.circuits.sampling import read, sample
from tests.testing.examples import examples
from tests.workers.circuits.from_cirq.exact import assert_same_state, distribution
from tests.workers.circuits.from_cirq.programs import CHANNELS, GATES, OTHER_CHANNELS, QUBITS, placed
from workers.circuits.export import to_json, to_openqasm2, to_openqasm3, to_text
from workers.circuits.parse.cirq import parse_cirq

A, B, C = QUBITS
START = [cirq.H(A), cirq.CX(A, B), cirq.T(B), cirq.X(C) ** 0.3, cirq.CX(B, C) ** 0.5]
PAULI = [*CHANNELS[:6], cirq.phase_damp(0.3)]


def circuit(*operations: Any) -> dict[str, Any]:
    return {"format": "cirq", "source": cirq.to_json(cirq.Circuit(*operations))}


def keyed(found: dict[Any, float]) -> dict[str, float]:
    """Cirq's outcomes as our keys, for circuits whose keys are in alphabetical order."""
    return {"".join(str(bit) for _, bits in outcome for bit in bits)[::-1]: chance for outcome, chance in found.items()}


@pytest.mark.parametrize("channel", [*CHANNELS, *OTHER_CHANNELS], ids=repr)
def test_a_channel_is_the_one_of_cirq(channel: Any) -> None:
    places = [C, A, B][: cirq.num_qubits(channel)]
    assert_same_state(cirq.Circuit(START, channel.on(*places), cirq.H(C), cirq.X(B) ** 0.4))


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_density_matrix_of_a_job_is_that_of_cirq(data: st.DataObject) -> None:
    gates = st.sampled_from([*GATES, *CHANNELS])
    operations = [placed(data.draw, data.draw(gates)) for _ in range(data.draw(st.integers(1, 8)))]
    source = cirq.Circuit(cirq.I.on_each(*QUBITS), CHANNELS[0].on(A), operations)
    _, house = run_job(circuit(source), outputs=["density_matrix"])
    wanted = cirq.DensityMatrixSimulator(dtype=np.complex128).simulate(source).final_density_matrix
    little_endian = wanted.reshape((2,) * 6).transpose(2, 1, 0, 5, 4, 3).reshape(8, 8)
    np.testing.assert_allclose(house.arrays["density_matrix-0"], little_endian, atol=1e-6)


@pytest.mark.parametrize("method", ["density_matrix", "trajectories"])
def test_every_method_draws_from_what_the_channels_leave(method: str) -> None:
    measured = cirq.measure(*QUBITS, key="z")
    for channel in (cirq.amplitude_damp(0.4), cirq.depolarize(0.3, 2), cirq.X.with_probability(0.3)):
        source = cirq.Circuit(START, channel.on(*[B, C][: cirq.num_qubits(channel)]), cirq.H(C), measured)
        found = sample(circuit(source), shots=4000, method=method)
        assert_sampled(found.counts, keyed(distribution(source)))


@pytest.mark.parametrize("channel", PAULI, ids=repr)
def test_a_stabilizer_simulation_follows_channels_of_pauli_operators(channel: Any) -> None:
    places = [B, C][: cirq.num_qubits(channel)]
    source = cirq.Circuit(cirq.H(A), cirq.CX(A, B), cirq.CX(B, C), channel.on(*places), cirq.H.on_each(*QUBITS))
    source.append(cirq.measure(*QUBITS, key="z"))
    zzx = [{"terms": [{"paulis": "ZZX"}]}]
    found = sample(circuit(source), shots=4000, method="stabilizer", observables=zzx)
    assert_sampled(found.counts, keyed(distribution(source)))
    exact = sample(circuit(source), method="density_matrix", observables=zzx)
    assert found.expectations[0].value == pytest.approx(exact.expectations[0].value, abs=1e-6)


def test_a_stabilizer_simulation_names_the_channel_that_it_cannot_follow() -> None:
    source = circuit(cirq.H(A), cirq.amplitude_damp(0.4).on(A), cirq.measure(A))
    with pytest.raises(Problem, match=r"the channel AD\(0.4\) on q\[0\] is no Pauli error"):
        sample(source, method="stabilizer")


def test_channels_act_under_conditions_and_in_circuit_operations() -> None:
    inner = cirq.FrozenCircuit(cirq.H(A), cirq.measure(A, key="m"), cirq.amplitude_damp(0.5).on(B))
    source = cirq.Circuit(
        cirq.X(B),
        cirq.CircuitOperation(inner).repeat(2, ["a", "b"]),
        cirq.bit_flip(0.3).on(C).with_classical_controls("b:m"),
        cirq.measure(B, C, key="z"),
    )
    found = sample(circuit(source), shots=4000)
    assert_sampled(found.counts, keyed(distribution(source)))


@pytest.mark.parametrize("method", ["density_matrix", "trajectories", "stabilizer"])
def test_the_noise_of_a_job_comes_on_top(method: str) -> None:
    source = cirq.Circuit(cirq.X(A), cirq.bit_flip(0.25).on(A), cirq.X(A), cirq.measure(A, key="z"))
    rules = [{"gate": "x", "error": {"kind": "pauli", "terms": {"X": 0.1}}}]
    found = sample(circuit(source), shots=20_000, method=method, noise={"model": "custom", "gates": rules})
    wrong = (1 - 0.5 * 0.8 * 0.8) / 2  # three flips, each of which shrinks Z by 1 - 2p
    assert_sampled(found.counts, {"0": 1 - wrong, "1": wrong})


def test_the_cheaper_exact_method_is_chosen() -> None:
    small = read(circuit(START, cirq.amplitude_damp(0.1).on(A)), shots=1000).routed
    assert small.plan.method == "density_matrix"
    assert "1 noisy operation" in small.plan.why
    line = cirq.LineQubit.range(12)
    wide = [cirq.H.on_each(*line), cirq.T.on_each(*line), cirq.amplitude_damp(0.1).on(line[0])]
    assert read(circuit(wide), shots=10).routed.plan.method == "trajectories"
    clifford = read(circuit(cirq.H.on_each(*line), cirq.depolarize(0.1).on(line[0])), shots=1000).routed
    assert clifford.plan.method == "stabilizer"


def test_a_circuit_with_a_channel_has_no_pure_state() -> None:
    with pytest.raises(Problem, match="no statevector"):
        run_job(circuit(cirq.H(A), cirq.bit_flip(0.1).on(A)), outputs=["statevector"])


def test_a_channel_is_drawn_and_is_not_written_in_formats_of_gates() -> None:
    parsed = parse_cirq(cirq.to_json(cirq.Circuit(cirq.H(A), cirq.generalized_amplitude_damp(0.5, 0.25).on(A))))
    assert "GAD 0.5, 0.25" in to_text(parsed)
    for write in (to_openqasm2, to_openqasm3, to_json):
        with pytest.raises(Problem, match=r"The channel 'GAD 0.5, 0.25' cannot be written in this format"):
            write(parsed)


def test_a_channel_stays_where_it_is_on_a_device() -> None:
    source = cirq.Circuit(START, cirq.depolarize(0.3, 2).on(A, C), cirq.amplitude_damp(0.4).on(B), cirq.CX(A, C))
    source.append(cirq.measure(*QUBITS, key="z"))
    device = {"basis_gates": ["rz", "sx", "x", "cx"], "coupling_map": [[0, 1], [1, 2]], "optimization_level": 2}
    exact = sample(circuit(source), outputs=["probabilities"], device=device).probabilities
    assert exact == pytest.approx(keyed(distribution(source)), abs=1e-6)


def test_a_sweep_with_channels_is_its_bindings_one_by_one() -> None:
    t = sympy.Symbol("t")
    source = circuit(cirq.X(A) ** t, cirq.amplitude_damp(0.4).on(A), cirq.measure(A, key="z"))
    bindings = [{"t": 0.0}, {"t": 1.0}, {"t": 0.5}]
    entries, _ = run_job(source, outputs=["counts", "probabilities"], bindings=bindings)
    found = [entry["probabilities"].get("1", 0.0) for entry in entries]
    assert found == pytest.approx([0.0, 0.6, 0.3], abs=1e-6)
    assert json.loads(json.dumps(entries))[1]["method"] == "density_matrix"
