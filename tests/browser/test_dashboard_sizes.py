"""The dashboard beside more than anybody reads: tens of thousands of jobs, and of events of one."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select, update

from ledger.tables import events, jobs
from tests.testing.in_process import BELL, Listening, listening

pytestmark = [pytest.mark.service, pytest.mark.timeout(400)]

MANY = 20_000
AT_ONCE = 5_000

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    with listening(tmp_path_factory.mktemp("many") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def oldest(service: Listening) -> str:
    """The first of many finished jobs: copies of one, each with an id of its own."""
    made = httpx.post(f"{service.url}/v1/circuits", json=BELL | {"name": "the first"}).json()["id"]
    service.worker.run_circuit({"00": 507, "11": 493})
    first = int(made.removeprefix("job_"), 16)
    with service.front.database.engine.begin() as connection:
        row = connection.execute(select(jobs).where(jobs.c.id == made)).one()._asdict()
        for start in range(1, MANY, AT_ONCE):
            copies = [row | {"id": f"job_{first + n:032x}", "name": f"copy {n}"} for n in range(start, start + AT_ONCE)]
            connection.execute(insert(jobs), copies)
        told = [
            {"job_id": made, "seq": n, "kind": "epoch", "data": {"epoch": n}, "created_at": row["created_at"]}
            for n in range(row["last_event"] + 1, MANY)
        ]
        last = told[-1] | {"seq": MANY, "kind": "succeeded", "data": {}}
        for start in range(0, MANY, AT_ONCE):
            connection.execute(insert(events), [*told, last][start : start + AT_ONCE])
        connection.execute(update(jobs).where(jobs.c.id == made).values(last_event=MANY))
    return str(made)


def test_of_many_jobs_only_those_in_sight_are_in_the_page(service: Listening, oldest: str, open_page: Open) -> None:
    page = open_page(f"{service.url}/")
    expect(page.get_by_text(f"copy {MANY - 1}", exact=True)).to_be_visible()
    lines = page.locator("[role=row]")
    for _ in range(12):
        known = page.evaluate("document.documentElement.scrollHeight")
        page.mouse.wheel(0, 1_000_000)
        page.wait_for_function("known => document.documentElement.scrollHeight > known", arg=known)
        assert lines.count() < 60
    numbers = [int(row.get_attribute("aria-rowindex") or 0) for row in lines.all()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[-1] > 500
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(5_000)
    assert 1 <= len(asked) <= 4  # the page in sight, every two seconds
    page.keyboard.press("Home")
    expect(page.get_by_text(f"copy {MANY - 1}", exact=True)).to_be_visible()


def test_of_many_events_the_latest_thousands_are_asked_for(service: Listening, oldest: str, open_page: Open) -> None:
    page = open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{service.url}/jobs/{oldest}")
    page.get_by_text("Events", exact=True).click()
    expect(page.get_by_role("cell", name=str(MANY), exact=True)).to_be_visible()
    assert page.get_by_role("row").count() < 250
    assert [url.partition("?")[2] for url in asked if "/events" in url] == [f"after={MANY - 5_000}"]
