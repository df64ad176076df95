"""What a worker that is woken does: it works until nothing is left, and wakes others where there may be more."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger import attempts, requests
from ledger.database import Database
from ledger.requests import NewJob
from ledger.settings import Settings
from ledger.store.folder import FolderStore
from ledger.tables import jobs
from qstill.contract.kinds import CIRCUIT, CIRCUIT_QUESTION, Engine, Kind, Queue
from tests.workers.test_supervise import DONE, STOPPED, Script
from workers.children import Child, Nursery
from workers.supervise import House
from workers.wakeup import drain


class Scripted(Nursery):
    """Lends what a function makes."""

    def __init__(self, make: Callable[[], Child]) -> None:
        self._make = make

    @contextlib.contextmanager
    def lend(self, engine: Engine) -> Iterator[Child]:
        yield self._make()


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    settings = Settings(data_dir=tmp_path, cancel_poll_seconds=0)
    return House(settings=settings, database=database, store=FolderStore(tmp_path / "store"), worker="w")


def submit(house: House, count: int, kind: Kind = CIRCUIT) -> None:
    for _ in range(count):
        new = NewJob(kind=kind, owner="ada", spec={})
        house.database.write(lambda connection, new=new: requests.submit(connection, new))


def statuses(house: House) -> list[str]:
    return list(house.database.read(lambda connection: connection.scalars(select(jobs.c.status)).all()))


def waked(house: House, make: Callable[[], Child], queue: str = Queue.CIRCUITS) -> list[str]:
    """The queues that a worker wakes while it drains one."""
    found: list[str] = []
    drain(house, queue, Scripted(make), found.append)
    return found


def test_who_finds_a_job_passes_the_wake_up_on_once_and_works_until_none_is_left(house: House) -> None:
    submit(house, 3)
    assert waked(house, lambda: Script(DONE)) == [Queue.CIRCUITS]
    assert statuses(house) == ["succeeded"] * 3


def test_who_finds_nothing_wakes_nobody(house: House) -> None:
    assert waked(house, lambda: Script(DONE)) == []


def test_who_is_told_to_stop_takes_no_more_and_wakes_another_for_what_is_left(house: House) -> None:
    submit(house, 2)
    assert waked(house, lambda: Script(house.draining.set, None, STOPPED)) == [Queue.CIRCUITS, Queue.CIRCUITS]
    assert statuses(house) == ["queued"] * 2


def test_a_key_that_has_as_many_questions_as_it_may_has_to_wait_and_jobs_do_not(house: House) -> None:
    most = house.settings.questions_per_owner
    for kind in (CIRCUIT_QUESTION, CIRCUIT):
        submit(house, most + 1, kind)
        for _ in range(most):
            held = house.database.write(
                lambda connection, kind=kind: attempts.claim(connection, kind.queue, "other", 30)
            )
            assert held is not None
    assert waked(house, lambda: Script(DONE), Queue.QUESTIONS) == []
    assert waked(house, lambda: Script(DONE), Queue.CIRCUITS) == [Queue.CIRCUITS]
