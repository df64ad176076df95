"""What a device may be, and where a refusal points."""

from typing import Any

import pytest

from app.http.refusals.pointers import json_pointer
from qstill.contract.circuits.device import Device
from tests.testing.refusals import errors_of


def test_the_examples_of_the_documentation_are_valid() -> None:
    for example in Device.model_json_schema()["examples"]:
        device = Device.model_validate(example)
        assert Device.model_validate_json(device.model_dump_json()) == device


@pytest.mark.parametrize(
    ("coupling_map", "qubits", "couplings"),
    [
        (None, None, None),
        ([[2, 1], [0, 1], [1, 2]], 3, [(0, 1), (1, 2)]),
        ({"shape": "line", "qubits": 3}, 3, [(0, 1), (1, 2)]),
        ({"shape": "line", "qubits": 1}, 1, []),
        ({"shape": "ring", "qubits": 4}, 4, [(0, 1), (1, 2), (2, 3), (0, 3)]),
        ({"shape": "ring", "qubits": 2}, 2, [(0, 1)]),
        ({"shape": "grid", "rows": 2, "columns": 3}, 6, [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)]),
        ({"shape": "full", "qubits": 9}, 9, None),
    ],
)
def test_a_shape_is_its_pairs(coupling_map: Any, qubits: int | None, couplings: list[Any] | None) -> None:
    device = Device.model_validate({"coupling_map": coupling_map})
    assert (device.qubits, device.couplings) == (qubits, couplings)


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"basis_gates": []}, "/basis_gates", "too_short"),
    ({"basis_gates": ["rz", "cnot"]}, "/basis_gates/1", "unknown_gate"),
    ({"basis_gates": ["rz", "cx", "rz"]}, "/basis_gates/2", "repeated_gate"),
    ({"optimization_level": 4}, "/optimization_level", "literal_error"),
    ({"seed": -1}, "/seed", "greater_than_equal"),
    ({"coupling_map": []}, "/coupling_map", "too_short"),
    ({"coupling_map": [[0, 1], [1]]}, "/coupling_map/1", "too_short"),
    ({"coupling_map": [[0, 1], [1, 1]]}, "/coupling_map/1", "repeated_qubit"),
    ({"coupling_map": [[0, 1], [3, 2]]}, "/coupling_map", "not_connected"),
    ({"coupling_map": [[0, 1024]]}, "/coupling_map/0/1", "less_than"),
    ({"coupling_map": [[0, 1]] * 8193}, "/coupling_map", "too_long"),
    ({"coupling_map": {"shape": "star", "qubits": 3}}, "/coupling_map/shape", "union_tag_invalid"),
    ({"coupling_map": {"shape": "line"}}, "/coupling_map/qubits", "missing"),
    ({"coupling_map": {"shape": "line", "qubits": 1025}}, "/coupling_map/qubits", "less_than_equal"),
    ({"coupling_map": {"shape": "grid", "rows": 64, "columns": 17}}, "/coupling_map/columns", "too_many_qubits"),
]


@pytest.mark.parametrize(("given", "pointer", "code"), REFUSED)
def test_an_impossible_device_is_refused_where_it_is_wrong(given: dict[str, Any], pointer: str, code: str) -> None:
    refusal = errors_of(Device.model_validate, given)
    first = refusal[0]
    path = [*first["loc"]]
    if first["type"].startswith("union_tag"):
        path.append(first["ctx"]["discriminator"].strip("'"))
    found = json_pointer(path, given, last_is_key=first["type"] == "missing")
    assert (found, first["type"]) == (pointer, code)
