"""The OpenAPI document tells the truth: schemathesis asks every operation, and answers must be as documented."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import assume, settings
from schemathesis import Case
from schemathesis.checks import CheckFunction, load_all_checks, not_a_server_error
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from app.ionq.endpoints.router import PREFIX as IONQ
from app.main import create_app
from qstill.contract.answers.models import EXAMPLE_ID as MODEL_ID
from tests.app.ionq.answers import refused_as_by_ionq
from tests.testing.in_process import Service, refused, running

DOCUMENT = create_app().openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.config.update(base_url="http://localhost:8400")
SCHEMA.config.generation.update(with_security_parameters=False)  # the client below brings the key
REJECTION = SCHEMA.config.checks.negative_data_rejection
REJECTION.expected_statuses = [*REJECTION.expected_statuses, "413"]  # of texts too long for any body, too

EXCLUDED: list[CheckFunction] = [
    ignored_auth,  # takes the client's key for one that was made up; tests/app/keys has the laws of keys
    positive_data_acceptance,  # a schema cannot say that rx needs an angle, or that `after` excludes `before`
]
MAX_URL = 60_000  # no client sends a longer one
EXAMPLES = 8  # drawn for each operation

Json = dict[str, Any]
load_all_checks()
OPERATIONS = [(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods]
SLOW_TO_DRAW = {("POST", f"/v1/{path}") for path in ("distillations", "distillations/preflight", "sweeps")}  # 10 s each


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With a key, and so short a patience that `Prefer: wait=5` costs nothing: there is no worker."""
    with running(tmp_path_factory.mktemp("contract") / "data", max_wait_seconds=0.01) as made:
        made.connect(made.make_key("contract")[1])
        yield made


@pytest.fixture(scope="module")
def client(service: Service) -> httpx.Client:
    return service.clients[-1]


def ask(client: httpx.Client, case: Case) -> httpx.Response:
    wanted = requests.Request(**case.as_transport_kwargs()).prepare()
    headers = [(_latin(name), _latin(value)) for name, value in wanted.headers.items()]
    assert wanted.method is not None
    assume(len(str(wanted.url)) <= MAX_URL)
    return client.request(wanted.method, str(wanted.url), headers=headers, content=wanted.body)


def _latin(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def must_conform(client: httpx.Client, case: Case) -> None:
    answer = ask(client, case)
    nobody = answer.status_code == 503 and answer.json()["code"] == "no_worker_answered"  # as there is none here
    case.validate_response(answer, excluded_checks=[*EXCLUDED, not_a_server_error] if nobody else EXCLUDED)
    if answer.status_code >= 400 and case.path.startswith(IONQ):
        refused_as_by_ionq(answer)
    elif answer.status_code >= 400:
        refused(answer, answer.status_code, answer.json()["code"])


def try_operation(client: httpx.Client, method: str, path: str, *, examples: int, edges: bool) -> None:
    """examples: drawn at random. edges: of each parameter and field, too, which are thousands.

    They are drawn here and not by `SCHEMA.parametrize`, which draws them in every process that collects tests.
    """
    SCHEMA.config.phases.coverage.enabled = edges
    drawing = get_all_tests(
        schema=SCHEMA.include(method=method, path=path),
        test_func=must_conform,
        settings=settings(max_examples=examples),
        given_kwargs={},
    )
    (drawn,) = drawing
    drawn.ok()[1](client=client)


@pytest.mark.parametrize(
    ("method", "path"),
    [pytest.param(*each, marks=[pytest.mark.service] * (each in SLOW_TO_DRAW)) for each in OPERATIONS],
)
def test_every_operation_answers_as_documented(client: httpx.Client, method: str, path: str) -> None:
    try_operation(client, method, path, examples=EXAMPLES, edges=False)


@pytest.mark.contract
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_as_documented_to_whatever_is_asked(
    client: httpx.Client, method: str, path: str
) -> None:
    try_operation(client, method, path, examples=5 * EXAMPLES, edges=True)


def test_the_document_is_valid_openapi(client: httpx.Client) -> None:
    answer = client.get("/openapi.json")
    assert answer.json() == DOCUMENT
    SCHEMA.validate()


def operations() -> Iterator[tuple[str, Json]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_and_parameter_says_what_it_is() -> None:
    silent = [name for name, operation in operations() if not operation.get("description")]
    for name, operation in operations():
        silent += [f"{name} {each['name']}" for each in operation.get("parameters", ()) if not each.get("description")]
        silent += [f"{name} {code}" for code, each in operation["responses"].items() if not each.get("description")]
    assert silent == []


SCHEMAS = DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_says_what_it_is_and_shows_what_it_holds(name: str) -> None:
    fields = SCHEMAS[name].get("properties", {})
    assert [field for field, schema in fields.items() if not schema.get("description")] == []
    assert [field for field, schema in fields.items() if not shows_a_value(schema)] == []


def shows_a_value(schema: Json) -> bool:
    """By itself, or by the schema that it refers to, whose own fields are looked at as well."""
    if "examples" in schema or any(schema.get(key) is not None for key in ("$ref", "const", "enum", "default")):
        return True
    parts = [schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", schema.get("oneOf", ()))]
    return any(shows_a_value(part) for part in parts if isinstance(part, dict))


def validates(schema: Json) -> Callable[[Any], bool]:
    """Whether a value fits a schema of the document, whose components it may name."""
    return jsonschema_rs.validator_for({"components": {"schemas": _named_in(schema)}} | schema).is_valid


def _named_in(schema: Json) -> dict[str, Json]:
    """The components that a schema refers to, and those that these refer to: compiling all takes half a second."""
    found: dict[str, Json] = {}
    waiting = [schema]
    while waiting:
        names = set(re.findall(r'"#/components/schemas/([^"/]+)', json.dumps(waiting.pop()))) - set(found)
        found |= {name: SCHEMAS[name] for name in names}
        waiting += [SCHEMAS[name] for name in names]
    return found


def test_every_example_of_a_field_or_parameter_fits_its_schema() -> None:
    described = [(name, SCHEMAS[name]) for name in SCHEMAS]
    described += [
        (f"{name}.{field}", schema) for name in SCHEMAS for field, schema in SCHEMAS[name].get("properties", {}).items()
    ]
    for name, operation in operations():
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"] | {"examples": parameter["schema"].get("examples", [])}
            described.append((f"{name} {parameter['name']}", schema))
    shown = [(name, schema, schema["examples"]) for name, schema in described if schema.get("examples")]
    fits = {name: validates(schema) for name, schema, _ in shown}
    wrong = [(name, example) for name, _, examples in shown for example in examples if not fits[name](example)]
    assert wrong == []
    assert sum(len(schema.get("examples", ())) for _, schema in described) > 50


@pytest.mark.parametrize("path", ["/v1/models", f"/v1/models/{MODEL_ID}/predict"])
def test_every_example_of_a_model_is_read_and_only_misses_what_it_names(client: httpx.Client, path: str) -> None:
    names = ["NewModel"] if path == "/v1/models" else ["AskRows", "AskTexts", "AskPrompts", "AskUsers"]
    for name in names:
        for example in SCHEMAS[name]["examples"]:
            assert client.post(path, json=example).json()["code"] in {"model_not_found", "file_not_found"}


@pytest.mark.parametrize(
    ("path", "example"),
    [
        pytest.param(path, example, id=f"{path} {number}")
        for path, name in (
            ("/v1/circuits", "CircuitJob"),
            ("/v1/distillations", "DistillationJob"),
            ("/v1/distillations", "RecommenderJob"),
            ("/v1/distillations", "ShorteningJob"),
            ("/v1/distillations", "DistributionJob"),
            ("/v1/sweeps", "Sweep"),
        )
        for number, example in enumerate(SCHEMAS[name]["examples"])
    ],
)
def test_every_example_of_a_body_works(client: httpx.Client, path: str, example: Json) -> None:
    answer = client.post(path, json=example)
    assert answer.status_code == 202, answer.text
