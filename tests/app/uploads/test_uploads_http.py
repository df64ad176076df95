"""/v1/uploads over HTTP: a file in parts, whatever breaks on the way."""

import base64
import hashlib
import logging
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reaper import reap
from tests.testing.in_process import Json, Listening, Service, refused, running, sha256, until

LIMIT = 1 << 20  # bytes of a file in parts here
PART = 1024
TABLE = b"size,job\n" + b"".join(b"%d,%s\n" % (n, [b"nurse", b"baker"][n % 2]) for n in range(400))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "data", max_body_bytes=1000, max_upload_bytes=2000, max_file_bytes=LIMIT) as made:
        yield made


def begin(client: httpx.Client, content: bytes, name: str = "people.csv", **said: Any) -> Json:
    body = {"purpose": "dataset", "name": name, "bytes": len(content), "part_bytes": PART} | said
    answer = client.post("/v1/uploads", json=body)
    assert answer.status_code == 201, answer.text
    upload: Json = answer.json()
    assert answer.headers["location"] == upload["links"]["self"]
    return upload


def cut(content: bytes, number: int) -> bytes:
    return content[(number - 1) * PART : number * PART]


def put(client: httpx.Client, upload: Json, number: int, content: Any, **headers: str) -> httpx.Response:
    return client.put(f"{upload['links']['self']}/parts/{number}", content=content, headers=headers)


def send(client: httpx.Client, upload: Json, content: bytes) -> None:
    for number in client.get(upload["links"]["self"]).json()["missing"]:
        answer = put(client, upload, number, cut(content, number))
        assert answer.status_code == 200, answer.text
        assert answer.json()["sha256"] == sha256(cut(content, number))


def complete(client: httpx.Client, upload: Json) -> Json:
    answer = client.post(upload["links"]["complete"])
    assert answer.status_code == 201, answer.text
    file: Json = answer.json()
    assert answer.headers["location"] == file["links"]["self"]
    return file


def sweep(service: Service) -> None:
    reap(service.front.database, service.front.store, lambda queue: None)


def test_parts_become_an_ordinary_file(service: Service) -> None:
    client, content = service.client, TABLE
    upload = begin(client, content, sha256=sha256(content))
    assert (upload["status"], upload["parts"], upload["received"], upload["file"]) == ("open", 4, 0, None)
    put(client, upload, 3, cut(content, 3))
    seen = client.get(upload["links"]["self"]).json()
    assert (seen["received"], seen["missing"]) == (1, [1, 2, 4])
    problem = refused(client.post(upload["links"]["complete"]), 409, "parts_missing")
    assert problem["title"] == "1 of 4 parts are here; send 1, 2, 4."
    assert problem["try"][0] == {"method": "PUT", "path": f"{upload['links']['self']}/parts/1"}
    send(client, upload, content)
    file = complete(client, upload)
    assert complete(client, upload) == client.get(file["links"]["self"]).json() == file
    assert (file["bytes"], file["sha256"], file["name"]) == (len(content), sha256(content), "people.csv")
    assert [column["kind"] for column in file["columns"]] == ["numeric", "categorical"]
    assert client.get(file["links"]["content"]).content == content
    done = client.get(upload["links"]["self"]).json()
    assert (done["status"], done["received"], done["missing"], done["file"]) == ("complete", 4, [], file["id"])
    refused(put(client, upload, 1, cut(content, 1)), 409, "upload_complete")
    sweep(service)
    assert service.stored() == [f"files/{file['id']}"]


@settings(max_examples=8)
@given(data=st.data(), size=st.integers(1, 6 * PART), order=st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_give_the_same_file(
    shared: Service, data: st.DataObject, size: int, order: Any
) -> None:
    content = b"PK\x03\x04" + order.randbytes(size)
    upload = begin(shared.client, content, "a.npz")
    numbers = list(range(1, upload["parts"] + 1))
    sent = numbers + data.draw(st.lists(st.sampled_from(numbers), max_size=4))
    order.shuffle(sent)
    for number in sent:
        assert put(shared.client, upload, number, cut(content, number)).status_code == 200
    file = complete(shared.client, upload)
    assert shared.client.get(file["links"]["content"]).content == content


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("shared") / "data", max_file_bytes=LIMIT) as made:
        yield made


def test_a_given_up_upload_is_gone_with_its_parts(service: Service) -> None:
    client = service.client
    upload = begin(client, TABLE)
    put(client, upload, 1, cut(TABLE, 1))
    listed = client.get("/v1/uploads").json()["data"]
    assert [(each["id"], each["received"], each["missing"]) for each in listed] == [(upload["id"], 1, None)]
    assert client.delete(upload["links"]["self"]).status_code == 204
    sweep(service)
    assert service.stored() == client.get("/v1/uploads").json()["data"] == []
    for answer in (
        client.get(upload["links"]["self"]),
        client.delete(upload["links"]["self"]),
        client.post(upload["links"]["complete"]),
        put(client, upload, 1, b"x"),
    ):
        refused(answer, 404, "upload_not_found")


def test_another_key_has_no_such_upload(service: Service) -> None:
    ada, bob = (service.connect(service.make_key(name)[1]) for name in ("ada", "bob"))
    upload = begin(ada, TABLE)
    for answer in (
        bob.get(upload["links"]["self"]),
        bob.delete(upload["links"]["self"]),
        bob.post(upload["links"]["complete"]),
        put(bob, upload, 1, cut(TABLE, 1)),
    ):
        refused(answer, 404, "upload_not_found")
    assert bob.get("/v1/uploads").json()["data"] == []
    send(ada, upload, TABLE)
    file = complete(ada, upload)
    refused(bob.get(file["links"]["self"]), 404, "file_not_found")


@pytest.mark.parametrize(
    ("said", "status", "code", "pointer"),
    [
        ({"bytes": LIMIT + 1}, 413, "file_too_large", "/bytes"),
        ({"bytes": 0}, 422, "validation_failed", "/bytes"),
        ({"bytes": 1 << 62}, 422, "validation_failed", "/bytes"),
        ({"bytes": 1 << 40, "part_bytes": 1024}, 422, "validation_failed", "/part_bytes"),
        ({"part_bytes": 5}, 422, "validation_failed", "/part_bytes"),
        ({"sha256": "x"}, 422, "validation_failed", "/sha256"),
        ({"name": "model.pkl"}, 415, "unsupported_format", None),
        ({"name": "a.onnx"}, 415, "unsupported_format", None),
        ({"purpose": "circus"}, 422, "validation_failed", "/purpose"),
    ],
)
def test_what_cannot_become_a_file_is_refused_before_a_part_is_sent(
    shared: Service, said: Json, status: int, code: str, pointer: str | None
) -> None:
    body = {"purpose": "dataset", "name": "a.npz", "bytes": 100} | said
    assert refused(shared.client.post("/v1/uploads", json=body), status, code).get("pointer") == pointer


def test_a_full_disk_is_said_before_a_part_is_sent(shared: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.files.upload.FREE_BYTES", 1 << 62)
    body = {"purpose": "dataset", "name": "a.npz", "bytes": 100}
    refused(shared.client.post("/v1/uploads", json=body), 507, "disk_full")


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def test_a_part_that_is_not_what_it_should_be_is_refused_and_leaves_nothing(service: Service) -> None:
    client = service.client
    upload, first = begin(client, TABLE), cut(TABLE, 1)
    refused(put(client, upload, 1, first[:-1]), 422, "wrong_part_size")
    refused(put(client, upload, 1, first + b"x"), 422, "wrong_part_size")
    refused(put(client, upload, 1, iter([first] * 9)), 422, "wrong_part_size")
    refused(put(client, upload, 4, first), 422, "wrong_part_size")
    refused(put(client, upload, 5, first), 404, "part_not_found")
    refused(put(client, upload, 0, first), 422, "validation_failed")
    for wrong in ("x", "sha-256=:AAAA:", "sha-256=:*:", "md5=:AAAA:"):
        refused(put(client, upload, 1, first, **{"Content-Digest": wrong}), 400, "bad_digest")
    refused(put(client, upload, 1, first, **{"Content-Digest": digest(b"other")}), 422, "digest_differs")
    assert service.stored() == []
    assert put(client, upload, 1, first, **{"Content-Digest": f"md5=:AA==:, {digest(first)}"}).status_code == 200
    problem = refused(put(client, upload, 1, first.upper()), 409, "part_differs")
    assert problem["try"] == [{"method": "DELETE", "path": upload["links"]["self"]}]
    put(client, upload, 1, first)
    assert len(service.stored()) == 1


def test_a_file_that_is_not_what_its_name_says_is_refused_with_its_first_part(service: Service) -> None:
    refused(put(service.client, begin(service.client, TABLE, "a.npz"), 1, cut(TABLE, 1)), 422, "broken_file")
    assert service.stored() == []


def test_parts_that_are_together_another_file_become_none(service: Service) -> None:
    client = service.client
    upload = begin(client, TABLE, sha256="0" * 64)
    send(client, upload, TABLE)
    problem = refused(client.post(upload["links"]["complete"]), 422, "digest_differs")
    assert sha256(TABLE) in problem["title"]
    assert problem["try"][0] == {"method": "DELETE", "path": upload["links"]["self"]}
    assert client.get("/v1/files").json()["data"] == []
    assert all(path.startswith("uploads/") for path in service.stored())


def test_parts_that_the_store_lost_are_said(service: Service) -> None:
    upload = begin(service.client, TABLE)
    send(service.client, upload, TABLE)
    service.front.store.delete(f"uploads/{upload['id']}")
    refused(service.client.post(upload["links"]["complete"]), 409, "upload_changed")


def test_a_connection_that_breaks_costs_its_part_alone(on_the_wire: Listening, caplog: Any) -> None:
    with httpx.Client(base_url=on_the_wire.url) as client:
        upload, store = begin(client, TABLE), on_the_wire.front.store.root
        put(client, upload, 1, cut(TABLE, 1))
        head = f"PUT {upload['links']['self']}/parts/2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {PART}\r\n\r\n"
        with caplog.at_level(logging.INFO), socket.create_connection(("127.0.0.1", on_the_wire.port)) as connection:
            connection.sendall(head.encode() + cut(TABLE, 2)[:100])
            until(lambda: any(store.rglob("2.*")))
            connection.close()
            until(lambda: not any(store.rglob("2.*")))
        assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
        assert client.get(upload["links"]["self"]).json()["missing"] == [2, 3, 4]
        send(client, upload, TABLE)
        assert client.get(complete(client, upload)["links"]["content"]).content == TABLE


def test_curl_sends_a_file_in_parts(on_the_wire: Listening, tmp_path: Path) -> None:
    """The lines of the documentation: `split` cuts, and `curl -T` sends."""
    (tmp_path / "people.csv").write_bytes(TABLE)
    script = f"""
        set -e
        say='{{"purpose": "dataset", "name": "people.csv", "bytes": {len(TABLE)}, "part_bytes": {PART}}}'
        id=$(curl -sf {on_the_wire.url}/v1/uploads --json "$say" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
        split -b {PART} --numeric-suffixes=1 -a 1 people.csv part.
        for part in part.*; do
            curl -sf --retry 5 -T $part {on_the_wire.url}/v1/uploads/$id/parts/${{part#part.}}
        done
        curl -sf -X POST {on_the_wire.url}/v1/uploads/$id/complete
    """
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, timeout=60, stdout=subprocess.DEVNULL)
    (file,) = httpx.get(f"{on_the_wire.url}/v1/files").json()["data"]
    assert file["sha256"] == sha256(TABLE)
