"""What a network that is a circuit would take of a machine is what counting its gates gives."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.distillations.card import card
from qstill.contract.circuits.device import Device
from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.report.document import read_report
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.jobs import distil_job
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.families import build
from workers.distillation.quantum.cost import circuit_cost

Make = Callable[..., Any]
ALL_JOINED = Device(basis_gates=["rz", "sx", "x", "cx"])


def line(qubits: int) -> Device:
    return Device.model_validate({"coupling_map": {"shape": "line", "qubits": qubits}})


def network(features: int, **given_: Any) -> CircuitNetwork:
    made = build(TypeAdapter(Architecture).validate_python(given_), (features,), 3, seed=0, pointer="")
    assert isinstance(made, CircuitNetwork)
    return made


def test_cx_are_counted_by_hand() -> None:
    amplitude = network(64, kind="quantum", qubits=6, layers=8, encoding={"kind": "amplitude"})
    cost = circuit_cost(amplitude, None)
    assert (cost.qubits, cost.two_qubit_gates, cost.state_preparation, cost.compiled) == (6, 6 * 8, 2**6 - 2, None)
    angle = network(3, kind="quantum", qubits=4, layers=2, entanglement="none")
    cost = circuit_cost(angle, ALL_JOINED)
    assert (cost.two_qubit_gates, cost.depth, cost.state_preparation, cost.compiled) == (0, 1 + 2 * 2, None, 0)
    operations = [
        {"gate": "ry", "targets": [0, 1, 2], "rotation": "a"},
        {"gate": "zz", "targets": [0, 1], "rotation": "b"},
        {"gate": "swap", "targets": [1, 2]},
        {"gate": "x", "target": 2, "controls": [0, 1]},
    ]
    own = network(5, kind="circuit", circuit={"format": "json", "qubits": 3, "operations": operations})
    assert circuit_cost(own, None).two_qubit_gates == 2 + 3 + 6


@settings(max_examples=examples(8), deadline=None)
@given(st.integers(2, 4), st.integers(1, 3), st.sampled_from(["ring", "full", "line"]), st.booleans())
def test_routing_costs_and_a_device_of_all_pairs_does_not(
    qubits: int, layers: int, entanglement: str, amplitude: bool
) -> None:
    encoding = {"kind": "amplitude" if amplitude else "angle"}
    one = network(2, kind="quantum", qubits=qubits, layers=layers, entanglement=entanglement, encoding=encoding)
    joined, routed = circuit_cost(one, ALL_JOINED), circuit_cost(one, line(qubits))
    assert joined.compiled is not None
    assert routed.compiled is not None
    assert joined.compiled <= joined.two_qubit_gates + (joined.state_preparation or 0)
    assert routed.compiled >= joined.compiled
    assert (joined.depth, joined.two_qubit_gates) == (routed.depth, routed.two_qubit_gates)


def test_a_device_that_is_too_small_is_refused() -> None:
    refused = problem_of(circuit_cost, network(2, kind="quantum", qubits=3, layers=1), line(2))
    assert refused.pointer == "/evaluation/quantum/device/coupling_map"


@pytest.mark.training
def test_a_report_says_what_a_student_would_take(job: Make, house: Make) -> None:
    told = house()
    student = {"architecture": {"kind": "quantum", "qubits": 4, "layers": 2}}
    distil_job(job(student=student, training={"epochs": 1}, evaluation={"seeds": 1, "controls": False}), told)
    report = json.loads(told.published["report.json"])
    cost = report["student"]["cost"]
    assert cost["timed"] == "one row, simulated"
    assert cost["circuit"] == {
        "qubits": 4, "depth": 13, "two_qubit_gates": 8, "state_preparation": None, "compiled": None
    }  # fmt: skip
    assert report["teacher"]["cost"]["circuit"] is None
    text = card(read_report(report))
    assert "4 qubits, depth 13, 8 CX" in text
    assert "The student's time is of one row, simulated." in text
