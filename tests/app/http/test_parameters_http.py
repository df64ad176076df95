"""A query parameter that an endpoint does not have is refused, and nothing happens."""

import httpx
import pytest

from app.ionq.endpoints.router import PREFIX as IONQ
from tests.testing.in_process import BELL, refused

NOBODY = f"job_{'0' * 32}"


@pytest.mark.parametrize(
    ("method", "path", "parameter", "said"),
    [
        ("POST", "/v1/circuits?dryrun=true", "dryrun", "Did you mean `dry_run`?"),
        ("POST", "/v1/circuits?dry_run=true&DRY_RUN=true", "DRY_RUN", "Did you mean `dry_run`?"),
        ("POST", "/v1/circuits/estimate?to=json", "to", "There are none here."),
        ("GET", "/v1/jobs?foo=bar", "foo", "Known here: kind, status, label, after, before, limit."),
        ("GET", "/v1/jobs?limit=3&=1", "", "There is no query parameter ``."),
        ("GET", f"/v1/circuits/{NOBODY}/histogram?bitorder=big", "bitorder", "Did you mean `bit_order`?"),
        ("GET", "/v1/circuits/templates?page=2", "page", "There are none here."),
        ("GET", "/v1/files?Limit=3", "Limit", "Did you mean `limit`?"),
    ],
)
def test_an_unknown_parameter_is_named_with_those_that_there_are(
    client: httpx.Client, method: str, path: str, parameter: str, said: str
) -> None:
    problem = refused(client.request(method, path, json=BELL if method == "POST" else None), 422, "unknown_parameter")
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    assert said in problem["title"]
    assert client.get("/v1/jobs").json()["data"] == []


def test_a_parameter_that_a_dependency_reads_is_known(client: httpx.Client) -> None:
    answer = client.get(f"/v1/circuits/{NOBODY}/histogram", params={"compare": "ideal", "top": "3", "bit_order": "big"})
    refused(answer, 404, "job_not_found")


def test_a_long_name_is_not_sent_back(client: httpx.Client) -> None:
    answer = client.get("/v1/jobs", params={"x" * 10_000: "1"})
    refused(answer, 422, "unknown_parameter")
    assert len(answer.content) < 3_000


@pytest.mark.parametrize("path", [f"{IONQ}/backends?whatever=1", "/livez?probe=7"])
def test_other_clients_and_probes_may_send_more(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200
