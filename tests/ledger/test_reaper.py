"""What every process does now and then, on SQLite and on PostgreSQL."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from ledger import attempts, requests, rows
from ledger.database import Database, now
from ledger.reaper import reap
from ledger.requests import NewJob
from ledger.store.folder import FolderStore
from ledger.tables import jobs, trash, turns
from qstill.contract.kinds import CIRCUIT, DISTILLATION, Kind


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def submit(database: Database, kind: Kind = CIRCUIT) -> str:
    new = NewJob(kind=kind, owner="ada", spec={}, max_attempts=2)
    return database.write(lambda connection: requests.submit(connection, new))[0].id


def reaped(database: Database, store: FolderStore) -> list[str]:
    """The queues that one round wakes."""
    waked: list[str] = []
    reap(database, store, waked.append)
    return sorted(waked)


def test_each_round_wakes_the_queues_that_wait_once(database: Database, store: FolderStore) -> None:
    for _ in range(3):
        submit(database)
    submit(database, DISTILLATION)
    assert reaped(database, store) == reaped(database, store) == ["circuits", "distillation"]


def test_a_job_that_must_wait_wakes_nobody(database: Database, store: FolderStore) -> None:
    submit(database)
    database.write(lambda connection: connection.execute(update(jobs).values(not_before=now() + 60)))
    assert reaped(database, store) == []


def test_who_has_nothing_queued_is_forgotten_and_comes_again_as_anybody(database: Database, store: FolderStore) -> None:
    submit(database)
    reaped(database, store)
    assert waiting(database) == ["ada"]
    database.write(lambda connection: attempts.claim(connection, "circuits", "w", 30))
    reaped(database, store)
    assert waiting(database) == []
    submit(database)
    assert database.write(lambda connection: attempts.claim(connection, "circuits", "w", 30)) is not None


def waiting(database: Database) -> list[str]:
    """The owners who take turns."""
    return list(database.read(lambda connection: connection.scalars(select(turns.c.owner)).all()))


def test_a_lost_job_is_queued_again_and_its_queue_woken(database: Database, store: FolderStore) -> None:
    job_id = submit(database)
    database.write(lambda connection: attempts.claim(connection, "circuits", "w", -1))
    assert reaped(database, store) == ["circuits"]
    row = database.read(lambda connection: connection.execute(select(jobs)).one())
    assert (row.id, row.status, row.worker) == (job_id, "queued", None)


def test_the_trash_is_emptied(database: Database, store: FolderStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"weights")
    for path in ("jobs/a/1/checkpoint/student", "jobs/a/2/state/state", "files/b", "files/kept"):
        store.put(source, path)
    for path in ("jobs/a", "files/b", "files/never-was"):
        database.write(lambda connection, path=path: rows.discard(connection, path))
    reaped(database, store)
    assert sorted(str(place.relative_to(store.root)) for place in store.root.rglob("*") if place.is_file()) == [
        "files/kept"
    ]
    assert database.read(lambda connection: connection.scalars(select(trash.c.path)).all()) == []
