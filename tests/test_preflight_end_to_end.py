"""A preflight through real processes, from the command line too: what is there, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner

from app.cli.main import main
from tests.testing.service import Service, running, wait_for

BODY = {
    "dataset": {"source": "builtin", "name": "iris", "labelled": 12},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [16]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
    "training": {"epochs": 40, "batch_size": 16},
}

pytestmark = [pytest.mark.service, pytest.mark.timeout(300), pytest.mark.xdist_group("preflight")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("preflight") / "data") as service:
        yield service


def asked(service: Service, folder: Path, **changes: object) -> tuple[int, str, str]:
    """(exit status, its JSON, what it says to people) of `qstill preflight`."""
    place = folder / "job.json"
    place.write_text(json.dumps(BODY | changes))
    command = ["preflight", str(place), "--server", service.address]
    ran, told = CliRunner().invoke(main, [*command, "--json"]), CliRunner().invoke(main, command)
    for each in (ran, told):
        assert each.exception is None or isinstance(each.exception, SystemExit | click.ClickException)
    return ran.exit_code, ran.stdout, told.output


def test_it_is_answered_in_seconds_and_leaves_nothing(service: Service, tmp_path: Path) -> None:
    status, said, told = asked(service, tmp_path, evaluation={"seeds": 1})
    found = json.loads(said)
    assert (status, found["object"], found["shapes"]["classes"]) == (0, "preflight", 3)
    assert 0 < found["time"]["total"]["expected"] < 120
    assert "one_seed" in {advice["code"] for advice in found["advice"]}
    assert "try /evaluation/seeds: 3" in told
    assert service.client.get("/v1/jobs")["data"] == []


def test_it_is_answered_while_every_worker_trains(service: Service, tmp_path: Path) -> None:
    client = service.client
    training = client.submit(BODY | {"training": {"epochs": 10_000, "batch_size": 16}})
    wait_for(client, training, "running")
    status, said, _ = asked(service, tmp_path)
    assert (status, json.loads(said)["object"]) == (0, "preflight")
    assert client.get(training["links"]["self"])["status"] == "running"
    httpx.post(f"{service.address}/v1/jobs/{training['id']}/cancel")
    wait_for(client, training, "cancelled")
    httpx.delete(f"{service.address}/v1/jobs/{training['id']}")


def test_a_bad_file_is_refused_as_the_job_would_be(service: Service, tmp_path: Path) -> None:
    params = {"purpose": "dataset", "name": "torn.csv"}
    file = httpx.post(f"{service.address}/v1/files", params=params, content=b"a,kind\n1,x\n2\n")
    status, _, told = asked(service, tmp_path, dataset={"source": "file", "file": file.json()["id"]})
    assert status == 1
    assert "Row 1 has 1 columns" in told
    assert "(dataset_invalid)" in told
