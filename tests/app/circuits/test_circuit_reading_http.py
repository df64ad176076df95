"""/v1/circuits/{id} over HTTP: what came out of a job, in every form. The worker computes nothing."""

import io
import json
import xml.etree.ElementTree as ElementTree
from typing import Any

import httpx
import pytest
from PIL import Image

from app.circuits import stored_results
from ledger import attempts
from ledger.attempts import Artifact
from qstill.contract.errors import Problem
from qstill.contract.kinds import Queue
from tests.testing.in_process import BELL, DIGITS, Json, Service, Worker, refused, sha256
from tests.testing.stored_counts import results

COUNTS = {"00": 507, "01": 3, "11": 490}
REGISTERS = [{"name": "a", "clbits": [0]}, {"name": "b", "clbits": [1, 2]}]
BARE = results({"000": 1, "110": 2, "111": 1}, registers=REGISTERS)
NOISY = BARE | {"probabilities": {"000": 0.4, "111": 0.4, "110": 0.2}}
GHZ = NOISY | {"memory": ["110", "000", "111", "110"], "ideal": {"000": 0.5, "111": 0.5}}
LINKS = ("histogram", "histogram_svg", "histogram_png", "results", "diagram")
HISTOGRAMS = LINKS[:3]


def submit(client: httpx.Client, **more: Any) -> Json:
    job: Json = client.post("/v1/circuits", json=BELL | more).json()
    return job


def finished(client: httpx.Client, worker: Worker, counts: dict[str, int] = COUNTS, **more: Any) -> Json:
    job = submit(client, **more)
    worker.run_circuit(counts)
    return job


def batch(client: httpx.Client, worker: Worker, *circuits: Json) -> Json:
    """A finished job with the results of these circuits."""
    job = submit(client)
    held = worker.claim(Queue.CIRCUITS)
    content = json.dumps({"bit_order": "little", "circuits": circuits}).encode()
    worker.publish(held, "results", "results.json", content)
    worker.finish(held, {})
    return job


def ask(client: httpx.Client, job: Json, part: str, **params: Any) -> httpx.Response:
    return client.get(f"/v1/circuits/{job['id']}/{part}", params=params)


def histogram(client: httpx.Client, job: Json, **params: Any) -> Json:
    answer = ask(client, job, "histogram", **params)
    assert answer.status_code == 200, answer.text
    view: Json = answer.json()
    return view


def test_a_histogram_has_counts_probabilities_and_intervals(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker, name="bell")
    view = histogram(client, job)
    about = ("shots", "clbits", "bit_order", "key_format", "interval", "confidence", "index", "name")
    assert [view[each] for each in about] == [1000, 2, "little", "binary", "wilson", 0.95, 0, "bell"]
    assert view["counts"] == COUNTS
    assert view["probabilities"] == {"00": 0.507, "01": 0.003, "11": 0.49}
    assert [outcome["key"] for outcome in view["outcomes"]] == ["00", "11", "01"]
    assert all(outcome["low"] < outcome["probability"] < outcome["high"] for outcome in view["outcomes"])
    assert (view["other"], view["comparison"]) == (None, None)


def test_a_histogram_reads_from_either_end_and_sums_up_the_rest(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker, {"001": 600, "011": 300, "111": 100})
    view = histogram(client, job, bit_order="big", top=1)
    assert (view["bit_order"], view["counts"]) == ("big", {"100": 600})
    other = view["other"]
    assert (other["outcomes"], other["count"], other["probability"]) == (2, 400, 0.4)


@pytest.mark.parametrize(
    ("key_format", "bit_order", "keys"),
    [
        ("binary", "little", ["110", "000", "111"]),
        ("registers", "little", ["11 0", "00 0", "11 1"]),
        ("registers", "big", ["0 11", "0 00", "1 11"]),
        ("decimal", "little", ["6", "0", "7"]),
        ("decimal", "big", ["3", "0", "7"]),
        ("hex", "little", ["0x6", "0x0", "0x7"]),
    ],
)
def test_keys_are_written_as_asked_for(
    client: httpx.Client, worker: Worker, key_format: str, bit_order: str, keys: list[str]
) -> None:
    job = batch(client, worker, GHZ)
    view = histogram(client, job, key_format=key_format, bit_order=bit_order)
    assert list(view["counts"]) == [outcome["key"] for outcome in view["outcomes"]] == keys
    assert (view["key_format"], view["registers"]) == (key_format, GHZ["registers"])
    memory = ask(client, job, "memory", key_format=key_format, bit_order=bit_order).json()
    assert memory["memory"] == [keys[0], keys[1], keys[2], keys[0]]


def test_each_circuit_of_a_batch_has_its_own_results(client: httpx.Client, worker: Worker) -> None:
    other = results({"1": 10}, registers=[])
    job = batch(client, worker, GHZ, other)
    assert [histogram(client, job, index=index)["shots"] for index in (0, 1)] == [4, 10]
    assert histogram(client, job, index=1)["counts"] == {"1": 10}
    assert ask(client, job, "results", index=1).json() == other
    for part in ("histogram", "histogram.svg", "histogram.png", "results", "memory"):
        title = refused(ask(client, job, part, index=2), 404, "no_such_index")["title"]
        assert "2 circuits" in title


def test_counts_are_compared_with_the_ideal(client: httpx.Client, worker: Worker) -> None:
    job = batch(client, worker, GHZ, NOISY, BARE)
    comparison = histogram(client, job, compare="ideal")["comparison"]
    assert (comparison["with"], comparison["index"], comparison["shots"]) == ("ideal", None, None)
    assert comparison["total_variation"] == pytest.approx(0.5)
    assert comparison["fidelity"] == pytest.approx((2 * 0.125**0.5) ** 2)
    assert comparison["chi_square"]["p_value"] == 0
    assert "110 has probability 0" in comparison["chi_square"]["note"]
    first = {name: comparison["outcomes"][0][name] for name in ("key", "measured", "reference", "difference")}
    assert first == {"key": "000", "measured": 0.25, "reference": 0.5, "difference": -0.25}
    exact = histogram(client, job, index=1, compare="ideal")["comparison"]
    assert exact["total_variation"] == pytest.approx(0.3)
    problem = refused(ask(client, job, "histogram", index=2, compare="ideal"), 422, "no_ideal_distribution")
    assert problem["try"] == [{"outputs": ["counts", "probabilities"]}]


def test_counts_are_compared_with_another_job(client: httpx.Client, worker: Worker) -> None:
    ours, theirs = finished(client, worker), finished(client, worker, {"00": 400, "11": 600})
    comparison = histogram(client, ours, compare=theirs["id"])["comparison"]
    assert (comparison["with"], comparison["index"], comparison["shots"]) == (theirs["id"], 0, 1000)
    assert comparison["total_variation"] == pytest.approx(0.11)
    assert comparison["chi_square"]["p_value"] < 1e-4
    back = histogram(client, theirs, compare=ours["id"])["comparison"]
    assert back["hellinger_distance"] == pytest.approx(comparison["hellinger_distance"])
    with_itself = histogram(client, ours, compare=ours["id"])["comparison"]
    assert (with_itself["total_variation"], with_itself["chi_square"]["p_value"]) == (0, 1)


def test_what_cannot_be_compared_says_why(client: httpx.Client, worker: Worker, service: Service) -> None:
    job, wider = finished(client, worker), batch(client, worker, GHZ)
    queued = submit(client)
    for compare, status, code in (
        (wider["id"], 422, "different_outcomes"),
        (queued["id"], 409, "no_result_yet"),
        (f"job_{'0' * 32}", 404, "job_not_found"),
        ("ideal", 422, "no_ideal_distribution"),
    ):
        for part in ("histogram", "histogram.svg", "histogram.png"):
            problem = refused(ask(client, job, part, compare=compare), status, code)
            assert problem["errors"][0]["parameter"] == "compare"
    refused(ask(client, job, "histogram", compare=job["id"], compare_index=1), 404, "no_such_index")


def test_another_owners_job_is_not_compared_with(service: Service) -> None:
    mine, theirs = (service.connect(service.make_key(name)[1]) for name in ("mine", "theirs"))
    job, other = (finished(client, service.worker) for client in (mine, theirs))
    refused(ask(mine, job, "histogram", compare=other["id"]), 404, "job_not_found")
    assert ask(theirs, other, "histogram", compare=other["id"]).status_code == 200


def test_pictures_stand_alone(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker, name="<b>&\"'")
    for link in ("histogram_svg", "diagram"):
        answer = client.get(job["links"][link])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        root = ElementTree.fromstring(answer.text)  # noqa: S314  # our own answer
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "<b>" not in answer.text
    little, big = (
        client.get(job["links"]["histogram_svg"], params={"bit_order": order}) for order in ("little", "big")
    )
    assert "rightmost" in little.text
    assert "leftmost" in big.text


def test_the_png_is_the_svg_in_pixels(client: httpx.Client, worker: Worker) -> None:
    job = batch(client, worker, GHZ)
    for params in ({}, {"compare": "ideal", "key_format": "registers", "top": 2}):
        drawn = ElementTree.fromstring(ask(client, job, "histogram.svg", **params).text)  # noqa: S314  # our own
        answer = ask(client, job, "histogram.png", **params)
        assert answer.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(answer.content)) as image:
            image.load()
            assert [size / 2 for size in image.size] == [int(drawn.get(side, "")) for side in ("width", "height")]


@pytest.mark.parametrize("link", HISTOGRAMS)
def test_what_the_client_has_is_not_sent_again(client: httpx.Client, worker: Worker, link: str) -> None:
    job, other = finished(client, worker), finished(client, worker, {"00": 1})
    first = client.get(job["links"][link])
    again = client.get(job["links"][link], headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    beside = client.get(
        job["links"][link], params={"compare": other["id"]}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert beside.status_code == 200


def test_results_come_as_they_were_stored_whole_or_in_part(client: httpx.Client, worker: Worker) -> None:
    job = batch(client, worker, GHZ)
    whole = client.get(job["links"]["results"])
    assert whole.json() == {"bit_order": "little", "circuits": [GHZ]}
    assert (whole.headers["content-type"], whole.headers["etag"]) == ("application/json", f'"{sha256(whole.content)}"')
    part = client.get(job["links"]["results"], headers={"Range": "bytes=1-11"})
    assert (part.status_code, part.content) == (206, b'"bit_order"')
    assert ask(client, job, "results", index=0).json() == GHZ


def test_small_results_that_lie_in_the_ledger_are_read_like_any_other(client: httpx.Client, worker: Worker) -> None:
    job = submit(client)
    held = worker.claim(Queue.CIRCUITS)
    content = json.dumps({"bit_order": "little", "circuits": [GHZ]}).encode()
    about = {"media_type": "application/json", "size": len(content), "sha256": sha256(content)}
    made = Artifact(kind="results", name="results.json", content=content, **about)
    worker.database.write(lambda connection: attempts.publish(connection, held, made))
    worker.finish(held, {})
    assert histogram(client, job)["counts"] == {"110": 2, "000": 1, "111": 1}
    whole = client.get(job["links"]["results"])
    assert (whole.content, whole.headers["etag"]) == (content, f'"{sha256(content)}"')


def test_the_memory_comes_as_json_or_as_lines(client: httpx.Client, worker: Worker) -> None:
    job = batch(client, worker, GHZ)
    view = ask(client, job, "memory").json()
    assert view == {
        "index": 0,
        "shots": 4,
        "clbits": 3,
        "bit_order": "little",
        "key_format": "binary",
        "memory": GHZ["memory"],
    }
    lines = ask(client, job, "memory", format="text", bit_order="big")
    assert lines.headers["content-type"] == "text/plain; charset=utf-8"
    assert lines.text == "011\n000\n111\n011\n"
    problem = refused(ask(client, finished(client, worker), "memory"), 404, "no_memory")
    assert problem["try"] == [{"outputs": ["counts", "memory"]}]


def test_a_diagram_that_the_client_has_is_not_sent_again(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker)
    first = client.get(job["links"]["diagram"])
    assert first.headers["etag"] == f'"{sha256(first.content)}"'
    again = client.get(job["links"]["diagram"], headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("link", LINKS)
def test_a_job_without_a_result_says_so(client: httpx.Client, link: str) -> None:
    job = submit(client)
    problem = refused(client.get(job["links"][link]), 409, "no_result_yet")
    assert problem["try"][0] == {"method": "GET", "path": job["links"]["self"], "headers": {"Prefer": "wait=60"}}
    client.post(f"{job['links']['self']}/pause")
    resume = refused(client.get(job["links"][link]), 409, "no_result_yet")["try"][0]
    assert client.request(resume["method"], resume["path"]).json()["status"] == "queued"
    client.post(f"{job['links']['self']}/cancel")
    anew = refused(client.get(job["links"][link]), 409, "no_result")["try"][0]
    assert client.get(anew["path"]).json()["circuit"] == BELL["circuit"]


def test_what_a_failed_job_left_points_to_why_it_failed(client: httpx.Client, worker: Worker) -> None:
    job = submit(client)
    held = worker.claim(Queue.CIRCUITS)
    worker.database.write(lambda connection: attempts.fail(connection, held, Problem("qasm_invalid", "No.")))
    problem = refused(client.get(job["links"]["results"]), 409, "no_result")
    assert client.get(problem["try"][0]["path"]).json()["error"]["code"] == "qasm_invalid"


@pytest.mark.parametrize("link", LINKS)
def test_a_job_that_published_nothing_has_nothing_to_show(client: httpx.Client, worker: Worker, link: str) -> None:
    job = submit(client)
    worker.finish(worker.claim(Queue.CIRCUITS), {})
    refused(client.get(job["links"][link]), 404, "not_found")


@pytest.mark.parametrize("link", LINKS)
def test_results_whose_bytes_are_gone_say_so(client: httpx.Client, worker: Worker, service: Service, link: str) -> None:
    job = finished(client, worker)
    service.front.store.delete("jobs")
    refused(client.get(job["links"][link]), 410, "content_gone")


def test_results_too_large_to_be_read_here_can_be_fetched(
    client: httpx.Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finished(client, worker)
    monkeypatch.setattr(stored_results, "MAX_READABLE_BYTES", 10)
    for link in HISTOGRAMS:
        problem = refused(client.get(job["links"][link]), 422, "results_too_large")
        assert problem["try"] == [{"method": "GET", "path": job["links"]["results"]}]
    assert client.get(job["links"]["results"]).status_code == 200


@pytest.mark.parametrize(
    ("link", "query", "parameter"),
    [
        ("histogram", "bit_order=middle", "bit_order"),
        ("histogram", "key_format=octal", "key_format"),
        ("histogram", "interval=wald", "interval"),
        ("histogram", "compare=perfect", "compare"),
        ("histogram", "compare=ideal%0A", "compare"),
        ("histogram", "index=-1", "index"),
        ("histogram", "compare_index=x", "compare_index"),
        ("histogram", "top=0", "top"),
        ("histogram", "top=65537", "top"),
        ("histogram", "top=many", "top"),
        ("histogram_svg", "top=65", "top"),
        ("histogram_png", "top=65", "top"),
        ("histogram_svg", "bit_order=", "bit_order"),
        ("results", "index=100000", "index"),
    ],
)
def test_a_wrong_question_names_its_parameter(
    client: httpx.Client, worker: Worker, link: str, query: str, parameter: str
) -> None:
    job = finished(client, worker)
    problem = refused(client.get(f"{job['links'][link]}?{query}"), 422, "validation_failed")
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    assert "pointer" not in problem


def test_a_distillation_is_no_circuit(client: httpx.Client) -> None:
    job = client.post("/v1/distillations", json=DIGITS).json()
    for part in ("histogram", "histogram.svg", "histogram.png", "results", "memory", "diagram.svg"):
        refused(ask(client, job, part), 404, "job_not_found")
