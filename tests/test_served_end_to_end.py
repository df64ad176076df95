"""A language model behind an OpenAI-compatible server, through real processes: a small GPT-2, made and trained here,
teaches one with a tenth of its weights.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.testing.openai_server import Served, byte_pairs, running, trained
from tests.testing.service import Service
from tests.testing.service import running as service_running
from workers.distillation.data.topics import passages

EXAMPLE = Path(__file__).parent.parent / "examples" / "distil-served.json"
STEPS = 300  # of batches of 16 rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("served")]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    texts = passages().texts
    tokenizer = byte_pairs(texts, 512)
    with running(Served(trained(texts, tokenizer, steps=STEPS), tokenizer, 0, "vllm")) as made:
        yield made


@pytest.fixture(scope="module")
def service(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    host = served.url.removeprefix("http://").split("/")[0]
    with service_running(tmp_path_factory.mktemp("served") / "data", QSTILL_OUTBOUND_HOSTS=host) as made:
        yield made


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.address, timeout=120) as made:
        yield made


def body_of(client: httpx.Client, served: Served, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    content = served.tokenizer.to_str().encode()
    answer = client.post("/v1/files?purpose=tokenizer&name=tokenizer.json", content=content)
    body["teacher"] |= {"url": served.url, "tokenizer": answer.raise_for_status().json()["id"]}
    return body | changes


def done(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    job = service.client.submit(body)
    kinds = [kind for kind, _ in service.client.events(job)]
    assert kinds[-1] == "succeeded", service.client.get(job["links"]["self"])["error"]
    return job


def test_a_student_stands_between_its_teacher_and_one_without(
    service: Service, client: httpx.Client, served: Served
) -> None:
    body = body_of(client, served)
    looked = client.post("/v1/distillations/preflight", json=body)
    assert looked.status_code == 200, looked.text
    job = done(service, body)
    report = client.get(f"/v1/distillations/{job['id']}/report").json()
    bits = {
        arm: report["language_model"][arm]["bits_per_character"]["mean"] for arm in ("teacher", "student", "baseline")
    }
    print(bits, report["language_model"]["verdict"], report["gain"])
    assert bits["teacher"] < bits["student"] < bits["baseline"]
    asked = len(served.asked)
    done(service, body)
    assert len(served.asked) == asked, "what it said is kept"


def test_a_server_within_the_network_is_refused_unless_it_was_named(client: httpx.Client, served: Served) -> None:
    body = body_of(client, served)
    body["teacher"]["url"] = "http://127.0.0.1:9/v1"
    answer = client.post("/v1/distillations", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "url_refused"
