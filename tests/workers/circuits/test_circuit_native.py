"""IonQ's native gates are the same circuit, in gates and angles that its machines have."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import Operator

from qstill.contract.circuits.formats import JsonCircuit, OpenQasm3Circuit
from qstill.contract.circuits.inspection import NativeTarget
from tests.testing.refusals import problem_of
from workers.circuits.export import to_native
from workers.circuits.parse import parse

QUBITS = 3

Json = dict[str, Any]

angles = st.floats(-10, 10) | st.sampled_from([0.0, np.pi / 2, np.pi, -np.pi / 2, 2 * np.pi, np.pi / 4])
places = st.permutations(range(QUBITS))


@st.composite
def gates(draw: st.DrawFn) -> Json:
    first, second, third = draw(places)
    match draw(st.sampled_from(["fixed", "rotation", "two", "cnot", "swap", "toffoli", "pauliexp"])):
        case "fixed":
            return {
                "gate": draw(st.sampled_from(["x", "y", "z", "h", "s", "si", "t", "ti", "v", "vi"])),
                "target": first,
            }
        case "rotation":
            name = draw(st.sampled_from(["rx", "ry", "rz", "z"]))
            return {"gate": name, "target": first, "rotation": draw(angles)}
        case "two":
            name = draw(st.sampled_from(["xx", "yy", "zz"]))
            return {"gate": name, "targets": [first, second], "rotation": draw(angles)}
        case "toffoli":
            return {"gate": "x", "target": first, "controls": [second, third]}
        case "pauliexp":
            terms = {"terms": ["XZY"], "coefficients": [draw(angles)]}
            return {"gate": "pauliexp", "targets": [first, second, third], "time": 0.7} | terms
        case "swap":
            return {"gate": "swap", "targets": [first, second]}
        case _:
            return {"gate": "cnot", "target": first, "control": second}


def json_circuit(operations: list[Json]) -> JsonCircuit:
    return JsonCircuit.model_validate({"format": "json", "qubits": QUBITS, "operations": operations})


def operator(circuit: JsonCircuit) -> Operator:
    return Operator(parse(circuit).remove_final_measurements(inplace=False))


@pytest.mark.parametrize(("target", "two"), [("native_ms", "ms"), ("native_zz", "zz")])
@given(st.lists(gates(), max_size=8))
def test_native_gates_are_the_same_circuit(target: NativeTarget, two: str, operations: list[Json]) -> None:
    source = json_circuit(operations)
    native = to_native(source, parse(source), target)
    assert set(native) == {"qubits", "circuit"}
    assert native["qubits"] == QUBITS
    assert {gate["gate"] for gate in native["circuit"]} <= {"gpi", "gpi2", two}
    assert all(0 <= gate["angle"] <= 0.25 for gate in native["circuit"] if gate["gate"] == two)
    assert all(0 <= gate["phase"] < 1 for gate in native["circuit"] if gate["gate"] != two)
    assert operator(json_circuit(native["circuit"])).equiv(operator(source), atol=1e-7)


@given(
    st.lists(gates().filter(lambda gate: len(gate.get("targets", ())) < 2 and "control" not in str(gate)), max_size=9)
)
def test_a_run_of_gates_on_one_qubit_is_at_most_three_pulses(operations: list[Json]) -> None:
    source = json_circuit(operations)
    native = to_native(source, parse(source), "native_zz")
    assert all(sum(gate["target"] == qubit for gate in native["circuit"]) <= 3 for qubit in range(QUBITS))


def test_what_is_native_already_is_left_alone() -> None:
    operations = [
        {"gate": "gpi", "target": 0, "phase": 0.1},
        {"gate": "ms", "targets": [1, 0], "phases": [0.1, 0.2], "angle": 0.2},
        {"gate": "zz", "targets": [1, 2], "angle": 0.7},
        {"gate": "nop", "target": 1},
    ]
    source = json_circuit(operations)
    assert to_native(source, parse(source), "native_ms") == {"qubits": QUBITS, "circuit": operations}


def test_a_circuit_in_which_measurements_decide_has_no_native_form() -> None:
    program = 'OPENQASM 3.0; include "stdgates.inc"; qubit q; bit c; h q; c = measure q; h q; c = measure q;'
    source = OpenQasm3Circuit.model_validate({"format": "openqasm3", "source": program})
    assert problem_of(to_native, source, parse(source), "native_ms").code == "export_unsupported"
