"""Keys over HTTP: who gets in, and that what belongs to one key does not exist for another."""

import json

import click
import httpx
import pytest

from app.cli.api import refuse_open_door
from app.ionq.endpoints.router import PREFIX as IONQ
from app.keys import keyring
from app.keys.keyring import Keyring
from ledger.database import Database
from qstill.contract.errors import Problem
from tests.app.ionq.answers import refused_as_by_ionq
from tests.testing.in_process import BELL, DIGITS, Service, Worker, refused
from tests.testing.stored_report import document

PUBLIC = ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/v0.4/backends", "/v0.4/backends/simulator")
CHALLENGE = "Bearer"


@pytest.fixture(autouse=True)
def _no_waiting_for_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process reads the keys at most every two seconds; here it reads them each time."""
    monkeypatch.setattr(keyring, "FRESH_SECONDS", 0.0)


def operations(client: httpx.Client) -> list[tuple[str, str]]:
    """(method, path) of every operation that asks for a key, its ids made up."""
    found = []
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for name, prefix in (("job_id", "job"), ("file_id", "file"), ("checkpoint_id", "ckpt")):
            path = path.replace(f"{{{name}}}", f"{prefix}_{'0' * 32}")
        path = path.replace("{backend}", "simulator")
        found += [(method.upper(), path) for method in methods if path not in PUBLIC]
    assert len(found) > 20
    return found


def closed(answer: httpx.Response, path: str, status: int, code: str) -> None:
    """What a door answers to whom it does not let in."""
    if path.startswith(f"{IONQ}/"):
        refused_as_by_ionq(answer, status)
    else:
        refused(answer, status, code)


def test_without_keys_the_service_is_open_to_this_machine(client: httpx.Client) -> None:
    assert client.get("/v1/jobs").status_code == 200
    assert client.get("/v1/jobs", headers={"Authorization": "Bearer whatever"}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8400", "[::1]:8400", "[::1]", "LocalHost:1"])
def test_without_keys_it_answers_to_its_local_names(service: Service, host: str) -> None:
    assert service.client.get("/v1/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8400", "127.0.0.1.evil.example", "localhost.evil.example", "", "10.0.0.1", "[::2]"],
)
def test_without_keys_it_does_not_answer_to_another_name(service: Service, host: str) -> None:
    """A web page whose name was made to resolve to 127.0.0.1 (DNS rebinding) asks by that name."""
    closed(service.client.get("/v1/jobs", headers={"Host": host}), "/v1/jobs", 403, "not_local")
    token = service.make_key("ada")[1]
    assert service.connect(token, host="qstill.example").get("/v1/jobs").status_code == 200


def test_without_keys_no_operation_answers_to_another_name(service: Service) -> None:
    for method, path in operations(service.client):
        closed(service.client.request(method, path, headers={"Host": "evil.example"}), path, 403, "not_local")


def test_from_the_first_key_on_only_keys_open_it(service: Service) -> None:
    token = service.make_key("ada")[1]
    wrong = [
        None,
        "Bearer",
        "Bearer ",
        f"Bearer {token}x",
        f"Bearer {token[:-1]}",
        f"Basic {token}",
        token,
        f"Bearer {token.upper()}",
        "Bearer \xe4",
        f"Bearer {service.front.database.read(keyring.list_keys)[0].id}",
    ]
    for authorization in wrong:
        headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
        answer = service.client.get("/v1/jobs", headers=headers)  # type: ignore[arg-type]
        refused(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == CHALLENGE
        assert token not in answer.text
    assert service.connect(token).get("/v1/jobs").status_code == 200
    assert service.client.get("/v1/jobs", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_every_operation_needs_a_key_but_those_that_watch_the_process(service: Service) -> None:
    service.make_key("ada")
    for method, path in operations(service.client):
        closed(service.client.request(method, path), path, 401, "unauthorized")
    for path in PUBLIC:
        assert service.client.get(path).status_code == 200, path


def test_a_key_is_asked_for_before_a_body_is_judged(service: Service) -> None:
    service.make_key("ada")
    for path in ("/v1/circuits", "/v1/distillations"):
        refused(service.client.post(path, json={"wrong": 1}), 401, "unauthorized")
    refused(service.client.post("/v1/files?purpose=dataset&name=a.npz", content=b"x"), 401, "unauthorized")
    assert service.stored() == []


def test_what_belongs_to_one_key_does_not_exist_for_another(service: Service, worker: Worker) -> None:
    ada, eve = (service.connect(service.make_key(name)[1]) for name in ("ada", "eve"))
    circuit = ada.post("/v1/circuits", json=BELL | {"labels": {"a": "b"}}).json()
    worker.run_circuit({"00": 1})
    training = ada.post("/v1/distillations", json=DIGITS).json()
    [checkpoint] = worker.run_distillation(b"weights", report=json.dumps(document()).encode())
    file = ada.post("/v1/files?purpose=dataset&name=a.csv", content=b"x").json()
    waiting = ada.post("/v1/circuits", json=BELL).json()
    reads = [*circuit["links"].values(), *training["links"].values(), *file["links"].values()]
    reads += [f"/v1/checkpoints/{checkpoint}", f"/v1/checkpoints/{checkpoint}/content"]
    for path in reads:
        assert ada.get(path).status_code == 200, path
        hidden, unknown = eve.get(path), eve.get(path.replace(path.split("/")[3][-32:], "0" * 32))
        assert hidden.status_code == 404
        assert hidden.json() == unknown.json()  # not even that it exists
    stream = eve.get(circuit["links"]["events"], headers={"Accept": "text/event-stream"})
    refused(stream, 404, "job_not_found")
    for action in ("cancel", "pause", "resume"):
        refused(eve.post(f"{waiting['links']['self']}/{action}", headers={"If-Match": "*"}), 404, "job_not_found")
    refused(eve.delete(circuit["links"]["self"]), 404, "job_not_found")
    refused(eve.delete(file["links"]["self"]), 404, "file_not_found")
    for path in ("/v1/jobs", "/v1/jobs?label=a=b", f"/v1/jobs?before=job_{'0' * 32}", "/v1/files"):
        assert eve.get(path).json()["data"] == []
    stolen = DIGITS | {"dataset": {"source": "file", "file": file["id"]}}
    assert refused(eve.post("/v1/distillations", json=stolen), 422, "file_not_found")["pointer"] == "/dataset/file"
    assert ada.get(waiting["links"]["self"]).json()["status"] == "queued"


def test_what_was_made_without_a_key_is_nobodys_afterwards(service: Service) -> None:
    job = service.client.post("/v1/circuits", json=BELL).json()
    ada = service.connect(service.make_key("ada")[1])
    refused(ada.get(job["links"]["self"]), 404, "job_not_found")


def test_an_idempotency_key_belongs_to_its_owner(service: Service) -> None:
    ada, eve = (service.connect(service.make_key(name)[1]) for name in ("ada", "eve"))
    headers = {"Idempotency-Key": "k"}
    first = ada.post("/v1/circuits", json=BELL, headers=headers).json()
    other = eve.post("/v1/circuits", json=BELL | {"shots": 3}, headers=headers)
    assert other.status_code == 202
    assert "idempotency-replayed" not in other.headers
    assert other.json()["id"] != first["id"]


def test_a_revoked_key_opens_nothing_and_the_last_one_leaves_it_closed(service: Service) -> None:
    key_id, token = service.make_key("ada")
    ada = service.connect(token)
    assert ada.get("/v1/jobs").status_code == 200
    database = service.front.database
    assert database.write(lambda connection: keyring.revoke_key(connection, key_id))
    refused(ada.get("/v1/jobs"), 401, "unauthorized")
    refused(service.client.get("/v1/jobs"), 401, "unauthorized")
    assert not database.write(lambda connection: keyring.revoke_key(connection, key_id))
    assert not service.front.keyring.open_to_everybody()


def test_a_process_believes_its_copy_of_the_keys_for_two_seconds(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1_000.0
    monkeypatch.setattr(keyring, "FRESH_SECONDS", 2.0)
    monkeypatch.setattr(keyring.time, "monotonic", lambda: clock)
    ring = Keyring(service.front.database)
    key_id, token = service.front.database.write(lambda connection: keyring.create_key(connection, "ada"))
    assert ring.owner(token) == key_id
    service.front.database.write(lambda connection: keyring.revoke_key(connection, key_id))
    clock += 1.9
    assert ring.owner(token) == key_id
    clock += 0.2
    with pytest.raises(Problem, match="needs a key"):
        ring.owner(token)


def test_a_token_is_nowhere_on_disk(service: Service) -> None:
    key_id, token = service.make_key("ada")
    ada = service.connect(token)
    assert ada.post("/v1/circuits", json=BELL, headers={"Idempotency-Key": "k"}).status_code == 202
    assert ada.post("/v1/files?purpose=dataset&name=a.csv", content=b"x").status_code == 201
    written = b"".join(path.read_bytes() for path in service.settings.data_dir.rglob("*") if path.is_file())
    assert key_id.encode() in written
    assert token.encode() not in written
    assert token.removeprefix("qs_").encode() not in written


def test_a_key_made_by_a_person_is_long_and_made_once(database: Database) -> None:
    token = "correct horse battery staple"
    first = database.write(lambda connection: keyring.create_key(connection, "bootstrap", token))
    again = database.write(lambda connection: keyring.create_key(connection, "bootstrap", token))
    assert first == again
    assert [row.name for row in database.read(keyring.list_keys)] == ["bootstrap"]
    with pytest.raises(Problem, match="at least 24"):
        database.write(lambda connection: keyring.create_key(connection, "short", "secret"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", ""])  # noqa: S104
def test_a_service_without_keys_does_not_listen_where_others_reach_it(database: Database, host: str) -> None:
    with pytest.raises(click.ClickException, match="qstill keys create"):
        refuse_open_door(host, Keyring(database))
    key_id, _ = database.write(lambda connection: keyring.create_key(connection, "ada"))
    refuse_open_door(host, Keyring(database))
    database.write(lambda connection: keyring.revoke_key(connection, key_id))
    refuse_open_door(host, Keyring(database))  # it stays closed to everybody


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_service_without_keys_listens_to_its_own_machine(database: Database, host: str) -> None:
    refuse_open_door(host, Keyring(database))
