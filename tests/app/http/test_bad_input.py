"""What is wrong is refused with a problem document that points to the field in the body as it was sent."""

import copy
import gzip
import json
import secrets
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.http.refusals.patterns import in_words
from app.http.refusals.problems import MAX_ECHO, MAX_FIELDS
from tests.app.http.wrong_fields import CIRCUITS, DISTILLATIONS, FILE, MLP, circuit, operation, source
from tests.testing.examples import examples
from tests.testing.in_process import BELL, DIGITS, Json, Service, refused, running

JSON = {"Content-Type": "application/json"}
SUBMIT = ("/v1/circuits", "/v1/distillations")
BODY = {"/v1/circuits": BELL, "/v1/distillations": DIGITS}


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
        pytest.param(gzip.compress(b"{}", mtime=0), "uncompressed", id="compressed"),
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
@settings(max_examples=examples(40))
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
