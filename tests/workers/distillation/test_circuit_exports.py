"""A circuit that was exported is the student's circuit, whoever reads it, and its card runs it."""

import json
import re
from collections.abc import Callable
from typing import Any

import cirq
import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

from app.distillations.card import card
from qstill.contract.circuits.admission import Limits, check_size
from qstill.contract.circuits.formats import OpenQasm3Circuit
from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.report.document import read_report
from tests.testing.examples import examples
from workers.circuits.parse.cirq import parse_cirq
from workers.circuits.parse.openqasm3 import parse_openqasm3
from workers.distillation.artifacts.student_circuit import circuit_files
from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.families import build

Make = Callable[..., Any]
OWN = {
    "format": "openqasm3",
    "source": 'OPENQASM 3.0; include "stdgates.inc"; input float k; input float l; input float a; input float b;'
    "qubit[4] q; ry(k) q[0]; rx(2*l - a) q[1]; h q[1]; crz(l*b) q[0], q[1]; rxx(a) q[0], q[1]; u3(a, b, 0.5) q[1];"
    "rzz(b/2) q[0], q[2]; ctrl @ sx q[0], q[2]; ccx q[0], q[1], q[2]; cp(pi/3 + k) q[0], q[2]; h q[2];",  # q[3] is idle
}
FORMATS = ["openqasm3", "cirq"]


def network(features: int, seed: int = 0, **given_: Any) -> CircuitNetwork:
    made = build(TypeAdapter(Architecture).validate_python(given_), (features,), 3, seed=seed, pointer="")
    assert isinstance(made, CircuitNetwork)
    return made


def files_of(one: CircuitNetwork, features: int) -> dict[str, tuple[str, dict[str, Any]]]:
    x = torch.randn(5, features, generator=torch.Generator().manual_seed(1))
    made = circuit_files(FORMATS, one, "student-seed-0", x)  # type: ignore[arg-type]
    return {ending: (content.decode(), facts) for ending, content, facts in made}


def state_of(circuit: QuantumCircuit, values: dict[str, float], start: Statevector) -> np.ndarray:
    found = start.evolve(circuit.assign_parameters({each: values[each.name] for each in circuit.parameters}))
    return np.asarray(found.data)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Up to a global phase."""
    return abs(abs(np.vdot(one, other)) - 1) < 1e-12


@st.composite
def networks(draw: st.DrawFn) -> CircuitNetwork:
    seed = draw(st.integers(0, 99))
    if draw(st.booleans()):
        angle = {"kind": "angle", "turn": draw(st.sampled_from(["arctan", "linear", "plain"]))}
        return network(2, seed, kind="circuit", circuit=OWN, inputs=["l", "k"], encoding=angle)
    qubits = draw(st.integers(2, 5))
    encoding = draw(
        st.sampled_from([{"kind": "amplitude"}, {"kind": "angle"}, {"kind": "angle", "upload_again": True}])
    )
    entanglement = draw(st.sampled_from(["ring", "full", "brickwork"]))
    return network(2, seed, kind="quantum", qubits=qubits, layers=2, encoding=encoding, entanglement=entanglement)


@settings(max_examples=examples(15))
@given(networks(), st.lists(st.floats(-3, 3), min_size=2, max_size=2), st.integers(0, 99))
def test_every_file_is_the_students_circuit(one: CircuitNetwork, row: list[float], seed: int) -> None:
    files = files_of(one, 2)
    start = Statevector(np.random.default_rng(seed).normal(size=(1 << one.qubits, 2)) @ [1, 1j])
    start = start / np.linalg.norm(start.data)
    whole, inputs = one.whole()
    assert [facts["inputs"] for _, facts in files.values()] == [inputs] * 3
    rows = dict(zip(inputs, row, strict=False))
    weights = dict(zip(one.circuit.weights, one.angles.detach().double().flatten().tolist(), strict=True))
    expected = state_of(whole, rows | weights, start)
    bound, free = parse_openqasm3(files[".qasm"][0]), parse_openqasm3(files[".inputs.qasm"][0])
    assert {each.name for each in bound.parameters} == set(inputs)
    assert files[".inputs.qasm"][1]["weights"] == one.circuit.weights
    for read in (bound, free, parse_cirq(files[".cirq.json"][0])):
        assert same(state_of(read, rows | weights, start), expected)
    theirs = cirq.resolve_parameters(cirq.read_json(json_text=files[".cirq.json"][0]), rows)
    order = list(reversed(cirq.LineQubit.range(one.qubits)))
    assert same(theirs.final_state_vector(initial_state=start.data, qubit_order=order, dtype=np.complex128), expected)
    for text, facts in files.values():
        assert facts["bytes"] == len(text)
        assert facts["max_difference"] < 5e-6
    for ending in (".qasm", ".inputs.qasm"):
        check_size(OpenQasm3Circuit(format="openqasm3", source=files[ending][0]), Limits(memory_available=0))


ANGLE = {"kind": "quantum", "qubits": 4, "layers": 2}
AMPLITUDE = {"kind": "quantum", "qubits": 2, "layers": 2, "encoding": {"kind": "amplitude"}}


@pytest.mark.training
@pytest.mark.parametrize("architecture", [ANGLE, AMPLITUDE], ids=["angle", "amplitude"])
def test_a_job_publishes_circuits_and_its_card_runs_them(
    job: Make, house: Make, architecture: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    told, student = house(), {"architecture": architecture}
    spec = job(student=student, training={"epochs": 2}, evaluation={"seeds": 1})
    distil_job(spec.model_copy(update={"export": ["onnx", *FORMATS]}), told)
    endings = [".onnx", ".qasm", ".inputs.qasm", ".cirq.json"]
    report = read_report(json.loads(told.published["report.json"]))
    assert [each.name for each in report.exports] == [f"student-seed-0{ending}" for ending in endings]
    assert {told.metas[each.name]["format"] for each in report.circuits} == set(FORMATS)
    trained = safetensors.torch.load(told.published["student-seed-0.safetensors"])
    assert "student-seed-0</title>" in told.published["student-seed-0.svg"].decode()
    bound, free = (told.published[f"student-seed-0{ending}"].decode() for ending in (".qasm", ".inputs.qasm"))
    weights = dict(zip(report.circuits[1].weights, trained["angles"].double().flatten().tolist(), strict=True))
    filled = parse_openqasm3(free, {})
    filled = filled.assign_parameters({each: weights[each.name] for each in filled.parameters if each.name in weights})
    zeros = dict.fromkeys(report.circuits[0].inputs, 0.3)
    start = Statevector.from_label("+" * filled.num_qubits)
    assert same(state_of(filled, zeros, start), state_of(parse_openqasm3(bound), zeros, start))

    data = load(spec.dataset, {})
    seen = build(spec.student.architecture, (4,), 3, seed=0, pointer="", standardisation=data.standardisation)
    assert isinstance(seen, CircuitNetwork)
    seen.load_state_dict(trained)
    numbers = seen.numbers(data.test.x[:1])[0].detach().tolist()
    (program,) = re.findall(r"```python\n(from qiskit import qasm3.*?)```", card(report), re.DOTALL)
    (told.scratch / "student-seed-0.qasm").write_text(bound)
    monkeypatch.chdir(told.scratch)
    amplitudes = np.array(numbers) / np.linalg.norm(numbers)  # of length 1 in double precision
    exec(program, {"angles": numbers, "amplitudes": amplitudes})  # noqa: S102 (it is our own)
    found = float(complex(capsys.readouterr().out).real)
    assert found == pytest.approx(float(seen.means(data.test.x[:1]).detach()[0, 0]), abs=1e-5)
