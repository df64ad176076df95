"""/livez, /readyz and /metrics, and the address of a service in use."""

import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from app.http.health import SCHEMA, database_trouble
from ledger.database import Database
from ledger.migrations import migrate
from qstill import __version__
from tests.testing.in_process import BELL, DIGITS, Service, Worker

SAMPLE = re.compile(r'qstill_jobs\{kind="(\w+)",status="(\w+)"\} (\d+)')


def test_a_live_process_says_which_version_it_is(client: httpx.Client) -> None:
    answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": __version__})


def test_a_service_with_its_schema_is_ready(client: httpx.Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": __version__})


def test_a_service_without_its_schema_is_alive_and_not_ready(service: Service) -> None:
    service.front.database.write(lambda connection: connection.execute(text("DROP TABLE alembic_version")))
    answer = service.client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert "qstill migrate" in answer.json()["database"]
    assert str(service.settings.data_dir) not in answer.text
    assert service.client.get("/livez").status_code == 200


def test_a_service_of_another_schema_is_not_ready(service: Service) -> None:
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    service.front.database.write(lambda connection: connection.execute(newer))
    answer = service.client.get("/readyz")
    assert answer.status_code == 503
    assert "9999" in answer.json()["database"]
    assert SCHEMA in answer.json()["database"]


def test_a_database_in_order_gives_no_trouble(database: Database) -> None:
    assert database_trouble(database) is None


def test_a_database_that_cannot_be_opened_is_trouble_without_its_address(tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'secret.db'}")
    trouble = database_trouble(away)
    away.close()
    assert trouble is not None
    assert "secret" not in trouble


def test_the_schema_that_the_code_wants_is_the_one_that_migrations_make(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(database)
    migrate(database)  # again changes nothing
    assert database_trouble(database) is None
    database.close()


def test_metrics_count_jobs_by_kind_and_status(client: httpx.Client, worker: Worker) -> None:
    assert client.get("/metrics").text.count("\n") == 2
    for _ in range(3):
        client.post("/v1/circuits", json=BELL)
    client.post("/v1/distillations", json=DIGITS)
    worker.run_circuit({"0": 1})
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.endswith("\n")
    comments, samples = answer.text.splitlines()[:2], answer.text.splitlines()[2:]
    assert comments == ["# HELP qstill_jobs Jobs in the ledger.", "# TYPE qstill_jobs gauge"]
    assert {SAMPLE.fullmatch(line).groups() for line in samples} == {  # type: ignore[union-attr]
        ("circuit", "queued", "2"),
        ("circuit", "succeeded", "1"),
        ("distillation", "queued", "1"),
    }


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_watching_a_process_needs_no_key_and_no_local_name(service: Service, path: str) -> None:
    service.make_key("ada")
    assert service.client.get(path, headers={"Host": "qstill.internal:8400"}).status_code == 200
