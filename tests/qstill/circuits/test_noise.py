"""What a noise model may say, and where a refusal points."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.http.refusals.pointers import json_pointer
from qstill.contract.circuits.noise.model import IONQ_RATES, CustomNoise, Noise
from qstill.contract.circuits.noise.named import as_custom
from tests.testing.refusals import errors_of

NOISE: TypeAdapter[Noise] = TypeAdapter(Noise)
DEPOLARIZING = {"kind": "depolarizing", "probability": 0.1}
THERMAL = {"model": "thermal_relaxation", "t1": 50, "t2": 70, "one_qubit_time": 50, "two_qubit_time": 300}
IDENTITY = [[[1, 0], [0, 0]], [[0, 0], [1, 0]]]


def custom(*gates: dict[str, Any], readout: tuple[Any, ...] = ()) -> dict[str, Any]:
    return {"model": "custom", "gates": list(gates), "readout": list(readout)}


def rule(error: dict[str, Any], gate: str = "any_two_qubit", **fields: Any) -> dict[str, Any]:
    return custom({"gate": gate, "error": error, **fields})


def kraus(*operators: Any) -> dict[str, Any]:
    return rule({"kind": "kraus", "operators": list(operators)})


VALID = [
    {"model": "ideal"},
    {"model": "depolarizing", "one_qubit": 0, "two_qubit": 1},
    {"model": "depolarizing", "one_qubit": 0.1, "two_qubit": 0.2, "readout": {"p01": 0.1, "p10": 0.2}},
    THERMAL,
    THERMAL | {"t2": 100, "measure_time": 1000, "excited_population": 0.1},
    {"model": "readout", "p01": 0, "p10": 0.1},
    *({"model": name} for name in IONQ_RATES),
    custom(),
    rule(DEPOLARIZING),
    rule(DEPOLARIZING, gate="gpi2", qubits=[3, 4095]),
    rule({"kind": "pauli", "terms": {"XX": 0.5, "IZ": 0.5}}, gate="cnot", qubits=[1, 0]),
    rule({"kind": "pauli", "terms": {"X": 0.1, "Y": 0.2, "Z": 0.7, "I": 0}}),
    rule({"kind": "amplitude_damping", "gamma": 0.1}, gate="measure"),
    rule({"kind": "phase_damping", "gamma": 1}, gate="reset", qubits=[0]),
    rule({"kind": "thermal", "t1": 1, "t2": 2, "time": 0}),
    kraus(IDENTITY),
    kraus(*[[[[0.7071068, 0], [0, 0]], [[0, 0], [0.7071068, 0]]]] * 2),
    custom(readout=({"p01": 0.1}, {"qubits": [3], "matrix": [[0.9, 0.1], [0.2, 0.8]]})),
]


@pytest.mark.parametrize("given", VALID, ids=str)
def test_a_model_of_the_documentation_is_accepted_and_survives_json(given: dict[str, Any]) -> None:
    noise = NOISE.validate_python(given)
    assert NOISE.validate_json(NOISE.dump_json(noise)) == noise
    assert isinstance(as_custom(noise), CustomNoise)


def test_the_examples_of_the_documentation_are_valid() -> None:
    for example in CustomNoise.model_json_schema()["examples"]:
        assert len(CustomNoise.model_validate(example).gates) == 3


@pytest.mark.parametrize("error", ["Depolarizing", "PauliError", "AmplitudeDamping", "Thermal", "KrausError"])
def test_the_examples_of_an_errors_fields_make_an_error(error: str) -> None:
    schema = CustomNoise.model_json_schema()["$defs"][error]["properties"]
    NOISE.validate_python(rule({name: field["examples"][0] for name, field in schema.items()}))


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"model": "perfect"}, "/model", "union_tag_invalid"),
    ({}, "/model", "union_tag_not_found"),
    ({"model": "depolarizing", "one_qubit": 1.1, "two_qubit": 0}, "/one_qubit", "less_than_equal"),
    ({"model": "depolarizing", "one_qubit": -0.1, "two_qubit": 0}, "/one_qubit", "greater_than_equal"),
    ({"model": "depolarizing", "one_qubit": float("nan"), "two_qubit": 0}, "/one_qubit", "finite_number"),
    ({"model": "depolarizing", "one_qubit": "0.1", "two_qubit": 0}, "/one_qubit", "float_type"),
    ({"model": "depolarizing", "one_qubit": 0}, "/two_qubit", "missing"),
    ({"model": "aria-1", "seed": 3}, "/seed", "extra_forbidden"),
    ({"model": "readout", "p01": 0, "p10": 0, "readout": 1}, "/readout", "extra_forbidden"),
    (THERMAL | {"t2": 100.001}, "/t2", "unphysical"),
    (THERMAL | {"t1": 0}, "/t1", "greater_than_equal"),
    (THERMAL | {"two_qubit_time": -1}, "/two_qubit_time", "greater_than_equal"),
    (rule(DEPOLARIZING, gate="pauliexp"), "/gates/0/gate", "unknown_gate"),
    (rule(DEPOLARIZING, gate="h", qubits=[1, 1]), "/gates/0/qubits", "repeated_qubit"),
    (rule(DEPOLARIZING, gate="h", qubits=[4096]), "/gates/0/qubits/0", "less_than"),
    (rule(DEPOLARIZING, gate="h", qubits=[]), "/gates/0/qubits", "too_short"),
    (rule(DEPOLARIZING, gate="cx", qubits=[1]), "/gates/0/qubits", "qubit_count"),
    (rule({"kind": "pauli", "terms": {"XX": 0.1}}, gate="h"), "/gates/0/error", "error_width"),
    (rule({"kind": "pauli", "terms": {"XX": 0.1, "Z": 0.1}}), "/gates/0/error/terms/Z", "term_length"),
    (rule({"kind": "pauli", "terms": {"X": 0.6, "Z": 0.6}}), "/gates/0/error/terms", "not_a_distribution"),
    (rule({"kind": "pauli", "terms": {"X": 0.6, "I": 0.3}}), "/gates/0/error/terms", "not_a_distribution"),
    (rule({"kind": "pauli", "terms": {"x": 0.6}}), "/gates/0/error/terms/x/[key]", "string_pattern_mismatch"),
    (rule({"kind": "pauli", "terms": {}}), "/gates/0/error/terms", "too_short"),
    (rule({"kind": "amplitude_damping", "gamma": 2}), "/gates/0/error/gamma", "less_than_equal"),
    (rule({"kind": "thermal", "t1": 1, "t2": 3, "time": 0}), "/gates/0/error/t2", "unphysical"),
    (kraus([[[1, 0]] * 2] * 2), "/gates/0/error/operators", "not_complete"),
    (kraus(IDENTITY, IDENTITY), "/gates/0/error/operators", "not_complete"),
    (kraus([[[1, 0]] * 3] * 3), "/gates/0/error/operators/0", "operator_shape"),
    (
        rule({"kind": "kraus", "operators": [IDENTITY, [[[0, 0]] * 4] * 4]}),
        "/gates/0/error/operators/1",
        "operator_shape",
    ),
    (
        rule({"kind": "kraus", "operators": [[[[1e300, 0]] * 2] * 2]}),
        "/gates/0/error/operators/0/0/0/0",
        "less_than_equal",
    ),
    (rule({"kind": "kraus", "operators": [[[[1, 0, 0]] * 2] * 2]}), "/gates/0/error/operators/0/0/0", "too_long"),
    (custom(readout=({},)), "/readout/0/p01", "missing"),
    (custom(readout=({"p01": 0.1, "matrix": [[1, 0], [0, 1]]},)), "/readout/0/matrix", "twice"),
    (custom(readout=({"matrix": [[1, 0], [0.1, 0.8]]},)), "/readout/0/matrix/1", "not_a_distribution"),
    (custom(readout=({"p01": 0.1, "qubits": [2, 2]},)), "/readout/0/qubits", "repeated_qubit"),
]


@pytest.mark.parametrize(("given", "pointer", "code"), REFUSED, ids=str)
def test_a_wrong_model_is_refused_where_it_is_wrong(given: dict[str, Any], pointer: str, code: str) -> None:
    refusal = errors_of(NOISE.validate_python, given)
    first = refusal[0]
    path = [*first["loc"]]
    if first["type"].startswith("union_tag"):
        path.append(first["ctx"]["discriminator"].strip("'"))
    absent = first["type"] in {"missing", "extra_forbidden", "union_tag_not_found"}
    found = json_pointer(path, given, last_is_key=absent)
    assert (found, first["type"]) == (pointer.removesuffix("/[key]"), code)


def test_what_is_large_is_refused() -> None:
    zero = [[[0, 0]] * 4] * 4
    identity = [[[float(row == column), 0] for column in range(4)] for row in range(4)]
    large = {"gate": "cx", "error": {"kind": "kraus", "operators": [identity] + [zero] * 15}}
    for given in (custom(*[large] * 512), custom(*[large] * 100_000), rule(DEPOLARIZING, qubits=list(range(300)))):
        with pytest.raises(ValidationError):
            NOISE.validate_python(given)


def test_harmonys_rates_have_its_published_fidelities() -> None:
    """The average fidelity of a depolarizing channel is 1 - p·(d-1)/d."""
    one, two = IONQ_RATES["harmony"]
    assert (1 - one / 2, 1 - two * 3 / 4) == pytest.approx((0.9935, 0.9602))
