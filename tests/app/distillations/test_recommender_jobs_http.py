"""Recommenders at the door: one endpoint for all domains, and a reason where a body mixes them."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.recommenders.job import RecommenderJob
from tests.testing.examples import examples
from tests.testing.in_process import DIGITS, refused
from tests.testing.refusals import errors_of

JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)

FACTORS: dict[str, Any] = {"kind": "matrix_factorisation", "dimensions": 4}
MLP: dict[str, Any] = {"kind": "mlp", "hidden": [4]}
BODY: dict[str, Any] = {
    "dataset": {"source": "synthetic_interactions"},
    "teacher": {"source": "train", "architecture": FACTORS | {"dimensions": 16}},
    "student": {"architecture": FACTORS},
    "objective": {"kind": "rrd"},
}
UPLOAD = {"source": "interactions", "file": "file_1"}


def error_of(body: Any) -> tuple[tuple[str | int, ...], str, str]:
    """(place, code, reason) of the only error."""
    caught = errors_of(JOBS.validate_python, body)
    [error] = caught
    place = tuple(part for part in error["loc"] if part not in {"of rows", "of users"})
    return place, error["type"], error["msg"]


def test_a_body_is_of_the_domain_of_its_data() -> None:
    assert isinstance(JOBS.validate_python(BODY), RecommenderJob)
    assert isinstance(JOBS.validate_python(DIGITS), DistillationJob)


def test_what_is_kept_is_read_back_as_it_was() -> None:
    for body in (BODY, DIGITS):
        kept = JOBS.validate_python(body).model_dump(mode="json", exclude_none=True)
        again = JOBS.validate_json(json.dumps(kept))
        assert again == JOBS.validate_python(body)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (BODY | {"student": {"architecture": {"kind": "cnn", "channels": [4]}}}, ("student", "architecture", "kind")),
        (BODY | {"teacher": {"source": "train", "architecture": MLP}}, ("teacher", "architecture", "kind")),
        (BODY | {"objective": {"kind": "dkd"}}, ("objective", "kind")),
        (
            BODY | {"objective": {"kind": "sum", "terms": [{"objective": {"kind": kind}} for kind in ("rd", "at")]}},
            ("objective", "terms", 1, "objective", "kind"),
        ),
        (DIGITS | {"student": {"architecture": FACTORS}}, ("student", "architecture", "kind")),
        (DIGITS | {"objective": {"kind": "softmax_kl"}}, ("objective", "kind")),
        (BODY | {"dataset": {"source": "builtin", "name": "digits"}}, ("student", "architecture", "kind")),
    ],
)
def test_parts_of_different_domains_are_refused_with_the_reason(body: Any, place: tuple[str | int, ...]) -> None:
    found, code, reason = error_of(body)
    assert (found, code) == (place, "wrong_domain")
    assert "users and items" in reason
    assert "rows of numbers or images" in reason
    assert "choose" in reason


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"objective": {"kind": "rrd", "interesting": 300, "uninteresting": 300}}, ("objective", "kind"),
         "too_few_items"),
        ({"objective": {"kind": "de"}, "teacher": {"source": "lists", "file": "file_1"}}, ("objective", "kind"),
         "features_unavailable"),
        ({"objective": {"kind": "rd", "weight": 0.0, "hard_weight": 0.0}}, ("objective", "rd"), "nothing_to_minimise"),
        ({"objective": {"kind": "de", "first_temperature": 0.5, "last_temperature": 1.0}},
         ("objective", "de", "last_temperature"), "warms_up"),
        ({"dataset": UPLOAD | {"split": "time"}}, ("dataset", "interactions", "time"), "time_missing"),
        ({"dataset": UPLOAD | {"item": "user"}}, ("dataset", "interactions", "user"), "same_column"),
        ({"dataset": BODY["dataset"] | {"users": 20_000, "items": 20_000}},
         ("dataset", "synthetic_interactions", "users"), "too_many_interactions"),
        ({"dataset": BODY["dataset"] | {"items": 40}}, ("dataset", "synthetic_interactions", "per_user"),
         "too_few_items"),
        ({"dataset": BODY["dataset"] | {"users": -1}}, ("dataset", "synthetic_interactions", "users"),
         "greater_than_equal"),
        ({"student": {"architecture": FACTORS | {"dimensions": 513}}},
         ("student", "architecture", "matrix_factorisation", "dimensions"), "less_than_equal"),
        ({"training": {"label_smoothing": 0.1}}, ("training", "label_smoothing"), "extra_forbidden"),
        ({"training": {"momentum": 0.9}}, ("training", "momentum"), "momentum_needs_sgd"),
        ({"evaluation": {"k": 0}}, ("evaluation", "k"), "greater_than_equal"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_where_it_stands(
    changes: dict[str, Any], place: tuple[str | int, ...], code: str
) -> None:
    assert error_of(BODY | changes)[:2] == (place, code)


KEYS = st.sampled_from(["dataset", "source", "student", "architecture", "kind", "objective", "terms", "teacher"])
JUNK = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
)


@given(JUNK, JUNK, JUNK)
@settings(max_examples=examples(60))
def test_no_body_breaks_the_choice_of_a_domain(body: Any, source: Any, terms: Any) -> None:
    objective = {"kind": "sum", "terms": terms}
    bodies = [body, BODY | {"dataset": {"source": source}}, BODY | {"objective": objective}, {"dataset": body}]
    for each in (*bodies, BODY | {"objective": {"kind": "sum", "terms": [{"objective": {"kind": source}}]}}):
        with pytest.raises(ValidationError):
            JOBS.validate_python(each)


def test_a_recommender_is_accepted_and_kept(client: httpx.Client) -> None:
    answer = client.post("/v1/distillations", json=BODY)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    kept = client.get(job["links"]["request"]).json()
    assert kept["dataset"]["per_user"] == 30
    assert kept["training"]["loss"] == {"kind": "bpr", "negatives": 1}
    again = client.post("/v1/distillations", json=kept).json()
    assert client.get(again["links"]["request"]).json() == kept


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"student": {"architecture": {"kind": "cnn", "channels": [4]}}}, "/student/architecture/kind"),
        ({"training": {"epochs": 0}}, "/training/epochs"),
        ({"objective": {"kind": "x"}}, "/objective/kind"),
        ({"recommender": 1}, "/recommender"),
    ],
)
def test_problems_point_into_the_body_as_it_was_sent(
    client: httpx.Client, changes: dict[str, Any], pointer: str
) -> None:
    problem = refused(client.post("/v1/distillations", json=BODY | changes), 422, "validation_failed")
    assert problem["pointer"] == pointer


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"dataset": UPLOAD}, "/dataset/file"),
        ({"teacher": {"source": "lists", "file": "file_1"}}, "/teacher/file"),
    ],
)
def test_files_that_are_not_there_are_named(client: httpx.Client, changes: dict[str, Any], pointer: str) -> None:
    problem = refused(client.post("/v1/distillations", json=BODY | changes), 422, "file_not_found")
    assert problem["pointer"] == pointer
