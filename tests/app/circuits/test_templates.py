"""What a template may be asked for, and how the catalogue explains it."""

from typing import Any, get_args

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from app.circuits.templates.catalogue import catalogue
from qstill.contract.answers.templates import TemplateView
from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.templates import Template
from tests.testing.refusals import errors_of

ADAPTER: TypeAdapter[Template] = TypeAdapter(Template)
MODELS = get_args(get_args(Template)[0])
NAMES = [model.model_fields["name"].examples[0] for model in MODELS]


def test_every_template_is_in_the_catalogue_once() -> None:
    assert sorted(template.name for template in catalogue()) == sorted(NAMES)
    assert len(set(NAMES)) == len(NAMES) == 18


@pytest.mark.parametrize("name", NAMES)
def test_a_name_alone_is_enough(name: str) -> None:
    assert ADAPTER.validate_python({"name": name}).name == name


@pytest.mark.parametrize("template", catalogue(), ids=lambda template: template.name)
def test_the_example_is_a_job_that_is_admitted(template: TemplateView) -> None:
    job = CircuitJob.model_validate(template.example)
    assert CircuitJob.model_validate_json(job.model_dump_json()) == job
    admit(job, Limits(memory_available=2**30))
    assert job.circuit is not None
    assert job.circuit.format == "template"
    assert job.circuit.template.name == template.name


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_parameter_says_what_it_is_with_an_example_that_fits(model: Any) -> None:
    required = {"name": NAMES[MODELS.index(model)]}
    for name, field in model.model_fields.items():
        assert field.description
        for example in field.examples:
            if name == "covariance":
                continue  # fits the expected returns of their own example, not the default ones
            try:
                model.model_validate(required | {name: example})
            except ValidationError as error:
                assert name == "expected_returns", error  # noqa: PT017  # needs a covariance of its size


def test_the_examples_of_a_portfolio_fit_each_other() -> None:
    fields = next(model for model in MODELS if model.__name__ == "Portfolio").model_fields
    together = {name: fields[name].examples[0] for name in fields}
    ADAPTER.validate_python(together)


REFUSED: list[tuple[dict[str, Any], tuple[str | int, ...], str]] = [
    ({"name": "bell", "qubits": 2}, ("qubits",), "extra_forbidden"),
    ({"name": "ghz", "qubits": 101}, ("qubits",), "less_than_equal"),
    ({"name": "ghz", "qubits": "3"}, ("qubits",), "int_type"),
    ({"name": "superposition", "states": 1}, ("states",), "greater_than_equal"),
    ({"name": "teleportation", "theta": float("inf")}, ("theta",), "finite_number"),
    ({"name": "bernstein_vazirani", "secret": "102"}, ("secret",), "string_pattern_mismatch"),
    ({"name": "qft", "qubits": 3, "period": 5}, ("period",), "too_long"),
    ({"name": "qft", "period": 4, "offset": 4}, ("offset",), "too_large"),
    ({"name": "phase_estimation", "phase": 1.0}, ("phase",), "less_than"),
    ({"name": "grover", "marked": ["01", "011"]}, ("marked", 1), "length_differs"),
    ({"name": "grover", "marked": ["0110", "0110"]}, ("marked", 1), "repeated"),
    ({"name": "grover", "marked": ["00", "01"]}, ("marked",), "too_many_marked"),
    ({"name": "shor_15", "a": 5}, ("a",), "literal_error"),
    ({"name": "vqe", "bond_length": 0.74}, ("bond_length",), "no_integrals"),
    ({"name": "vqe", "molecule": "lih", "bond_length": 0.735}, ("bond_length",), "no_integrals"),
    ({"name": "portfolio", "budget": 5}, ("budget",), "too_many"),
    ({"name": "portfolio", "covariance": [[1.0, 0.0], [0.0, 1.0]]}, ("covariance",), "wrong_shape"),
    (
        {"name": "portfolio", "expected_returns": [0.1, 0.2], "budget": 1, "covariance": [[1.0, 0.5], [0.4, 1.0]]},
        ("covariance", 1, 0),
        "not_symmetric",
    ),
    (
        {"name": "portfolio", "expected_returns": [0.1, 0.2], "budget": 1, "covariance": [[1.0, 0.5], [0.5, 1.0, 1.0]]},
        ("covariance", 1),
        "wrong_shape",
    ),
    ({"name": "value_at_risk", "level": 1.0}, ("level",), "less_than_equal"),
    ({"name": "european_call", "precision": 1e-9}, ("precision",), "greater_than_equal"),
    ({"name": "european_call", "volatility": 2.0, "years": 10.0}, ("years",), "too_wide"),
    ({"name": "maxcut", "edges": [{"nodes": [1, 1]}]}, ("edges", 0, "nodes"), "loop"),
    ({"name": "maxcut", "edges": [{"nodes": [0, 1]}, {"nodes": [1, 0]}]}, ("edges", 1, "nodes"), "repeated"),
    ({"name": "maxcut", "edges": [{"nodes": [0, 10]}]}, ("edges", 0, "nodes", 1), "less_than"),
    ({"name": "quantum_kernel", "features": 5}, ("features",), "less_than_equal"),
]


@pytest.mark.parametrize(("template", "place", "code"), REFUSED, ids=lambda value: str(value)[:60])
def test_what_a_template_cannot_do_is_refused_where_it_stands(
    template: dict[str, Any], place: tuple[str | int, ...], code: str
) -> None:
    (error,) = errors_of(ADAPTER.validate_python, template)
    assert (error["loc"][1:], error["type"]) == (place, code)


def test_a_pointer_leads_to_the_parameter(client: httpx.Client) -> None:
    body = {"circuit": {"format": "template", "template": {"name": "grover", "marked": ["01", "011"]}}}
    answer = client.post("/v1/circuits", json=body)
    assert answer.status_code == 422
    assert "/circuit/template/marked/1" in answer.text


def test_the_catalogue_is_served_and_its_examples_are_accepted(client: httpx.Client) -> None:
    page = client.get("/v1/circuits/templates").json()
    assert [each["name"] for each in page["data"]] == [each.name for each in catalogue()]
    assert page["has_more"] is False
    for template in page["data"]:
        assert client.get(f"/v1/circuits/templates/{template['name']}").json() == template
        answer = client.post("/v1/circuits", json=template["example"])
        assert answer.status_code == 202, answer.text


def test_an_unknown_template_is_not_found(client: httpx.Client) -> None:
    answer = client.get("/v1/circuits/templates/histogram")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "grover" in answer.json()["title"]
