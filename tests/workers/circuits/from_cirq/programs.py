"""Random circuits of Cirq that measure, decide, repeat themselves and decohere."""

from typing import Any

import cirq
import numpy as np
import sympy
from hypothesis import strategies as st

QUBITS = cirq.LineQubit.range(3)
KEYS = ("a", "b", "c")
CHANNELS = [
    cirq.depolarize(0.1),
    cirq.depolarize(0.2, 2),
    cirq.asymmetric_depolarize(0.1, 0.2, 0.05),
    cirq.asymmetric_depolarize(error_probabilities={"XY": 0.2, "II": 0.8}),
    cirq.bit_flip(0.3),
    cirq.phase_flip(0.2),
    cirq.amplitude_damp(0.3),
    cirq.generalized_amplitude_damp(0.2, 0.4),
    cirq.phase_damp(0.3),
    cirq.X.with_probability(0.2),
    cirq.RandomGateChannel(sub_gate=cirq.CX**0.3, probability=0.4),
    cirq.RandomGateChannel(sub_gate=cirq.bit_flip(0.3), probability=0.4),
]
OTHER_CHANNELS = [  # Cirq cannot write them within a circuit operation
    cirq.KrausChannel(cirq.kraus(cirq.amplitude_damp(0.4))),
    cirq.MixedUnitaryChannel([(0.3, cirq.unitary(cirq.CX)), (0.7, np.eye(4))]),
    cirq.StatePreparationChannel(np.array([0.6, 0.8j])),
    cirq.StatePreparationChannel(np.array([0.6, 0, 0, 0.8j])),
]
GATES = [cirq.H, cirq.X**0.3, cirq.T, cirq.CX, cirq.CZ**0.4, cirq.ISWAP**0.5, cirq.PhasedXPowGate(phase_exponent=0.2)]


def placed(draw: st.DrawFn, gate: Any) -> Any:
    return gate.on(*draw(st.permutations(QUBITS))[: cirq.num_qubits(gate)])


def conditions(key: str, size: int) -> st.SearchStrategy[Any]:
    """Conditions of every kind on a key of so many bits."""
    whole, value = sympy.Symbol(key), st.integers(0, (1 << size) - 1)
    bits = sympy.IndexedBase(key)
    return st.one_of(
        st.just(cirq.KeyCondition(cirq.MeasurementKey(key))),
        st.builds(lambda v: cirq.SympyCondition(sympy.Eq(whole, v)), value),
        st.builds(lambda v: cirq.SympyCondition(whole > v), value),
        st.builds(lambda v: cirq.SympyCondition(2 * whole <= v + 1), value),
        st.builds(lambda v: cirq.SympyCondition(sympy.Ne(whole**2 - whole, v)), value),
        st.just(cirq.SympyCondition(sympy.Xor(bits[0], bits[1]) if size > 1 else sympy.Ne(bits[0], 0))),
    )


def masks(key: str, size: int) -> st.SearchStrategy[Any]:
    """Bit masks, which Cirq forgets where a key is renamed."""
    value = st.integers(0, (1 << size) - 1)
    return st.builds(
        lambda mask, target, equal: cirq.BitMaskKeyCondition(
            key, target_value=target, equal_target=equal, bitmask=mask
        ),
        value | st.none(),
        value,
        st.booleans(),
    )


@st.composite
def operations(draw: st.DrawFn, known: dict[str, int], *, depth: int) -> list[Any]:
    """known: the keys that were measured before, each with its bits; what is measured here is added."""
    found: list[Any] = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = ["gate", "gate", "measure", "channel", *(["if"] * 2 if known else []), *(["circuit"] if depth else [])]
        match draw(st.sampled_from(kinds)):
            case "gate":
                found.append(placed(draw, draw(st.sampled_from(GATES))))
            case "channel":
                found.append(placed(draw, draw(st.sampled_from(CHANNELS))))
            case "measure":
                key = draw(st.sampled_from(KEYS))
                size = known.setdefault(key, draw(st.integers(1, 2)))
                mask = draw(st.lists(st.booleans(), max_size=size))
                found.append(cirq.measure(*draw(st.permutations(QUBITS))[:size], key=key, invert_mask=tuple(mask)))
            case "if":
                key = draw(st.sampled_from(sorted(known)))
                held = draw(conditions(key, known[key]))
                inside = draw(st.sampled_from([*GATES, *CHANNELS[:6], cirq.ResetChannel()]))
                found.append(placed(draw, inside).with_classical_controls(held))
            case _:
                found.append(draw(circuit_operations(known, depth=depth - 1)))
    return found


@st.composite
def circuit_operations(draw: st.DrawFn, known: dict[str, int], *, depth: int) -> Any:
    inner = dict(known)
    circuit = cirq.FrozenCircuit(draw(operations(inner, depth=depth)))
    new = {key: size for key, size in inner.items() if key not in known}
    repeated = cirq.CircuitOperation(circuit)
    if draw(st.booleans()):
        order = draw(st.permutations(QUBITS))
        repeated = repeated.with_qubit_mapping(dict(zip(QUBITS, order, strict=True)))
    times = draw(st.integers(1, 2))
    ids = draw(st.none() | st.just([f"r{index}" for index in range(times)]))
    if ids is None:
        known |= new
    return repeated.repeat(times, repetition_ids=ids)


@st.composite
def circuits(draw: st.DrawFn) -> Any:
    """A circuit on three qubits, not too branched to be followed exactly, all measured at its end."""
    circuit = cirq.Circuit(draw(operations({}, depth=2)))
    circuit.append(cirq.measure(*QUBITS, key="end"))
    return circuit
