"""The examples on text keep what they promise, through a real service."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.client import Client
from tests.testing.service import running

EXAMPLES = Path(__file__).parent.parent / "examples"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("text-miniatures")]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("text") / "data") as service:
        yield service.client


def report_of(client: Client, example: str) -> dict[str, Any]:
    job = client.submit(json.loads((EXAMPLES / example).read_text(encoding="utf-8")))
    kinds = [kind for kind, _ in client.events(job)]
    assert kinds[-1] == "succeeded", client.get(job["links"]["self"])["error"]
    report: dict[str, Any] = client.get(client.get(job["links"]["self"])["links"]["report"])
    sizes = [report[arm]["cost"]["size"]["parameters"] for arm in ("teacher", "student")]
    assert sizes[0] >= 8 * sizes[1]
    return report


def test_a_classifier_with_few_labels_gains_from_its_teacher_and_loses_little_to_it(client: Client) -> None:
    report = report_of(client, "distil-topics-classifier.json")
    assert report["verdict"] == "BEATS"
    assert report["gain"]["points"] >= 12
    assert report["teacher"]["summary"]["accuracy"]["mean"] - report["student"]["summary"]["accuracy"]["mean"] < 0.05


def test_a_language_model_ten_times_smaller_is_between_its_teacher_and_one_without(client: Client) -> None:
    report = report_of(client, "distil-topics-language-model.json")
    bits = {
        arm: report["language_model"][arm]["bits_per_character"]["mean"] for arm in ("teacher", "student", "baseline")
    }
    assert bits["teacher"] < bits["student"] < bits["baseline"]
    assert bits["student"] - bits["teacher"] < 0.5  # of a character; 0.34 when this was written
    assert report["gain"]["points"] > 0
