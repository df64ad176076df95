"""States of few qubits come out of numpy as they come out of Aer."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.testing.circuits.exact import Noise
from tests.testing.circuits.house import run_job
from tests.testing.circuits.program_strategies import Operations, noises, programs
from tests.testing.examples import examples
from workers.circuits.engines import dense

OBSERVABLE = {"terms": [{"paulis": "X", "qubits": [0]}, {"paulis": "Z", "qubits": [0], "coefficient": 0.3}]}


def both_ways(circuit: dict[str, Any], **job: Any) -> list[dict[str, Any]]:
    """The entries by numpy and by Aer."""
    job |= {"outputs": ["probabilities"], "observables": [OBSERVABLE]}
    ((ours,), _) = run_job(circuit, **job)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "MAX_QUBITS", dict.fromkeys(dense.MAX_QUBITS, 0))
        ((theirs,), _) = run_job(circuit, **job)
    return [ours, theirs]


def assert_alike(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours["counts"] == theirs["counts"]
    for key in ours["probabilities"].keys() | theirs["probabilities"].keys():
        chances = (entry["probabilities"].get(key, 0.0) for entry in (ours, theirs))
        assert next(chances) == pytest.approx(next(chances), abs=1e-12)
    assert ours["expectations"][0]["value"] == pytest.approx(theirs["expectations"][0]["value"], abs=1e-12)


@settings(max_examples=examples(30))
@given(programs(max_qubits=4), st.none() | noises, st.sampled_from(["statevector", "density_matrix"]))
def test_numpy_and_aer_draw_the_same(program: tuple[int, Operations], noise: Noise | None, method: str) -> None:
    qubits, operations = program
    circuit = {"format": "json", "qubits": qubits, "operations": operations}
    job: dict[str, Any] = {"method": method} if noise is None else {"noise": noise.written()}
    assert_alike(*both_ways(circuit, **job))


@pytest.mark.parametrize("method", ["statevector", "density_matrix"])
def test_gates_on_three_qubits_with_controls_on_either_value(method: str) -> None:
    source = """OPENQASM 3.0; include "stdgates.inc"; qubit[4] q; rx(0.3) q[0]; ry(0.4) q[1]; h q[2]; h q[3];
    ccx q[2], q[0], q[3]; negctrl @ ctrl @ ry(0.7) q[3], q[1], q[0]; cswap q[1], q[2], q[0]; ctrl @ u3(0.1, 0.2, 0.3)
    q[3], q[2]; """
    assert_alike(*both_ways({"format": "openqasm3", "source": source}, method=method))


def test_a_gate_without_a_matrix_goes_to_aer() -> None:
    source = """OPENQASM 2.0; include "qelib1.inc"; gate own a, b { rx(0.3) a; cx a, b; } qreg q[2]; own q[0], q[1];"""
    assert_alike(*both_ways({"format": "openqasm2", "source": source}))
