"""What came of a distillation over HTTP: report, card, pictures, exports. The worker computes nothing."""

import json
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from qstill.contract.answers.artifacts import SplitView
from qstill.contract.kinds import Queue
from tests.testing.in_process import BELL, DIGITS, Json, Service, Worker, refused, running, sha256
from tests.testing.stored_report import document

ONNX = bytes(range(256)) * 10


def finished(client: httpx.Client, worker: Worker, report: Json | None = None, **exports: bytes) -> Json:
    """A finished distillation."""
    job: Json = client.post("/v1/distillations", json=DIGITS).json()
    held = worker.claim(Queue.DISTILLATION)
    for name, content in exports.items():
        worker.publish(held, "export", f"{name}.onnx", content, format="onnx", accuracy=0.5)
    worker.publish(held, "report", "report.json", json.dumps(document() if report is None else report).encode())
    worker.finish(held, {})
    return job


def test_the_card_is_markdown_and_is_not_sent_again(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker)
    answer = client.get(job["links"]["card"])
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text.startswith("# Model card: digits\n")
    again = client.get(job["links"]["card"], headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("plot", ["curves", "reliability", "per_class", "pareto"])
def test_the_pictures_are_svg(client: httpx.Client, worker: Worker, plot: str) -> None:
    job = finished(client, worker)
    answer = client.get(f"/v1/distillations/{job['id']}/plots/{plot}.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<svg ")


def test_what_is_no_picture_is_refused(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker)
    refused(client.get(f"/v1/distillations/{job['id']}/plots/other.svg"), 422, "validation_failed")


@pytest.mark.parametrize("part", ["report.md", "plots/curves.svg"])
def test_before_the_end_and_of_old_reports_there_is_neither_card_nor_picture(
    client: httpx.Client, worker: Worker, part: str
) -> None:
    job = client.post("/v1/distillations", json=DIGITS).json()
    refused(client.get(f"/v1/distillations/{job['id']}/{part}"), 409, "no_result_yet")
    worker.run_distillation()
    refused(client.get(f"/v1/distillations/{job['id']}/{part}"), 409, "no_card")
    circuit = client.post("/v1/circuits", json=BELL).json()
    refused(client.get(f"/v1/distillations/{circuit['id']}/{part}"), 404, "job_not_found")


def test_a_recommender_has_a_card_and_pictures_of_its_own(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker, recommender())
    answer = client.get(job["links"]["card"])
    assert answer.text.startswith("# Model card: films\n")
    for said in ("**BEATS**", "+2.00 hundredths, 95% interval +1.00 to +3.00", "| NDCG@10 | 0.5000 |", "| tail | 35 |"):
        assert said in answer.text
    assert "(plots/ranking.svg)" in answer.text
    assert "(plots/curves.svg)" in answer.text
    curves, ranking = (client.get(f"/v1/distillations/{job['id']}/plots/{plot}.svg") for plot in ("curves", "ranking"))
    assert "Validation NDCG@10" in curves.text
    for said in ("Verdict: BEATS", "+2.00  (+1.00 to +3.00)", "the most popular items", "Hit@10, others"):
        assert said in ranking.text
    for picture in (curves, ranking):
        assert picture.headers["content-type"] == "image/svg+xml"
        ElementTree.fromstring(picture.text)  # noqa: S314 - our own
    for plot in ("pareto", "reliability", "per_class", "compression"):
        refused(client.get(f"/v1/distillations/{job['id']}/plots/{plot}.svg"), 404, "nothing_to_draw")
    nothing = {"verdict": None, "gain": None, "baseline": None, "curves": {}}
    without = finished(client, worker, recommender() | nothing | {"paired_differences_in_points": {"ndcg": None}})
    assert "was not asked" in client.get(without["links"]["card"]).text
    assert "curves.svg" not in client.get(without["links"]["card"]).text
    refused(client.get(f"/v1/distillations/{without['id']}/plots/curves.svg"), 404, "nothing_to_draw")
    assert "Verdict" not in client.get(f"/v1/distillations/{without['id']}/plots/ranking.svg").text
    old = finished(client, worker, {"by_popularity": []})
    refused(client.get(old["links"]["card"]), 409, "no_card")


def test_a_classifier_is_not_ranked(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker)
    refused(client.get(f"/v1/distillations/{job['id']}/plots/ranking.svg"), 404, "nothing_to_draw")


def recommender() -> Json:
    """A recommender's report, as a worker writes it."""
    spread = {"mean": 0.5, "sd": None}
    run = {"seed": 0, "epoch": 1, "validation_ndcg": 0.1, "ndcg": 0.5, "hit": 0.5, "mrr": 0.5}
    run |= {"overlap": 0.5, "coverage": 0.5, "sampled": None}
    arm = {"summary": dict.fromkeys(("ndcg", "hit", "mrr", "overlap", "coverage"), spread), "runs": [run], "cost": None}
    hits = {"teacher": 0.1, "student": None, "baseline": 0.1, "change_in_points": None}
    network = {"kind": "matrix_factorisation", "dimensions": 2}
    return {
        "measure": "ndcg@10",
        "verdict": "BEATS",
        "gain": {"points": 2.0, "low": 1.0, "high": 3.0},
        "teacher": arm,
        "student": arm,
        "baseline": arm,
        "popularity": {"ndcg": 0.1, "hit": 0.2, "mrr": 0.1},
        "paired_differences_in_points": {"ndcg": {"mean": 2.0, "low": 1.0, "high": 3.0, "differences": [2.0]}},
        "curves": {f"{role}-seed-0": [{"epoch": 1, "loss": 0.7, "validation_ndcg": 0.1}] for role in ("student",)},
        "by_popularity": [{"items_of": "tail", "items": 35, "tested": 67, **hits}],
        "exports": [],
        "notes": ["A note."],
        "rows": {"users": 120, "items": 60, "train": 900, "validation": 120, "test": 120, "cold": 0},
        "digests": {"data": "0" * 64, "teacher": "0" * 64},
        "soft_gradient_norm": 1.0,
        "seed": 0,
        "checkpoints": 3,
        "student_sha256": "0" * 64,
        "seconds": 2.0,
        "versions": {"torch": "2.13.0"},
        "job": {
            "name": "films",
            "dataset": {"source": "synthetic_interactions"},
            "teacher": {"source": "train", "architecture": network},
            "student": {"architecture": network},
            "objective": {"kind": "rrd"},
            "training": {"seed": 0},
            "evaluation": {"k": 10},
        },
    }


def test_a_card_names_uploaded_data_as_its_owner_does_while_it_is_there(client: httpx.Client, worker: Worker) -> None:
    file = client.post("/v1/files?purpose=dataset&name=own.csv", content=b"a,b\n1,2\n").json()
    told = document()
    told["job"]["dataset"] = {"source": "file", "file": file["id"], "standardise": "none"}
    card = finished(client, worker, told)["links"]["card"]
    assert "own\\.csv: 100 rows" in client.get(card).text
    assert client.delete(file["links"]["self"]).status_code == 204
    assert file["id"].replace("_", "\\_") in client.get(card).text


def test_exports_are_listed_and_sent_in_parts(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker, student=ONNX)
    page = client.get(job["links"]["exports"]).json()
    [found] = page["data"]
    assert (found["name"], found["bytes"], found["sha256"]) == ("student.onnx", len(ONNX), sha256(ONNX))
    assert found["meta"] == {"format": "onnx", "accuracy": 0.5}
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("student.onnx", "student.onnx", False)
    link = found["links"]["content"]
    whole = client.get(link)
    assert (whole.content, whole.headers["etag"]) == (ONNX, f'"{sha256(ONNX)}"')
    assert "repr-digest" in whole.headers
    part = client.get(link, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, ONNX[100:200])
    assert client.get(link, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("name", ["other.onnx", "report.json"])
def test_only_exports_are_exports(client: httpx.Client, worker: Worker, name: str) -> None:
    job = finished(client, worker, student=ONNX)
    refused(client.get(f"{job['links']['exports']}/{name}"), 404, "export_not_found")


def test_which_rows_were_for_the_test_is_told(client: httpx.Client, worker: Worker) -> None:
    split = {"object": "split", "digest": "0" * 64, "unit": "rows", "rows": 5, "train": [0, 4], "validation": [1]}
    split |= {"test": [2, 3], "labelled": [4], "learned": [0, 4]}
    job: Json = client.post("/v1/distillations", json=DIGITS).json()
    refused(client.get(job["links"]["split"]), 409, "no_result_yet")
    held = worker.claim(Queue.DISTILLATION)
    worker.publish(held, "report", "split.json", json.dumps(split).encode())
    worker.finish(held, {})
    answer = client.get(job["links"]["split"])
    assert (answer.headers["content-type"], answer.json()) == ("application/json", split)
    assert SplitView.model_validate(split).model_dump(mode="json") == split
    again = client.get(job["links"]["split"], headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_job_without_a_list_of_rows_says_so(client: httpx.Client, worker: Worker) -> None:
    refused(client.get(finished(client, worker)["links"]["split"]), 404, "split_not_found")


def test_a_job_that_exports_nothing_has_no_exports(client: httpx.Client, worker: Worker) -> None:
    assert client.get(finished(client, worker)["links"]["exports"]).json()["data"] == []


def test_what_came_of_a_job_belongs_to_its_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("reading") / "data") as service:
        ada, eve = two(service)
        job = finished(ada, service.worker, student=ONNX)
        for part in ("report", "report.md", "plots/pareto.svg", "exports", "exports/student.onnx"):
            assert ada.get(f"/v1/distillations/{job['id']}/{part}").status_code == 200
            refused(eve.get(f"/v1/distillations/{job['id']}/{part}"), 404, "job_not_found")


def two(service: Service) -> Any:
    return (service.connect(service.make_key(name)[1]) for name in ("ada", "eve"))


@pytest.mark.parametrize("wanted", [["pickle"], ["onnx", "onnx", "onnx"], "onnx"])
def test_a_format_that_is_none_is_refused(client: httpx.Client, wanted: Any) -> None:
    refused(client.post("/v1/distillations", json=DIGITS | {"export": wanted}), 422, "validation_failed")
