"""/v1/files over HTTP: what may be uploaded, and that nothing is left behind of what may not."""

import json
import logging
import socket
from collections.abc import Iterator

import httpx
import pytest

from ledger.reaper import reap
from qstill.contract.kinds import Queue
from tests.testing.in_process import DIGITS, Json, Listening, Service, Worker, refused, running, sha256, until

LIMIT = 4 << 20  # bytes of an upload here; more than a JSON body may have
NPZ = b"PK\x03\x04" + bytes(range(256)) * 8
NPY = b"\x93NUMPY" + bytes(122)


def safetensors(header: object, content: bytes = b"") -> bytes:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + content


TENSOR = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
TEACHER = safetensors(TENSOR | {"__metadata__": {"card": "x"}}, bytes(4))


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("files") / "data", max_body_bytes=1000, max_upload_bytes=LIMIT) as made:
        yield made


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that stays empty, since it refuses all that it is sent."""
    with running(tmp_path_factory.mktemp("refused") / "data", max_body_bytes=1000, max_upload_bytes=LIMIT) as made:
        yield made


def upload(
    client: httpx.Client, content: bytes | Iterator[bytes], name: str = "a.npz", purpose: str = "dataset"
) -> Json:
    answer = client.post("/v1/files", params={"purpose": purpose, "name": name}, content=content)
    assert answer.status_code == 201, answer.text
    file: Json = answer.json()
    assert answer.headers["location"] == file["links"]["self"]
    return file


@pytest.mark.parametrize(
    ("name", "purpose", "content"),
    [
        ("flowers.npz", "dataset", NPZ),
        ("flowers.zip", "dataset", NPZ),
        ("flowers.csv", "dataset", b"x,y\n1,0\n"),
        ("Teacher.SafeTensors", "teacher", TEACHER),
        ("none.safetensors", "teacher", safetensors({})),
        ("soft.npy", "soft_labels", NPY),
        ("lists.csv", "soft_labels", b"user,item,score\n1,2,0.5\n"),
        ("soft.npz", "soft_labels", b"PK\x05\x06" + bytes(18)),
        ("split.txt", "split", b"train\ntest\n"),
        ("split.npy", "split", NPY),
        ("bell.qasm", "circuit", b"OPENQASM 3.0;"),
        ("bell.json", "circuit", b"{}"),
        ('a/b\\c \u00fc\u4e16".csv', "dataset", b"x"),
    ],
)
def test_a_file_comes_back_as_it_was_sent(client: httpx.Client, name: str, purpose: str, content: bytes) -> None:
    file = upload(client, content, name, purpose)
    assert (file["name"], file["purpose"], file["bytes"]) == (name, purpose, len(content))
    assert file["sha256"] == sha256(content)
    assert client.get(file["links"]["self"]).json() == file
    got = client.get(file["links"]["content"])
    assert (got.status_code, got.content) == (200, content)
    assert got.headers["etag"] == f'"{file["sha256"]}"'
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["content-disposition"].isascii()


def test_a_stream_of_unknown_length_is_a_file_too(client: httpx.Client, service: Service) -> None:
    blocks = [NPZ, *(bytes([number]) * 100_001 for number in range(20)), b""]
    file = upload(client, iter(blocks))
    assert file["bytes"] == 2_000_020 + len(NPZ)
    assert client.get(file["links"]["content"]).content == b"".join(blocks)
    assert service.stored() == [f"files/{file['id']}"]


def test_a_file_is_read_in_parts_and_not_sent_twice(client: httpx.Client) -> None:
    content = upload(client, NPZ)["links"]["content"]
    part = client.get(content, headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.content) == (206, NPZ[4:10])
    refused(client.get(content, headers={"Range": "bytes=99999-"}), 416, "range_not_satisfiable")
    assert client.get(content, headers={"If-None-Match": part.headers["etag"]}).status_code == 304


def test_files_are_listed_newest_first_by_purpose_and_in_pages(client: httpx.Client) -> None:
    sets = [upload(client, NPZ)["id"] for _ in range(3)][::-1]
    labels = upload(client, NPY, "a.npy", "soft_labels")["id"]
    pages = [client.get("/v1/files?limit=3")]
    pages.append(client.get(pages[0].links["next"]["url"]))
    assert [[file["id"] for file in page.json()["data"]] for page in pages] == [[labels, *sets[:2]], sets[2:]]
    only = client.get("/v1/files?purpose=dataset&limit=2")
    assert [file["id"] for file in only.json()["data"]] == sets[:2]
    assert "purpose=dataset" in only.links["next"]["url"]
    back = client.get(f"/v1/files?limit=2&before={sets[2]}")
    assert [file["id"] for file in back.json()["data"]] == sets[:2]
    assert [file["id"] for file in client.get(back.links["prev"]["url"]).json()["data"]] == [labels]


def test_a_deleted_file_is_gone_with_its_bytes(client: httpx.Client, service: Service) -> None:
    file = upload(client, NPZ)
    assert client.delete(file["links"]["self"]).status_code == 204
    for link in file["links"].values():
        refused(client.get(link), 404, "file_not_found")
    refused(client.delete(file["links"]["self"]), 404, "file_not_found")
    reap(service.front.database, service.front.store, lambda queue: None)
    assert service.stored() == []


def test_a_file_that_a_job_needs_stays(client: httpx.Client, worker: Worker) -> None:
    file = upload(client, NPZ)
    job = client.post("/v1/distillations", json=DIGITS | {"dataset": {"source": "file", "file": file["id"]}})
    assert job.status_code == 202, job.text
    problem = refused(client.delete(file["links"]["self"]), 409, "file_in_use")
    assert problem["try"] == [{"method": "POST", "path": f"/v1/jobs/{job.json()['id']}/cancel"}]
    worker.finish(worker.claim(Queue.DISTILLATION), {})
    assert client.delete(file["links"]["self"]).status_code == 204


def test_content_whose_bytes_are_gone_says_so(client: httpx.Client, service: Service) -> None:
    file = upload(client, NPZ)
    service.front.store.delete(f"files/{file['id']}")
    refused(client.get(file["links"]["content"]), 410, "content_gone")


def refuse(service: Service, status: int, code: str, content: bytes | Iterator[bytes], **asked: str) -> Json:
    """An upload that must be refused, and of which nothing may stay."""
    query = {"purpose": "dataset", "name": "a.npz"} | {k: v for k, v in asked.items() if k in {"purpose", "name"}}
    headers = {k.replace("_", "-"): v for k, v in asked.items() if k not in query}
    problem = refused(service.client.post("/v1/files", params=query, content=content, headers=headers), status, code)
    assert service.stored() == []
    assert service.client.get("/v1/files").json()["data"] == []
    return problem


def blocks(size: int) -> Iterator[bytes]:
    yield NPZ[:4]
    for _ in range(size // 65_536 + 1):
        yield bytes(65_536)


def never() -> Iterator[bytes]:
    raise AssertionError("the body was read")
    yield b""


@pytest.mark.parametrize("declared", [str(LIMIT + 1), str(1 << 62), "9" * 5_000])
def test_a_file_that_declares_too_much_is_refused_before_it_is_read(refusing: Service, declared: str) -> None:
    problem = refuse(refusing, 413, "file_too_large", never(), content_length=declared)
    assert f"{LIMIT:,}" in problem["title"]


def test_a_file_that_grows_too_large_is_refused(refusing: Service) -> None:
    refuse(refusing, 413, "file_too_large", blocks(LIMIT))


def test_a_file_that_lies_about_its_length_is_refused(refusing: Service) -> None:
    refuse(refusing, 413, "file_too_large", blocks(LIMIT), content_length="10")


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("model.bin", "teacher"),
        ("model.pt2", "teacher"),
        ("model.pkl", "teacher"),
        ("model.npz", "teacher"),
        ("data.npy", "dataset"),
        ("data.npz.exe", "dataset"),
        ("npz", "dataset"),
        ("labels.jsonl", "soft_labels"),
        ("circuit.qpy", "circuit"),
    ],
)
def test_a_format_that_is_not_read_is_refused_before_it_is_received(refusing: Service, name: str, purpose: str) -> None:
    problem = refuse(refusing, 415, "unsupported_format", never(), name=name, purpose=purpose)
    assert name in problem["title"]


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "Multipart/Form-Data", "multipart/mixed"])
def test_a_form_is_no_file(refusing: Service, kind: str) -> None:
    assert "--data-binary" in refuse(refusing, 415, "not_a_form", never(), content_type=kind)["title"]


@pytest.mark.parametrize(
    ("name", "purpose", "content"),
    [
        pytest.param("a.npz", "dataset", b"", id="an empty archive"),
        pytest.param("a.csv", "dataset", b"", id="an empty table"),
        pytest.param("a.safetensors", "teacher", b"", id="an empty teacher"),
        pytest.param("a.npz", "dataset", b"no zip at all", id="an archive that is none"),
        pytest.param("a.npz", "dataset", b"PK", id="an archive of two bytes"),
        pytest.param("a.zip", "dataset", b"\x89PNG\r\n\x1a\n", id="an image that says it is an archive"),
        pytest.param("a.npz", "dataset", NPY, id="an array that says it is an archive"),
        pytest.param("a.npy", "soft_labels", NPZ, id="an archive that says it is an array"),
        pytest.param("a.npy", "soft_labels", b"\x80\x04\x95", id="a pickle that says it is an array"),
        pytest.param("a.safetensors", "teacher", TEACHER[:5], id="cut within its length"),
        pytest.param("a.safetensors", "teacher", TEACHER[:20], id="cut within its header"),
        pytest.param("a.safetensors", "teacher", TEACHER[:-1], id="cut within its tensors"),
        pytest.param("a.safetensors", "teacher", TEACHER + b"x", id="one byte too long"),
        pytest.param("a.safetensors", "teacher", b"\xff" * 8 + TEACHER, id="a header of 16 EiB"),
        pytest.param("a.safetensors", "teacher", safetensors(b"\xff\xff"), id="a header of no text"),
        pytest.param("a.safetensors", "teacher", safetensors(b"["), id="a header of no JSON"),
        pytest.param("a.safetensors", "teacher", safetensors(b"[" * 100_000), id="a header nested too deep"),
        pytest.param("a.safetensors", "teacher", safetensors([]), id="a header that is a list"),
        pytest.param("a.safetensors", "teacher", safetensors({"w": 1}), id="a tensor that is a number"),
        pytest.param("a.safetensors", "teacher", safetensors({"w": {"data_offsets": [0]}}), id="half an offset"),
        *(
            pytest.param("a.safetensors", "teacher", safetensors({"w": {"data_offsets": [0, end]}}), id=f"an end {end}")
            for end in ("x", None, [], {}, 0.0, float("nan"), -1, 10**4000)
        ),
        pytest.param(
            "a.safetensors", "teacher", safetensors(b'{"w": {"data_offsets": [0, ' + b"9" * 5_000 + b"]}}"), id="digits"
        ),
    ],
)
def test_a_file_that_is_plainly_broken_is_refused(refusing: Service, name: str, purpose: str, content: bytes) -> None:
    refuse(refusing, 422, "broken_file", content, name=name, purpose=purpose)


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", {"purpose", "name"}),
        ("?purpose=dataset", {"name"}),
        ("?purpose=model&name=a.npz", {"purpose"}),
        ("?purpose=dataset&name=", {"name"}),
        ("?purpose=dataset&name=a%00.npz", {"name"}),
        ("?purpose=dataset&name=a%0A.npz", {"name"}),
        (f"?purpose=dataset&name={'a' * 200}.npz", {"name"}),
    ],
)
def test_a_wrong_name_or_purpose_is_named(refusing: Service, query: str, parameters: set[str]) -> None:
    problem = refused(refusing.client.post(f"/v1/files{query}", content=NPZ), 422, "validation_failed")
    assert {error["parameter"] for error in problem["errors"]} == parameters
    assert refusing.stored() == []


def test_a_full_disk_is_said_before_it_breaks_the_ledger(refusing: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.files.upload.FREE_BYTES", 1 << 62)
    refuse(refusing, 507, "disk_full", NPZ)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("after=x", "after"), (f"before=job_{'0' * 32}", "before"), ("limit=0", "limit"), ("purpose=x", "purpose")],
)
def test_a_wrong_filter_or_cursor_names_its_parameter(client: httpx.Client, query: str, parameter: str) -> None:
    problem = refused(client.get(f"/v1/files?{query}"), 422, "validation_failed")
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    cursors = f"after=file_{'0' * 32}&before=file_{'0' * 32}"
    refused(client.get(f"/v1/files?{cursors}"), 422, "two_cursors")


@pytest.mark.parametrize(("method", "part"), [("GET", ""), ("DELETE", ""), ("GET", "/content")])
def test_an_id_that_names_nothing_is_not_found_and_no_id_at_all_is_refused(
    client: httpx.Client, method: str, part: str
) -> None:
    refused(client.request(method, f"/v1/files/file_{'0' * 32}{part}"), 404, "file_not_found")
    for wrong in ("x", f"job_{'0' * 32}", f"file_{'0' * 33}", f"file_{'0' * 32}%00", "%2e%2e%2fledger.db"):
        answer = client.request(method, f"/v1/files/{wrong}{part}")
        if answer.status_code != 404:  # a slash makes it another path
            problem = refused(answer, 422, "validation_failed")
            assert [error["parameter"] for error in problem["errors"]] == ["file_id"]


@pytest.mark.parametrize("framing", ["Content-Length: 100000", "Transfer-Encoding: chunked"])
def test_a_client_that_leaves_midway_leaves_nothing(
    on_the_wire: Listening, caplog: pytest.LogCaptureFixture, framing: str
) -> None:
    store = on_the_wire.front.store.root
    head = f"POST /v1/files?purpose=dataset&name=a.npz HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n"
    body = NPZ if "Length" in framing else f"{len(NPZ):x}\r\n".encode() + NPZ + b"\r\n"
    with caplog.at_level(logging.INFO), socket.create_connection(("127.0.0.1", on_the_wire.port)) as connection:
        connection.sendall(head.encode() + body)
        until(lambda: any(store.rglob("*.partial")))
        connection.close()
        until(lambda: not any(path.is_file() for path in store.rglob("*")))
        assert httpx.get(f"{on_the_wire.url}/v1/files").json()["data"] == []
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_the_answer_to_a_table_says_what_its_columns_are_taken_for(service: Service) -> None:
    rows = "".join(f"{1000 + n};{n},5;{['nurse', 'NA'][n % 2]};{1 + n % 28}.1.2024\n" for n in range(40))
    content = ("user_id;size;job;since\n" + rows).encode("utf-16")
    file = upload(service.client, content, "people.csv")
    found = {each["name"]: (each["kind"], each["gaps"]) for each in file["columns"]}
    assert found == {
        "user_id": ("identifier", 0),
        "size": ("numeric", 0),
        "job": ("categorical", 20),
        "since": ("date", 0),
    }
    assert service.client.get(file["links"]["self"]).json()["columns"] == file["columns"]
    assert service.client.get("/v1/files").json()["data"][0]["columns"] is None
    assert upload(service.client, b"a,b\n1\n", "torn.csv")["columns"] is None
    assert upload(service.client, b"PAR1....", "a.parquet")["columns"] is None


def test_what_was_understood_of_a_table_is_kept_and_costs_no_reading(service: Service) -> None:
    file = upload(service.client, b"size,job\n1.5,nurse\n2.5,baker\n3,baker\n", "people.csv")
    service.front.store.delete(f"files/{file['id']}")
    assert [column["name"] for column in file["columns"]] == ["size", "job"]
    assert service.client.get(file["links"]["self"]).json() == file


def test_soft_labels_are_no_table_of_a_dataset(service: Service) -> None:
    content = b"user,item,score\n1,2,0.5\n1,3,0.25\n"
    assert upload(service.client, content, "lists.csv", "soft_labels")["columns"] is None
    assert upload(service.client, content, "lists.csv", "dataset")["columns"] is not None


@pytest.mark.parametrize("header", ["c," * 20_000, "c," * 1_000_000, "c;" * 3_000_000])
def test_a_table_of_countless_columns_is_refused_where_it_is_uploaded(refusing: Service, header: str) -> None:
    content = header.encode()[: LIMIT - 10] + b"\n1,2\n"
    answer = refusing.client.post("/v1/files", params={"purpose": "dataset", "name": "wide.csv"}, content=content)
    assert refused(answer, 422, "too_many_columns")["title"].endswith("belong into an .npz, as its array x.")
