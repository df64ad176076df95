"""A circuit and a distillation through real processes: the embedded service, and PostgreSQL with Redis."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy
import onnxruntime
import pytest

from app.cli.client import Client
from qstill.contract.circuits.job import CircuitJob
from tests.testing import servers
from tests.testing.service import Service, cluster, running, wait_for

BELL: dict[str, Any] = {
    "circuit": {
        "format": "json",
        "qubits": 2,
        "operations": [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}],
    },
    "shots": 1000,
    "seed": 7,
    "name": "bell",
}
SHORT: dict[str, Any] = {
    "dataset": {"source": "builtin", "name": "iris", "labelled": 12},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [16]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
    "training": {"epochs": 10, "seed": 0},
    "evaluation": {"baseline": True, "seeds": 2},
}
HALF_A_SLEEP = 0.5  # seconds; a receiver of Redis messages that nobody rouses sleeps for one

pytestmark = [
    pytest.mark.service,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("end-to-end"),
]  # one service for all of them


on_one_machine = pytest.mark.parametrize("client", ["embedded"], indirect=True)  # databases have no part in it


@pytest.fixture(scope="module", params=["embedded", "cluster"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "embedded":
        with running(folder / "data") as service:
            yield service.client
            assert service.stop() == 0
    else:
        urls = (request.getfixturevalue("postgresql_url"), request.getfixturevalue("redis_url"))
        with cluster(folder, *urls) as address, Client(address) as made:
            yield made


def test_a_circuit_comes_back_as_a_histogram_and_two_pictures(client: Client) -> None:
    job = wait_for(client, client.submit(BELL), "succeeded", "failed")
    assert job["status"] == "succeeded", job["error"]
    histogram = client.get(job["links"]["histogram"])
    assert sum(histogram["counts"].values()) == 1000
    assert set(histogram["counts"]) == {"00", "11"}
    for picture in ("histogram_svg", "diagram"):
        answer = httpx.get(client.server + job["links"][picture])
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert answer.text.startswith("<svg")


def test_a_state_is_there_after_its_job(client: Client) -> None:
    body = BELL | {"outputs": ["counts", "statevector", "density_matrix"]}
    job = wait_for(client, client.submit(body), "succeeded", "failed")
    for name, norm in (("statevector", 1.0), ("density_matrix", 1.0)):
        answer = httpx.get(f"{client.server}/v1/circuits/{job['id']}/{name}.npy")
        assert answer.status_code == 200, answer.text
        assert numpy.linalg.norm(numpy.load(io.BytesIO(answer.content))) == pytest.approx(norm)


def test_the_same_seed_gives_the_same_counts(client: Client) -> None:
    counts = []
    for _ in range(2):
        job = wait_for(client, client.submit(BELL), "succeeded", "failed")
        counts.append(client.get(job["links"]["histogram"])["counts"])
    assert counts[0] == counts[1]


def test_prefer_wait_answers_with_the_finished_job(client: Client) -> None:
    answer = httpx.post(f"{client.server}/v1/circuits", json=BELL, headers={"Prefer": "wait=30"}, timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")


@pytest.mark.parametrize(("path", "prefer"), [("/v1/circuits/estimate", {}), ("/v1/circuits", {"Prefer": "wait=30"})])
def test_a_worker_that_has_just_finished_hears_of_the_next_job_at_once(
    client: Client, path: str, prefer: dict[str, str]
) -> None:
    seconds = []
    with httpx.Client(base_url=client.server, headers=prefer, timeout=60) as session:
        for _ in range(9):
            asked = time.perf_counter()
            assert session.post(path, json=BELL).status_code == 200
            seconds.append(time.perf_counter() - asked)
    assert min(seconds) < HALF_A_SLEEP, seconds  # unroused, each would wait for the sleep that began when it was asked


@on_one_machine
def test_every_example_of_a_circuit_is_estimated_and_one_is_converted(client: Client) -> None:
    for example in CircuitJob.model_json_schema()["examples"]:
        estimate = httpx.post(f"{client.server}/v1/circuits/estimate", json=example, timeout=60).json()
        assert estimate["circuits"][0]["active_qubits"] == 2
        assert estimate["low_seconds"] < estimate["high_seconds"]
    for to in ("openqasm3", "openqasm2", "json", "svg", "text"):
        answer = httpx.post(f"{client.server}/v1/circuits/convert?to={to}", json=BELL, timeout=60)
        assert answer.status_code == 200, answer.text
    job = client.submit(BELL | {"device": {"basis_gates": ["rz", "sx", "cx"]}})
    compiled = httpx.get(f"{client.server}/v1/circuits/{job['id']}/circuit?to=openqasm3&compiled=true", timeout=60)
    assert "sx q[0];" in compiled.text
    assert "h q[0];" not in compiled.text
    broken = BELL | {"circuit": {"format": "openqasm3", "source": "OPENQASM 3.0; qubit q; nonsense q;"}}
    refused = httpx.post(f"{client.server}/v1/circuits?dry_run=true", json=broken, timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (422, "qasm_invalid")
    assert {seen["kind"] for seen in client.get("/v1/jobs")["data"]} <= {"circuit", "distillation"}


def test_a_distillation_comes_back_as_a_report_and_checkpoints(client: Client, tmp_path: Path) -> None:
    job = client.submit(SHORT)
    kinds = [kind for kind, _ in client.events(job)]
    assert kinds[-1] == "succeeded"
    assert {"queued", "running", "stage", "epoch", "checkpoint"} <= set(kinds)
    job = client.get(job["links"]["self"])
    report = client.get(job["links"]["report"])
    assert report["verdict"] in {"BEATS", "NO BEATS", "INCONCLUSIVE"}
    checkpoints = client.get(job["links"]["checkpoints"])["data"]
    students = [made for made in checkpoints if made["meta"]["role"] == "student"]
    assert students[0]["sha256"] == job["result"]["student_sha256"]
    path = client.download(students[0]["links"]["content"], tmp_path / "student.safetensors")
    assert path.stat().st_size == students[0]["bytes"]


@on_one_machine
def test_a_student_is_exported_tried_and_shown(client: Client, tmp_path: Path) -> None:
    job = wait_for(client, client.submit(SHORT | {"export": ["onnx"]}), "succeeded", "failed")
    [export] = client.get(job["links"]["exports"])["data"]
    assert export["meta"]["max_logit_difference"] < 1e-4
    made = client.get(job["links"]["checkpoints"])["data"]
    [student] = [each["id"] for each in made if each["name"] == "student-seed-0.safetensors"]
    body = {"name": "iris", "checkpoint": student}
    model = httpx.post(f"{client.server}/v1/models", json=body).raise_for_status().json()
    rows = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]
    said = httpx.post(f"{client.server}{model['links']['self']}/predict", json={"inputs": rows}, timeout=90)
    assert said.status_code == 200, said.text
    session = onnxruntime.InferenceSession(client.download(export["links"]["content"], tmp_path / "student.onnx"))
    [expected] = session.run(["logits"], {"inputs": numpy.array(rows, numpy.float32)})
    numpy.testing.assert_allclose(said.json()["logits"], expected, atol=1e-4)
    assert httpx.get(client.server + job["links"]["card"]).text.startswith("# Model card")
    assert httpx.get(f"{client.server}/v1/distillations/{job['id']}/plots/pareto.svg").text.startswith("<svg")
    assert {seen["kind"] for seen in client.get("/v1/jobs")["data"]} <= {"circuit", "distillation"}


@on_one_machine
def test_a_recommender_is_promoted_and_recommends(client: Client) -> None:
    body = {
        "dataset": {"source": "synthetic_interactions", "users": 60, "items": 50, "per_user": 8},
        "teacher": {"source": "train", "architecture": {"kind": "matrix_factorisation", "dimensions": 8}},
        "student": {"architecture": {"kind": "matrix_factorisation", "dimensions": 2}},
        "objective": {"kind": "softmax_kl"},
        "training": {"epochs": 3},
        "evaluation": {"seeds": 1},
    }
    job = wait_for(client, client.submit(body), "succeeded", "failed")
    assert job["status"] == "succeeded", job["error"]
    student = client.get(job["links"]["checkpoints"])["data"][-1]
    promoted = {"name": "shop", "checkpoint": student["id"]}
    model = httpx.post(f"{client.server}/v1/models", json=promoted).raise_for_status().json()
    assert (model["answers"], client.get(model["links"]["card"])["users"][7]) == ("users", "7")
    asked = f"{client.server}{model['links']['self']}/predict"
    said = httpx.post(asked, json={"users": ["7", "8"], "k": 3}, timeout=90)
    assert said.status_code == 200, said.text
    first = said.json()["recommendations"]
    assert [len(items) for items in first] == [3, 3]
    excluded = [[each["item"] for each in first[0]], []]
    again = httpx.post(asked, json={"users": ["7", "8"], "k": 3, "exclude": excluded}, timeout=90).json()
    assert not set(excluded[0]) & {each["item"] for each in again["recommendations"][0]}
    assert again["recommendations"][1] == first[1]
    refused = httpx.post(asked, json={"inputs": [[1.0]]}, timeout=90)
    assert (refused.status_code, refused.json()["code"]) == (422, "another_question")


def test_uploaded_data_is_distilled_and_bad_data_fails_with_a_code(client: Client) -> None:
    rows = ["a,b,label"] + [f"{i % 7 - 3},{i % 5 - 2},{int(i % 7 > 3)}" for i in range(120)]
    good = _upload(client, "\n".join(rows))
    bad = _upload(client, "\n".join([*rows[:60], "inf,1,0", *rows[60:]]))
    body = SHORT | {"dataset": {"source": "file", "file": good}}
    assert wait_for(client, client.submit(body), "succeeded", "failed")["status"] == "succeeded"
    body = SHORT | {"dataset": {"source": "file", "file": bad}}
    failed = wait_for(client, client.submit(body), "succeeded", "failed")
    assert (failed["status"], failed["error"]["code"]) == ("failed", "dataset_invalid")
    assert failed["error"]["pointer"] == "/dataset/file"


def test_a_student_that_was_promoted_teaches_the_next_one_from_answers_that_are_kept(client: Client) -> None:
    job = wait_for(client, client.submit(SHORT), "succeeded", "failed")
    student = next(
        made for made in client.get(job["links"]["checkpoints"])["data"] if made["name"] == "student-seed-0.safetensors"
    )
    body = {"name": "small", "checkpoint": student["id"]}
    model = httpx.post(f"{client.server}/v1/models", json=body).raise_for_status().json()
    assert model["sha256"] == student["sha256"]
    httpx.delete(f"{client.server}{job['links']['self']}").raise_for_status()
    taught = SHORT | {"teacher": {"source": "model", "model": model["id"]}}
    signals = []
    for _ in range(2):
        done = wait_for(client, client.submit(taught), "succeeded", "failed")
        assert done["status"] == "succeeded", done["error"]
        signals.append(client.get(done["links"]["report"])["signal"])
    assert signals[0]["computed_rows"] == signals[1]["reused_rows"] > 0


def _upload(client: Client, content: str) -> str:
    answer = httpx.post(f"{client.server}/v1/files?purpose=dataset&name=rows.csv", content=content)
    answer.raise_for_status()
    return str(answer.json()["id"])


def test_a_running_job_is_cancelled_and_the_next_one_runs(client: Client) -> None:
    job = client.submit(SHORT | {"training": {"epochs": 5000}})
    wait_for(client, job, "running")
    client.ask(job, "cancel")
    assert wait_for(client, job, "cancelled")["result"] is None
    assert wait_for(client, client.submit(SHORT), "succeeded", "failed")["status"] == "succeeded"


def test_submit_follows_a_job_and_prints_its_result(client: Client, tmp_path: Path) -> None:
    body = tmp_path / "bell.json"
    body.write_text(json.dumps(BELL))
    command = [sys.executable, "-m", "app.cli.main", "submit", str(body), "--watch", "--server", client.server]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "█" in done.stdout
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["result"]["shots"] == 1000


def test_two_services_do_not_share_a_folder(tmp_path: Path) -> None:
    with running(tmp_path / "data"):
        command = [sys.executable, "-m", "app.cli.main", "up", "--port", "0", "--data-dir", str(tmp_path / "data")]
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1
    assert "is in use by process" in second.stderr


def test_doctor_finds_nothing_wrong_here(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.cli.main", "doctor", "--data-dir", str(tmp_path / "data")]
    environment = os.environ | {"QSTILL_PORT": str(servers.free_port())}
    examined = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert examined.returncode == 0, examined.stdout
    assert "SQLite" in examined.stdout


def test_a_public_address_needs_a_key(tmp_path: Path) -> None:
    up = [sys.executable, "-m", "app.cli.main", "up", "--host", "0.0.0.0", "--port", "0"]  # noqa: S104  # is refused
    refused = subprocess.run([*up, "--data-dir", str(tmp_path)], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "qstill keys create" in refused.stderr


def test_a_service_with_a_key_opens_to_that_key_only(tmp_path: Path) -> None:
    keys = [sys.executable, "-m", "app.cli.main", "keys", "create", "ada", "--data-dir", str(tmp_path)]
    token = subprocess.run(keys, capture_output=True, text=True, check=True).stdout.strip()
    service = Service(tmp_path)
    service.start()
    try:
        with Client(service.address, token) as client:
            job = wait_for(client, client.submit(BELL), "succeeded", "failed")
            assert job["status"] == "succeeded"
        assert httpx.get(f"{service.address}{job['links']['self']}").status_code == 401
        database = (tmp_path / "ledger.db").read_bytes() + (tmp_path / "ledger.db-wal").read_bytes()
        assert token.encode() not in database
    finally:
        service.end()
