"""/v1/jobs over HTTP: reading, listing, and what a client may ask of a job."""

from typing import Any

import httpx
import pytest

from ledger import attempts
from qstill.contract.errors import Problem
from qstill.contract.kinds import Queue
from tests.testing.in_process import BELL, DIGITS, Json, Worker, refused

NOBODY = f"job_{'0' * 32}"


def submit(client: httpx.Client, **values: Any) -> Json:
    answer = client.post("/v1/circuits", json=BELL | values)
    assert answer.status_code == 202, answer.text
    job: Json = answer.json()
    return job


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["data"]]


def test_a_job_that_did_not_change_is_not_sent_again(client: httpx.Client, worker: Worker) -> None:
    path = submit(client)["links"]["self"]
    tag = client.get(path).headers["etag"]
    unchanged = client.get(path, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    worker.claim(Queue.CIRCUITS)
    changed = client.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["status"]) == (200, "running")
    assert changed.headers["etag"] != tag


def test_a_job_tells_its_progress_and_how_it_ended(client: httpx.Client, worker: Worker) -> None:
    path = submit(client)["links"]["self"]
    held = worker.claim(Queue.CIRCUITS)
    worker.report(held, 3)
    running = client.get(path).json()
    assert (running["progress"]["done"], running["attempts"]) == (3, 1)
    worker.finish(held, {"outcomes": 2})
    ended = client.get(path).json()
    assert (ended["status"], ended["result"], ended["error"]) == ("succeeded", {"outcomes": 2}, None)
    assert ended["created_at"] <= ended["started_at"] <= ended["finished_at"]


def test_a_job_that_failed_shows_a_problem(client: httpx.Client, worker: Worker) -> None:
    path = submit(client)["links"]["self"]
    held = worker.claim(Queue.CIRCUITS)
    problem = Problem("qasm_invalid", "Line 3: no.", pointer="/circuit/source")
    worker.database.write(lambda connection: attempts.fail(connection, held, problem))
    failed = client.get(path).json()
    assert (failed["status"], failed["result"]) == ("failed", None)
    assert failed["error"] == problem.document()


def test_lists_are_filtered_by_kind_status_and_labels(client: httpx.Client, worker: Worker) -> None:
    plain = submit(client)["id"]
    labelled = submit(client, labels={"course": "qc101", "week": "1"})["id"]
    training = client.post("/v1/distillations", json=DIGITS | {"labels": {"course": "qc101"}}).json()["id"]
    worker.claim(Queue.DISTILLATION)
    assert ids(client.get("/v1/jobs")) == [training, labelled, plain]
    assert ids(client.get("/v1/jobs?kind=circuit")) == [labelled, plain]
    assert ids(client.get("/v1/jobs?status=running")) == [training]
    assert ids(client.get("/v1/jobs?status=running&status=queued")) == [training, labelled, plain]
    assert ids(client.get("/v1/jobs?label=course=qc101")) == [training, labelled]
    assert ids(client.get("/v1/jobs?label=course=qc101&label=week=1")) == [labelled]
    assert ids(client.get("/v1/jobs?label=course=qc101&status=queued&kind=circuit")) == [labelled]
    assert ids(client.get("/v1/jobs?label=course=other")) == []


def test_a_label_may_hold_what_a_url_reserves(client: httpx.Client) -> None:
    value = "a=b&c=d e/ü%"
    job = submit(client, labels={"x": value})["id"]
    assert ids(client.get("/v1/jobs", params={"label": f"x={value}"})) == [job]


def test_pages_follow_each_other_and_do_not_shift(client: httpx.Client) -> None:
    made = [submit(client)["id"] for _ in range(7)][::-1]
    first = client.get("/v1/jobs?limit=3&kind=circuit")
    newer = submit(client)["id"]
    second = client.get(first.links["next"]["url"])
    third = client.get(second.links["next"]["url"])
    assert [ids(first), ids(second), ids(third)] == [made[:3], made[3:6], made[6:]]
    assert [page.json()["has_more"] for page in (first, second, third)] == [True, True, False]
    assert "next" not in third.links
    envelope = second.json()
    assert (envelope["object"], envelope["first_id"], envelope["last_id"]) == ("list", made[3], made[5])
    back = client.get(f"/v1/jobs?limit=3&before={made[6]}")
    assert ids(back) == made[3:6]
    further = client.get(back.links["prev"]["url"])
    assert ids(further) == made[:3]
    newest = client.get(further.links["prev"]["url"])
    assert (ids(newest), newest.json()["has_more"], newest.links) == ([newer], False, {})


def test_an_empty_list_is_a_list(client: httpx.Client) -> None:
    answer = client.get("/v1/jobs")
    assert answer.json() == {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None}
    assert "link" not in answer.headers


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        (f"limit={'9' * 5000}", "limit"),
        ("after=x", "after"),
        (f"before=file_{'0' * 32}", "before"),
        ("kind=painting", "kind"),
        ("status=done", "status"),
        ("status=queued&status=done", "status"),
        ("label=course", "label"),
        ("label=a=%00", "label"),
        ("label=a=b&label==b", "label"),
        ("&".join(f"label=a{i}=b" for i in range(9)), "label"),
    ],
)
def test_a_wrong_filter_or_cursor_names_its_parameter(client: httpx.Client, query: str, parameter: str) -> None:
    problem = refused(client.get(f"/v1/jobs?{query}"), 422, "validation_failed")
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    assert problem["title"].startswith(f"{parameter}: ")


def test_two_cursors_are_one_too_many(client: httpx.Client) -> None:
    refused(client.get(f"/v1/jobs?after={NOBODY}&before={NOBODY}"), 422, "two_cursors")


def ask(client: httpx.Client, job: Json, action: str, **headers: str) -> httpx.Response:
    return client.post(f"{job['links']['self']}/{action}", headers=headers)


def test_a_queued_job_is_paused_resumed_and_cancelled_at_once(client: httpx.Client) -> None:
    job = submit(client)
    for action, status in (("pause", "paused"), ("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        answer = ask(client, job, action)
        assert (answer.status_code, answer.json()["status"]) == (200, status)
        assert answer.headers["etag"] == client.get(job["links"]["self"]).headers["etag"]


def test_a_running_job_is_cancelled_by_its_worker(client: httpx.Client, worker: Worker) -> None:
    job = submit(client)
    held = worker.claim(Queue.CIRCUITS)
    assert ask(client, job, "pause").json()["status"] == "pausing"
    assert ask(client, job, "resume").json()["status"] == "running"
    assert ask(client, job, "cancel").json()["status"] == "cancelling"
    assert ask(client, job, "cancel").json()["status"] == "cancelling"
    assert (
        "is cancelling and cannot be resumed" in refused(ask(client, job, "resume"), 409, "illegal_transition")["title"]
    )
    worker.finish(held, {})
    assert client.get(job["links"]["self"]).json()["status"] == "cancelled"


PAST = {"cancel": "cancelled", "pause": "paused", "resume": "resumed"}


@pytest.mark.parametrize("action", PAST)
def test_what_is_over_cannot_be_changed(client: httpx.Client, worker: Worker, action: str) -> None:
    job = submit(client)
    worker.run_circuit({"0": 1})
    title = refused(ask(client, job, action), 409, "illegal_transition")["title"]
    assert title == f"The job has succeeded and cannot be {PAST[action]} any more."
    unwanted = submit(client)
    ask(client, unwanted, "cancel")
    title = refused(ask(client, unwanted, action), 409, "illegal_transition")["title"]
    assert title == f"The job is cancelled and cannot be {PAST[action]} any more."


@pytest.mark.parametrize("action", ["cancel", "pause", "resume"])
@pytest.mark.parametrize("tag", ['"7"', '"x"', "", '"-1"', f'"{"9" * 5000}"', '"²"'])
def test_a_change_is_meant_for_the_version_that_the_client_saw(client: httpx.Client, action: str, tag: str) -> None:
    job = submit(client)
    answer = client.post(f"{job['links']['self']}/{action}", headers={"If-Match": tag.encode("latin-1")})
    refused(answer, 412, "version_mismatch")
    assert client.get(job["links"]["self"]).json() == job


def test_a_change_of_the_version_that_is_there_happens(client: httpx.Client) -> None:
    job = submit(client)
    tag = client.get(job["links"]["self"]).headers["etag"]
    paused = ask(client, job, "pause", **{"If-Match": tag})
    assert paused.status_code == 200
    refused(ask(client, job, "cancel", **{"If-Match": tag}), 412, "version_mismatch")
    assert ask(client, job, "cancel", **{"If-Match": "*"}).status_code == 200


def test_a_finished_job_is_deleted_with_all_that_it_made(client: httpx.Client, worker: Worker) -> None:
    job = submit(client)
    path = job["links"]["self"]
    problem = refused(client.delete(path), 409, "job_not_finished")
    assert client.request(problem["try"][0]["method"], problem["try"][0]["path"]).status_code == 200
    refused(client.delete(path, headers={"If-Match": '"1"'}), 412, "version_mismatch")
    gone = client.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    for link in job["links"].values():
        refused(client.get(link), 404, "job_not_found")
    refused(client.delete(path), 404, "job_not_found")


@pytest.mark.parametrize(
    ("method", "part"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/request"),
        ("GET", "/events"),
        ("POST", "/cancel"),
        ("POST", "/pause"),
        ("POST", "/resume"),
    ],
)
def test_an_id_that_names_nothing_is_not_found_and_no_id_at_all_is_refused(
    client: httpx.Client, method: str, part: str
) -> None:
    refused(client.request(method, f"/v1/jobs/{NOBODY}{part}"), 404, "job_not_found")
    for wrong in ("x", f"file_{'0' * 32}", NOBODY.upper(), f"{NOBODY}0", f"{NOBODY}%00", f"{NOBODY}%0A", "%ff", "%2e"):
        problem = refused(client.request(method, f"/v1/jobs/{wrong}{part}"), 422, "validation_failed")
        assert [error["parameter"] for error in problem["errors"]] == ["job_id"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", f"/v1/jobs/{NOBODY}", "DELETE, GET"),
        ("OPTIONS", "/v1/circuits", "POST"),
        ("DELETE", "/v1/files", "GET, POST"),
        ("GET", f"/v1/jobs/{NOBODY}/cancel", "POST"),
        ("POST", "/livez", "GET"),
    ],
)
def test_a_method_that_is_not_there_names_those_that_are(
    client: httpx.Client, method: str, path: str, allow: str
) -> None:
    answer = client.request(method, path)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/v2/jobs", "/v1", "/v1/jobs/", "/%00", "/v1/jobs//events", "/assets/../main.py"])
def test_a_path_that_is_not_there_is_a_problem_too(client: httpx.Client, path: str) -> None:
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code in {404, 200}
    if answer.status_code == 404:
        refused(answer, 404, "not_found")
