"""What the service itself does wrong: said without details, and without harm to others."""

import logging

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from ledger import queries
from tests.testing.in_process import BELL, Listening, Service, refused, until

SECRET = "postgresql://qstill:hunter2@db/ledger"


def broken(*_: object, **__: object) -> None:
    raise RuntimeError(SECRET)


def test_a_failure_is_logged_and_its_details_stay_here(
    on_the_wire: Listening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(queries, "list_jobs", broken)
    answer = httpx.get(f"{on_the_wire.url}/v1/jobs")
    refused(answer, 500, "internal_error")
    assert "hunter2" not in answer.text + str(answer.headers)
    assert "RuntimeError" not in answer.text
    [record] = [record for record in caplog.records if record.name == "app.http.refusals.problems"]
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "GET /v1/jobs failed")
    monkeypatch.undo()
    assert httpx.get(f"{on_the_wire.url}/v1/jobs").status_code == 200


def test_a_database_that_does_not_answer_is_a_503_that_says_when_to_come_again(
    service: Service, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, ConnectionError(SECRET))

    monkeypatch.setattr(queries, "list_jobs", away)
    answer = client.get("/v1/jobs")
    refused(answer, 503, "database_unavailable")
    assert answer.headers["retry-after"] == "2"
    assert "hunter2" not in answer.text


def test_a_database_that_is_away_for_a_while_strands_nobody_who_waits(
    on_the_wire: Listening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job = httpx.post(f"{on_the_wire.url}/v1/circuits", json=BELL).json()
    url = f"{on_the_wire.url}{job['links']['events']}"
    with httpx.stream("GET", url, headers={"Accept": "text/event-stream"}) as answer:
        monkeypatch.setattr("app.http.tailer.standings", broken)
        until(lambda: any("could not read the ledger" in record.message for record in caplog.records))
        monkeypatch.undo()
        on_the_wire.worker.run_circuit({"0": 1})
        assert "event: succeeded" in answer.read().decode()
