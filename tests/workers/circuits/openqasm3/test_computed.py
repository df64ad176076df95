"""Programs that compute with what they measure: the engine that carries their variables, and what is said of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit

from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.openqasm3.reader import elaborate
from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of
from workers.circuits.channels import channel
from workers.circuits.classical import Compute
from workers.circuits.diagram.svg import diagram_svg
from workers.circuits.engines.dynamic import branching, computed
from workers.circuits.engines.dynamic.computed_code import Apply
from workers.circuits.engines.dynamic.live_state import LiveState, apply
from workers.circuits.examine.shape import examine
from workers.circuits.export import to_json, to_openqasm2, to_openqasm3, to_text
from workers.circuits.parse.openqasm3 import _Writer, parse_openqasm3
from workers.circuits.planning import plan_circuits
from workers.circuits.program import Ask, Program, Sample
from workers.circuits.route import simulate

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
TELEPORT = (
    "qubit[3] q; bit[3] c; ry(0.8) q[0]; h q[1]; cx q[1], q[2]; cx q[0], q[1]; h q[0]; c[0] = measure q[0]; "
    "c[1] = measure q[1]; if (c[1]) { x q[2]; } if (c[0]) { z q[2]; } c[2] = measure q[2];"
)
COUNTED = (
    "qubit[2] q; bit c; int n = 0; h q[0]; c = measure q[0]; n += int(c); rx(n * pi) q[1]; bit d; d = measure q[1];"
)
SHOTS = 20_000
DAMPING = {"kind": "amplitude_damping", "gamma": 0.2}


def job(source: str, **more: Any) -> CircuitJob:
    circuit = {"format": "openqasm3", "source": HEAD + source}
    return CircuitJob.model_validate({"circuit": circuit, "shots": SHOTS, "seed": 3} | more)


def sampled(source: str, **more: Any) -> Sample:
    return samples(source, **more)[0]


def samples(source: str, **more: Any) -> list[Sample]:
    wanted = job(source, **more)
    assert wanted.seed is not None
    return [simulate(each.routed, Ask(shots=SHOTS, seed=wanted.seed))[0] for each in plan_circuits(wanted)]


def same(left: dict[str, int], right: dict[str, int]) -> bool:
    """Whether two draws of SHOTS may come from one distribution."""
    return all(
        abs(left.get(key, 0) - right.get(key, 0)) <= 6 * (left.get(key, 0) + right.get(key, 0) + 1) ** 0.5
        for key in left | right
    )


@pytest.mark.parametrize(
    "noise",
    [
        None,
        {"model": "depolarizing", "one_qubit": 0.05, "two_qubit": 0.1},
        {"model": "custom", "gates": [{"gate": "cx", "error": DAMPING}], "readout": [{"p01": 0.1, "p10": 0.05}]},
        {"model": "custom", "gates": [{"gate": "measure", "error": DAMPING}]},
    ],
)
def test_it_gives_what_the_other_engines_give(monkeypatch: pytest.MonkeyPatch, noise: dict[str, Any] | None) -> None:
    usual = sampled(TELEPORT, noise=noise)

    def never_native(source: str, inputs: Any = None) -> Any:
        return _Writer(elaborate(source, inputs), native=False).circuit()

    monkeypatch.setattr("workers.circuits.parse.parse_openqasm3", never_native)
    assert same(usual.counts, sampled(TELEPORT, noise=noise).counts)


def test_noise_of_probability_0_changes_nothing() -> None:
    nothing = {"model": "depolarizing", "one_qubit": 0.0, "two_qubit": 0.0}
    assert sampled(COUNTED, noise=nothing).counts == sampled(COUNTED).counts


def test_an_error_acts_on_a_gate_whose_angle_was_computed() -> None:
    flipped = {"model": "custom", "gates": [{"gate": "rx", "error": {"kind": "pauli", "terms": {"X": 1.0}}}]}
    assert set(sampled(COUNTED).counts) == {"00", "11"}
    assert set(sampled(COUNTED, noise=flipped).counts) == {"10", "01"}


def test_a_channel_acts_where_it_stands() -> None:
    """No language of ours has both; the engine runs them all the same."""
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.append(channel([np.diag([1, 0.6]), np.array([[0, 0.8], [0, 0]])], "damping"), [0])
    circuit.append(Compute((0,), None, 1, 1), [], [0])
    circuit.measure(0, 0)
    counts = computed.sample(Program(circuit, examine(circuit)), Ask(shots=SHOTS, seed=3)).counts
    assert abs(counts["1"] - 0.36 * SHOTS) < 6 * (0.36 * 0.64 * SHOTS) ** 0.5


def test_expectation_values_are_those_before_the_last_measurements() -> None:
    observables = [{"terms": [{"paulis": "ZZ", "coefficient": 1.0}]}, {"terms": [{"paulis": "ZI", "coefficient": 1.0}]}]
    both, one = sampled(COUNTED, observables=observables).expectations
    assert both.value == pytest.approx(1.0)
    assert abs(one.value) < 6 * one.standard_error


def test_a_chain_of_teleports_holds_three_qubits_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    widths: list[int] = []

    def watched(state: LiveState, step: Apply) -> LiveState:
        after = apply(state, step)
        widths.append(len(after.live))
        return after

    monkeypatch.setattr(computed, "apply", watched)
    chain = (
        "qubit[13] q; bit c; ry(0.8) q[0]; for uint i in [0:2:10] { bit[2] m; h q[i + 1]; cx q[i + 1], q[i + 2]; "
        "cx q[i], q[i + 1]; h q[i]; m[0] = measure q[i]; m[1] = measure q[i + 1]; "
        "if (m[1]) { x q[i + 2]; } if (m[0]) { z q[i + 2]; } } ry(-0.8) q[12]; c = measure q[12];"
    )
    wanted = job(chain, shots=20)
    (planned,) = plan_circuits(wanted)
    assert simulate(planned.routed, Ask(shots=20, seed=3))[0].counts == {"0": 20}
    assert max(widths) == 3


def test_the_same_seed_gives_the_same_counts() -> None:
    assert sampled(COUNTED).counts == sampled(COUNTED).counts
    assert sampled(COUNTED, seed=4).counts != sampled(COUNTED).counts


def test_a_loop_that_nothing_ends_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computed, "MAX_STEPS", 10_000)
    endless = "qubit q; bit c; bool go = true; c = measure q; while (go) { go = !go; go = go || !c; x q; }"
    circuit = parse_openqasm3(HEAD + endless)
    refused = problem_of(computed.sample, Program(circuit, examine(circuit)), Ask(shots=1, seed=1))
    assert refused.code == "loop_without_end"


def test_a_loop_asks_whether_its_job_was_cancelled() -> None:
    class Cancelled(Exception):
        pass

    asked = 0

    def cancel() -> None:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise Cancelled

    circuit = parse_openqasm3(
        HEAD + "qubit q; bit c; int n = 0; c = measure q; while (n < 1000000) { n += 1 + c; x q; }"
    )
    with pytest.raises(Cancelled):
        computed.sample(Program(circuit, examine(circuit)), Ask(shots=1, seed=1, between=cancel))


@pytest.mark.parametrize("kind", ["int", "uint[4]", "bool", "bit[2]"])
def test_an_input_that_decides_on_more_than_angles_is_swept_one_by_one(kind: str) -> None:
    source = (
        f"input {kind} n; qubit[4] q; for int i in [0:2] {{ if (i < int(n)) {{ x q[i]; }} }} if (bool(n)) {{ x q[3]; }}"
    )
    found = samples(source, bindings=[{"n": 0}, {"n": 1}])
    assert [dict(each.counts) for each in found] == [{"0000": SHOTS}, {"1001": SHOTS}]
    assert problem_of(samples, source).code == "unbound_parameters"
    assert "cannot be 0.5" in problem_of(samples, source, bindings=[{"n": 0.5}]).title


@pytest.mark.parametrize("method", ["stabilizer", "matrix_product_state", "statevector"])
def test_other_methods_say_that_they_cannot(method: str) -> None:
    refused = problem_of(sampled, COUNTED, method=method)
    assert refused.code == "method_cannot"
    assert refused.ways_out[0]["method"] == "shot_branching"


def test_a_device_is_not_compiled_for() -> None:
    refused = problem_of(sampled, COUNTED, device={})
    assert (refused.code, refused.pointer) == ("cannot_compile", "/device")


@pytest.mark.parametrize("export", [to_json, to_openqasm2, to_openqasm3])
def test_it_is_written_in_no_other_language(export: Callable[[Any], Any]) -> None:
    with pytest.raises(Problem, match="computes with what it measures") as refused:
        export(parse_openqasm3(HEAD + COUNTED))
    assert refused.value.ways_out == [{"format": "svg"}, {"format": "text"}]


def test_its_pictures_leave_nothing_out() -> None:
    circuit = parse_openqasm3(HEAD + COUNTED)
    for picture in (to_text(circuit), diagram_svg(circuit, title="counted")):
        assert "RX" in picture
        assert "more operations" not in picture


def test_a_subroutine_that_measures_needs_no_variable() -> None:
    read = "def read(qubit[2] q) -> bit[2] { bit[2] b; b = measure q; return b; }"
    source = f"{read} qubit[2] q; bit[2] c; x q[1]; c = read(q);"
    circuit = parse_openqasm3(HEAD + source)
    assert not examine(circuit).computed
    assert branching.sample(Program(circuit, examine(circuit)), Ask(shots=5, seed=1)).counts == {"10": 5}


def test_a_variable_keeps_the_bits_that_it_was_given() -> None:
    source = "qubit q; bit[2] c; x q; c[0] = measure q; int n = c; x q; c[0] = measure q; if (n == 1) { x q; }"
    assert sampled(source + " c[1] = measure q;").counts == {"10": SHOTS}


def test_a_program_without_bits_gives_out_what_it_computed() -> None:
    source = "qubit q; int[4] n = 2; bool b; x q; b = measure q; if (b) { n += 3; }"
    assert sampled(source).counts == {"10101": SHOTS}  # b, then n, from the right as they were declared
