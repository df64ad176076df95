"""What is wrong is refused with a problem document that points to the field in the body as it was sent."""

import copy
import gzip
import json
import secrets
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.patterns import in_words
from app.http.problems import MAX_ECHO, MAX_FIELDS
from tests.app.http.in_process import BELL, DIGITS, Json, Service, refused, running

JSON = {"Content-Type": "application/json"}
SUBMIT = ("/v1/circuits", "/v1/distillations")
BODY = {"/v1/circuits": BELL, "/v1/distillations": DIGITS}
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
    "a seed beyond exact numbers": (DIGITS | {"training": {"seed": 2**53}}, "/training/seed", "less_than_equal"),
    "seeds as a list": (DIGITS | {"evaluation": {"seeds": [1]}}, "/evaluation/seeds", "int_type"),
}


def post(client: httpx.Client, path: str, body: Any) -> httpx.Response:
    return client.post(path, content=json.dumps(body), headers=JSON)  # httpx would refuse NaN by itself


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("bad-input") / "data", max_body_bytes=2 << 20) as made:
        yield made
        assert made.client.get("/v1/jobs").json()["data"] == []


@pytest.fixture(scope="module")
def client(service: Service) -> httpx.Client:
    return service.client


@pytest.mark.parametrize(
    ("path", "wrong"),
    [pytest.param("/v1/circuits", wrong, id=f"circuit: {wrong}") for wrong in CIRCUITS]
    + [pytest.param("/v1/distillations", wrong, id=f"distillation: {wrong}") for wrong in DISTILLATIONS],
)
def test_a_wrong_field_is_pointed_to(client: httpx.Client, path: str, wrong: str) -> None:
    body, pointer, code = (CIRCUITS if path == "/v1/circuits" else DISTILLATIONS)[wrong]
    problem = refused(post(client, path, body), 422, "validation_failed")
    assert (pointer, code) in {(error["pointer"], error["code"]) for error in problem["errors"]}
    assert problem["pointer"] == problem["errors"][0]["pointer"]
    assert all(error["detail"] for error in problem["errors"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("qreg q[10000000];", "too_many_qubits"),
        ("qubit[1000000] q;", "too_many_qubits"),
        ("OPENQASM 2.0; qreg q[1];", "qasm_version"),
        ('include "/etc/passwd"; qubit q;', "qasm_include"),
        ("qubit q; rx(" + "(" * 20_000 + "1" + ")" * 20_000 + ") q;", "qasm_too_deep"),
        ("qubit q; for int i in [0:100000000] { x q; }", "qasm_loop_too_long"),
        ("/* never closed", "qasm_invalid"),
    ],
)
def test_a_hostile_source_is_refused_at_once(client: httpx.Client, text: str, code: str) -> None:
    assert refused(post(client, "/v1/circuits", source(text)), 422, code)["pointer"] == "/circuit/source"


def test_a_circuit_too_large_for_memory_says_how_large_one_may_be(client: httpx.Client) -> None:
    pairs = [{"gate": "zz", "targets": [a, b], "rotation": 0.2} for a in range(60) for b in range(a)]
    body = circuit(format="json", qubits=60, operations=pairs)
    problem = refused(post(client, "/v1/circuits", body), 422, "needs_more_memory")
    assert problem["pointer"] == "/circuit/qubits"
    assert problem["try"][0]["active_qubits"] < 60


@pytest.mark.parametrize("path", SUBMIT)
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "missing"),
        (b"null", "model_attributes_type"),
        (b"[]", "model_attributes_type"),
        (b'"text"', "model_attributes_type"),
        (b"{", "json_invalid"),
        (b"{'circuit': 1}", "json_invalid"),
        (b'{"a": 1}{"b": 2}', "json_invalid"),
        (b"<circuit/>", "json_invalid"),
    ],
)
def test_what_is_no_json_object_is_refused(client: httpx.Client, path: str, content: bytes, code: str) -> None:
    problem = refused(client.post(path, content=content, headers=JSON), 422, "validation_failed")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("", code)]


@pytest.mark.parametrize("path", SUBMIT)
@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"[" * 100_000, "too deep", id="brackets"),
        pytest.param(b'{"circuit":' * 100_000, "too deep", id="objects"),
        pytest.param(b'{"labels":' * 10_000 + b"1" + b"}" * 10_000, "too deep", id="objects that are closed"),
        pytest.param(b'{"shots": ' + b"9" * 10_000 + b"}", "more digits", id="an integer of 10,000 digits"),
        pytest.param(b'{"\xff": 1}', "not UTF-8", id="no UTF-8"),
        pytest.param(gzip.compress(b"{}"), "uncompressed", id="compressed"),
    ],
)
def test_json_that_cannot_be_read_is_refused_with_the_reason(
    client: httpx.Client, path: str, content: bytes, why: str
) -> None:
    assert why in refused(client.post(path, content=content, headers=JSON), 400, "bad_request")["title"]


@pytest.mark.parametrize("path", SUBMIT)
@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"])
def test_a_body_that_does_not_say_it_is_json_is_refused(client: httpx.Client, path: str, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = client.post(path, content=json.dumps(BODY[path]), headers=headers)
    assert "application/json" in refused(answer, 415, "unsupported_media_type")["title"]


@pytest.mark.parametrize("path", SUBMIT)
@pytest.mark.parametrize("size", [(2 << 20) + 1, 1 << 40])
def test_a_body_that_declares_too_much_is_refused(client: httpx.Client, path: str, size: int) -> None:
    answer = client.post(path, content=b"{}", headers=JSON | {"Content-Length": str(size)})
    refused(answer, 413, "body_too_large")


@pytest.mark.parametrize("path", [*SUBMIT, "/v1/jobs", "/nowhere"])
def test_a_body_that_grows_too_much_is_refused_while_it_is_read(client: httpx.Client, path: str) -> None:
    answer = client.post(path, content=(b" " * 65_536 for _ in range(40)), headers=JSON)
    if path in SUBMIT:
        refused(answer, 413, "body_too_large")
    else:
        assert answer.status_code in {404, 405}


def test_many_wrong_fields_are_named_but_not_all_of_them(client: httpx.Client) -> None:
    body = BELL | {f"unknown{number}": number for number in range(100)}
    problem = refused(post(client, "/v1/circuits", body), 422, "validation_failed")
    assert len(problem["errors"]) == MAX_FIELDS
    assert "99 more" in problem["title"]


def test_a_body_of_100_000_wrong_operations_gets_a_short_answer(client: httpx.Client) -> None:
    body = circuit(format="json", qubits=1, operations=[{"gate": "zz"}] * 100_000)
    answer = post(client, "/v1/circuits", body)
    problem = refused(answer, 422, "validation_failed")
    assert problem["pointer"] == "/circuit/operations/0/targets" or problem["pointer"].startswith(
        "/circuit/operations/0"
    )
    assert len(answer.content) < 10_000


@pytest.mark.parametrize(
    "body",
    [
        circuit(format="x" * 10**6),
        BELL | {"x" * 10**6: 1},
        BELL | {"labels": {"x" * 10**6: "v"}},
        DIGITS | {"dataset": {"source": "x" * 10**6}},
    ],
)
def test_an_answer_does_not_send_a_megabyte_back(client: httpx.Client, body: Json) -> None:
    path = "/v1/circuits" if "circuit" in body else "/v1/distillations"
    answer = post(client, path, body)
    refused(answer, 422, "validation_failed")
    assert len(answer.content) < 10 * MAX_ECHO


@pytest.mark.parametrize("path", SUBMIT)
def test_a_refusal_repeats_neither_the_key_nor_a_value_of_the_body(client: httpx.Client, path: str) -> None:
    secret = secrets.token_hex(16)
    headers = {"Authorization": f"Bearer {secret}", "Cookie": secret} | JSON
    for body in (BODY[path] | {"name": [secret]}, BODY[path] | {"priority": secret, "labels": {"a": {"b": secret}}}):
        answer = client.post(path, content=json.dumps(body), headers=headers)
        refused(answer, 422, "validation_failed")
        assert secret not in answer.text + str(answer.headers)


STEPWISE = DIGITS | {"training": {"schedule": "step"}}
PLAIN_MATRICES = {"kind": "kraus", "operators": [[[1, 0], [0, 1]]]}


@pytest.mark.parametrize(
    ("path", "body", "pointer", "said"),
    [
        ("/v1/circuits", BELL | {"shotz": 1}, "/shotz", "Did you mean `shots`?"),
        ("/v1/circuits", BELL["circuit"], "/format", "It belongs into `circuit` or `circuits`."),
        ("/v1/circuits/convert?to=json", BELL["circuit"], "/format", "It belongs into `circuit` or `circuits`."),
        ("/v1/circuits", {"circuit": "OPENQASM 3; qubit q;"}, "/circuit", '{"format": "openqasm3", "source": '),
        ("/v1/circuits", operation(gate="h", qubit=0), "/circuit/operations/1/qubit", "Known: gate, target, targets,"),
        ("/v1/circuits", operation(gate="cx", targets=[0, 1]), "/circuit/operations/1/gate", "`x` with a `control`"),
        ("/v1/circuits", operation(gate="Hadamard", target=0), "/circuit/operations/1/gate", "written `h`."),
        ("/v1/circuits", BELL | {"name": "a\tb"}, "/name", "tabs and other control characters are not allowed"),
        ("/v1/circuits", BELL | {"labels": {"a b": "c"}}, "/labels/a b", "letters, digits and"),
        (
            "/v1/circuits",
            BELL | {"noise": {"model": "custom", "gates": [{"gate": "x", "error": PLAIN_MATRICES}]}},
            "/noise/gates/0/error/operators/0/0/0",
            "written [re, im]",
        ),
        ("/v1/distillations", STEPWISE, "/training/milestones", "`step` needs `milestones`"),
        ("/v1/distillations", DIGITS | {"temperature": 2.0}, "/temperature", "It belongs into `objective`."),
        ("/v1/distillations", DIGITS | {"student": {"hidden": [4]}}, "/student/hidden", "into `architecture`."),
        (
            "/v1/distillations",
            DIGITS | {"dataset": {"source": "file", "file": FILE, "lable": "y"}},
            "/dataset/lable",
            "Did you mean `label`?",
        ),
    ],
)
def test_a_refusal_says_what_belongs_there(client: httpx.Client, path: str, body: Any, pointer: str, said: str) -> None:
    problem = refused(post(client, path, body), 422, "validation_failed")
    [detail] = [error["detail"] for error in problem["errors"] if error["pointer"] == pointer]
    assert said in detail


def patterns(schema: Any) -> set[str]:
    """Every regular expression of a schema, those of the keys of mappings included."""
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    found = set().union(*map(patterns, inner))
    if isinstance(schema, dict):
        found |= {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
        found |= set(schema["patternProperties"]) if isinstance(schema.get("patternProperties"), dict) else set()
    return found


def test_no_regular_expression_is_shown_to_a_client(service: Service) -> None:
    known = patterns(service.client.get("/openapi.json").json())
    assert len(known) > 10
    assert [pattern for pattern in known if in_words(pattern) is None] == []


def values() -> st.SearchStrategy[Any]:
    numbers = st.integers() | st.floats() | st.integers(min_value=10**300, max_value=10**320)
    plain = st.none() | st.booleans() | numbers | st.text(st.characters(codec=None), max_size=20)
    names = st.sampled_from(["format", "source", "kind", "json", "file", "target", "x"]) | st.text(max_size=5)
    return st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))


def places(body: Any) -> list[tuple[str | int, ...]]:
    """The path of every value of a body."""
    found: list[tuple[str | int, ...]] = [()]
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inner:
        found += [(key, *path) for path in places(value)]
    return found


def replaced(body: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """A copy of the body with the value at a place exchanged."""
    if not place:
        return value
    changed = copy.copy(body)
    changed[place[0]] = replaced(body[place[0]], place[1:], value)
    return changed


def resolves(pointer: str, body: Any) -> bool:
    """Whether a pointer names a value of the body, or a field that an object of the body could have."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for number, part in enumerate(parts):
        if isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict) and part in body:
            body = body[part]
        else:
            return isinstance(body, dict) and number == len(parts) - 1
    return True


FILED = DIGITS | {
    "dataset": {"source": "file", "file": FILE, "label": "y"},
    "teacher": {"source": "file", "file": FILE, "architecture": MLP},
}


@pytest.mark.parametrize("body", [BELL, source("qubit q;"), DIGITS, FILED], ids=["json", "openqasm3", "digits", "file"])
@given(data=st.data())
def test_whatever_stands_in_a_body_is_taken_or_refused_at_its_place(
    client: httpx.Client, body: Json, data: Any
) -> None:
    place = data.draw(st.sampled_from(places(body)))
    wrong = replaced(body, place, data.draw(values()))
    path = "/v1/circuits" if "circuit" in body else "/v1/distillations"
    answer = post(client, path, wrong)
    if answer.status_code == 202:  # the value was a right one by chance
        self = answer.json()["links"]["self"]
        client.post(f"{self}/cancel")
        assert client.delete(self).status_code == 204
        return
    problem = refused(answer, answer.status_code, answer.json()["code"])
    assert 400 <= answer.status_code < 500
    for error in problem.get("errors", ()):
        assert resolves(error["pointer"], wrong), (error, wrong)
