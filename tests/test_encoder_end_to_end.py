"""An encoder's folder through real processes: uploaded, looked at, taught from; its student tried and downloaded."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.testing.folders import changed, files, plain, sentences, zipped
from tests.testing.service import Service, running, wait_for

pytestmark = [pytest.mark.service, pytest.mark.timeout(600), pytest.mark.xdist_group("encoder")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("encoder") / "data") as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.address, timeout=120) as made:
        yield made


def uploaded(client: httpx.Client, content: bytes, purpose: str, name: str) -> str:
    answer = client.post(f"/v1/files?purpose={purpose}&name={name}", content=content)
    return str(answer.raise_for_status().json()["id"])


def body_of(client: httpx.Client, folder: bytes) -> dict[str, Any]:
    lines = "\n".join(json.dumps({"text": each}) for each in sentences(90)).encode()
    return {
        "dataset": {"source": "sentence_file", "file": uploaded(client, lines, "dataset", "sentences.jsonl")},
        "teacher": {"source": "file", "file": uploaded(client, folder, "teacher", "my-encoder.zip")},
        "student": {"architecture": {"kind": "fewer_layers", "layers": 1}},
        "training": {"epochs": 3, "batch_size": 16, "learning_rate": 0.005},
        "evaluation": {"seeds": 2},
        "export": ["onnx"],
    }


def test_from_a_folder_to_a_student_that_answers(service: Service, client: httpx.Client) -> None:
    body = body_of(client, zipped(files("bert")))
    looked = client.post("/v1/distillations/preflight", json=body)
    assert looked.status_code == 200, looked.text
    assert looked.json()["width"] == 32
    job = wait_for(service.client, client.post("/v1/distillations", json=body).json(), "succeeded")
    place = f"/v1/distillations/{job['id']}"
    assert client.get(f"{place}/report").json()["signal"]["computed"] == 90
    assert "SentenceTransformer" in client.get(f"{place}/report.md").text
    assert client.get(f"{place}/plots/curves.svg").text.startswith("<svg")
    assert {each["name"] for each in client.get(f"{place}/exports").json()["data"]} == {
        "student-seed-0.onnx",
        "tokenizer.json",
    }
    checkpoint = client.get(f"{place}/checkpoints").json()["data"][0]
    folder = zipfile.ZipFile(io.BytesIO(client.get(checkpoint["links"]["content"]).content))
    assert {"config.json", "model.safetensors", "tokenizer.json", "modules.json"} <= set(folder.namelist())
    model = client.post("/v1/models", json={"name": "small", "checkpoint": checkpoint["id"]}).json()
    answer = client.post(f"{model['links']['self']}/predict", json={"texts": sentences(3)})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["vectors"]) == 3
    refused = client.post(f"{model['links']['self']}/predict", json={"inputs": [[1.0]]})
    assert (refused.status_code, refused.json()["code"]) == (422, "another_question")
    again = body | {"teacher": {"source": "model", "model": model["id"]}}
    wait_for(service.client, client.post("/v1/distillations", json=again).json(), "succeeded")


def test_a_folder_that_asks_for_more_than_there_is_fails_early_in_words(service: Service, client: httpx.Client) -> None:
    body = body_of(client, zipped(changed(plain(), hidden_size=16384, num_hidden_layers=64, num_attention_heads=64)))
    looked = client.post("/v1/distillations/preflight", json=body)
    assert (looked.status_code, looked.json()["code"]) == (422, "needs_more_memory")
    job = wait_for(service.client, client.post("/v1/distillations", json=body).json(), "failed")
    assert (job["error"]["code"], job["error"]["pointer"]) == ("needs_more_memory", "/teacher/file")
