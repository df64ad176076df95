"""Bodies with one wrong field each: what is wrong, and the pointer and the code that it is refused with."""

from typing import Any

from tests.testing.in_process import BELL, DIGITS, Json

FILE = f"file_{'0' * 32}"
MLP = {"kind": "mlp", "hidden": [4]}


def operation(**fields: Any) -> Json:
    return BELL | {"circuit": BELL["circuit"] | {"operations": [{"gate": "h", "target": 0}, fields]}}  # type: ignore[operator]


def circuit(**fields: Any) -> Json:
    return BELL | {"circuit": fields}


def source(text: str) -> Json:
    return circuit(format="openqasm3", source=text)


def without(body: Json, field: str) -> Json:
    return {name: value for name, value in body.items() if name != field}


CIRCUITS = {
    "no body at all": ({}, "/circuit", "missing"),
    "an unknown field": (BELL | {"shotz": 1}, "/shotz", "extra_forbidden"),
    "an unknown field that needs escaping": (BELL | {"a/b~c": 1}, "/a~1b~0c", "extra_forbidden"),
    "a field of no name": (BELL | {"": 1}, "/", "extra_forbidden"),
    "shots as text": (BELL | {"shots": "1000"}, "/shots", "int_type"),
    "shots as a fraction": (BELL | {"shots": 10.0}, "/shots", "int_type"),
    "shots as a truth": (BELL | {"shots": True}, "/shots", "int_type"),
    "no shots": (BELL | {"shots": 0}, "/shots", "greater_than_equal"),
    "null shots": (BELL | {"shots": None}, "/shots", "int_type"),
    "too many shots": (BELL | {"shots": 10**400}, "/shots", "less_than_equal"),
    "a seed below zero": (BELL | {"seed": -1}, "/seed", "greater_than_equal"),
    "a seed beyond 64 bits": (BELL | {"seed": 2**63}, "/seed", "less_than_equal"),
    "a priority out of range": (BELL | {"priority": 101}, "/priority", "less_than_equal"),
    "an empty name": (BELL | {"name": ""}, "/name", "string_too_short"),
    "a name with a NUL": (BELL | {"name": "a\0b"}, "/name", "string_pattern_mismatch"),
    "a name that is half a character": (BELL | {"name": "\ud800"}, "/name", "string_unicode"),
    "labels as a list": (BELL | {"labels": ["a"]}, "/labels", "dict_type"),
    "a label that is a number": (BELL | {"labels": {"a/b": 1}}, "/labels/a~1b", "string_type"),
    "a label whose key has a space": (BELL | {"labels": {"a b": "c"}}, "/labels/a b", "string_pattern_mismatch"),
    "a label with a NUL": (BELL | {"labels": {"a": "\0"}}, "/labels/a", "string_pattern_mismatch"),
    "a label key that is half a character": (BELL | {"labels": {"\udfff": "c"}}, "/labels", "string_unicode"),
    "too many labels": (BELL | {"labels": {f"k{i}": "v" for i in range(33)}}, "/labels", "too_long"),
    "a circuit that is text": (BELL | {"circuit": "json"}, "/circuit", "circuit_type"),
    "a circuit of no format": (circuit(qubits=1, operations=[]), "/circuit/format", "union_tag_not_found"),
    "a circuit of an unknown format": (circuit(format="qpy", qubits=1), "/circuit/format", "union_tag_invalid"),
    "a format that is a list": (circuit(format=["json"]), "/circuit/format", "union_tag_invalid"),
    "a circuit without qubits": (circuit(format="json", operations=[]), "/circuit/qubits", "missing"),
    "a field named as a format": (
        circuit(format="json", qubits=1, operations=[], json=1),
        "/circuit/json",
        "extra_forbidden",
    ),
    "a field of the other format": (
        circuit(format="openqasm3", source="qubit q;", qubits=1),
        "/circuit/qubits",
        "extra_forbidden",
    ),
    "operations as an object": (circuit(format="json", qubits=1, operations={}), "/circuit/operations", "list_type"),
    "an operation that is a number": (
        circuit(format="json", qubits=1, operations=[1]),
        "/circuit/operations/0",
        "model_attributes_type",
    ),
    "too many qubits": (circuit(format="json", qubits=5000, operations=[]), "/circuit/qubits", "less_than_equal"),
    "an unknown gate": (operation(gate="hadamard", target=0), "/circuit/operations/1/gate", "unknown_gate"),
    "a gate that is half a character": (operation(gate="\ud800"), "/circuit/operations/1/gate", "string_unicode"),
    "a gate's name of a megabyte": (operation(gate="x" * 10**6), "/circuit/operations/1/gate", "string_too_long"),
    "no gate": (operation(target=0), "/circuit/operations/1/gate", "missing"),
    "no target": (operation(gate="h"), "/circuit/operations/1/target", "missing"),
    "a target out of range": (operation(gate="h", target=2), "/circuit/operations/1/target", "no_such_qubit"),
    "one target of many out of range": (
        operation(gate="h", targets=[0, 2]),
        "/circuit/operations/1/targets/1",
        "no_such_qubit",
    ),
    "a control out of range": (
        operation(gate="x", target=0, controls=[1, 7]),
        "/circuit/operations/1/controls/1",
        "no_such_qubit",
    ),
    "a target below zero": (operation(gate="h", target=-1), "/circuit/operations/1/target", "greater_than_equal"),
    "a target beyond counting": (operation(gate="h", target=10**400), "/circuit/operations/1/target", "less_than"),
    "a target that is a fraction": (operation(gate="h", target=0.5), "/circuit/operations/1/target", "int_type"),
    "target and targets": (operation(gate="h", target=0, targets=[1]), "/circuit/operations/1/targets", "twice"),
    "a qubit named twice": (operation(gate="h", targets=[1, 1]), "/circuit/operations/1/targets", "repeated_qubit"),
    "a target that controls itself": (
        operation(gate="x", target=0, control=0),
        "/circuit/operations/1/control",
        "repeated_qubit",
    ),
    "one target of a gate for two": (operation(gate="swap", target=0), "/circuit/operations/1/target", "target_count"),
    "an angle that is missing": (operation(gate="rx", target=0), "/circuit/operations/1/rotation", "missing"),
    "an angle too much": (operation(gate="h", target=0, rotation=1), "/circuit/operations/1/rotation", "superfluous"),
    "an angle that is no number": (
        operation(gate="rx", target=0, rotation=float("nan")),
        "/circuit/operations/1/rotation",
        "finite_number",
    ),
    "an infinite angle": (
        operation(gate="rx", target=0, rotation=float("-inf")),
        "/circuit/operations/1/rotation",
        "finite_number",
    ),
    "an angle beyond a float": (
        operation(gate="rx", target=0, rotation=10**400),
        "/circuit/operations/1/rotation",
        "float_type",
    ),
    "a phase that is not one of two": (
        operation(gate="ms", targets=[0, 1], phases=[0.0]),
        "/circuit/operations/1/phases",
        "too_short",
    ),
    "a term of unknown letters": (
        operation(gate="pauliexp", targets=[0, 1], terms=["XQ"], coefficients=[1.0], time=1.0),
        "/circuit/operations/1/terms/0",
        "string_pattern_mismatch",
    ),
    "a term too short": (
        operation(gate="pauliexp", targets=[0, 1], terms=["XX", "X"], coefficients=[1.0, 1.0], time=1.0),
        "/circuit/operations/1/terms/1",
        "term_length",
    ),
    "a clbit too few": (
        operation(gate="measure", targets=[0, 1], clbits=[0]),
        "/circuit/operations/1/clbits",
        "clbits",
    ),
    "an unknown field of an operation": (
        operation(gate="h", target=0, angel=1),
        "/circuit/operations/1/angel",
        "extra_forbidden",
    ),
    "a source that is a number": (circuit(format="openqasm3", source=3), "/circuit/source", "string_type"),
    "an empty source": (source(""), "/circuit/source", "string_too_short"),
    "a source that is half a character": (source("\udc80"), "/circuit/source", "string_unicode"),
}

DISTILLATIONS = {
    "an unknown field": (DIGITS | {"techer": 1}, "/techer", "extra_forbidden"),
    "no student": (without(DIGITS, "student"), "/student", "missing"),
    "a data set of no source": (DIGITS | {"dataset": {"name": "digits"}}, "/dataset/source", "union_tag_not_found"),
    "a data set of an unknown source": (
        DIGITS | {"dataset": {"source": "url"}},
        "/dataset/source",
        "union_tag_invalid",
    ),
    "an unknown data set": (
        DIGITS | {"dataset": {"source": "builtin", "name": "mnist"}},
        "/dataset/name",
        "literal_error",
    ),
    "a field called as the source is, and missing": (
        DIGITS | {"dataset": {"source": "file"}},
        "/dataset/file",
        "missing",
    ),
    "a field called as the source is, and wrong": (
        DIGITS | {"dataset": {"source": "file", "file": "../../etc/passwd"}},
        "/dataset/file",
        "string_pattern_mismatch",
    ),
    "a field called as the source is, of a wrong type": (
        DIGITS | {"dataset": {"source": "file", "file": {"file": 1}}},
        "/dataset/file",
        "string_type",
    ),
    "a field beside the one called as the source is": (
        DIGITS | {"dataset": {"source": "file", "file": FILE, "test": 0.9}},
        "/dataset/test",
        "less_than_equal",
    ),
    "an unknown field beside the one called as the source is": (
        DIGITS | {"dataset": {"source": "file", "file": FILE, "lable": "y"}},
        "/dataset/lable",
        "extra_forbidden",
    ),
    "a layer of no units in a teacher from a file": (
        DIGITS | {"teacher": {"source": "file", "file": FILE, "architecture": {"kind": "mlp", "hidden": [4, 0]}}},
        "/teacher/architecture/hidden/1",
        "greater_than_equal",
    ),
    "a field named as a data set's source": (
        DIGITS | {"dataset": {"source": "builtin", "name": "digits", "builtin": 1}},
        "/dataset/builtin",
        "extra_forbidden",
    ),
    "a top field named as a discriminator is": (
        DIGITS | {"kind": "dataset", "dataset": {"source": "builtin", "name": "mnist"}},
        "/dataset/name",
        "literal_error",
    ),
    "an architecture of an unknown kind": (
        DIGITS | {"student": {"architecture": {"kind": "transformer"}}},
        "/student/architecture/kind",
        "union_tag_invalid",
    ),
    "a layer that is text": (
        DIGITS | {"student": {"architecture": {"kind": "mlp", "hidden": ["4"]}}},
        "/student/architecture/hidden/0",
        "int_type",
    ),
    "convolutions of no images": (
        DIGITS
        | {"dataset": {"source": "builtin", "name": "iris"}}
        | {"student": {"architecture": {"kind": "cnn", "channels": [4]}}},
        "/student/architecture/kind",
        "architecture_mismatch",
    ),
    "fewer labels than classes": (
        DIGITS | {"dataset": {"source": "builtin", "name": "digits", "labelled": 9}},
        "/dataset/labelled",
        "too_few_labels",
    ),
    "a temperature of no number": (
        DIGITS | {"objective": {"kind": "kd", "temperature": float("nan")}},
        "/objective/temperature",
        "finite_number",
    ),
    "a temperature of zero": (
        DIGITS | {"objective": {"temperature": 0}},
        "/objective/temperature",
        "greater_than_equal",
    ),
    "momentum where there is none": (
        DIGITS | {"training": {"momentum": 0.9}},
        "/training/momentum",
        "momentum_needs_sgd",
    ),
    "too many checkpoints": (
        DIGITS | {"training": {"epochs": 10_000, "checkpoint_every": 1}},
        "/training/checkpoint_every",
        "too_many_checkpoints",
    ),
    "a seed of a student beyond 64 bits": (DIGITS | {"training": {"seed": 2**63}}, "/training/seed", "less_than_equal"),
    "seeds as a list": (DIGITS | {"evaluation": {"seeds": [1]}}, "/evaluation/seeds", "int_type"),
}
