"""The SQL of the IonQ door, on SQLite and on PostgreSQL."""

import pytest
from sqlalchemy import select, update

from app.ionq import records
from app.ionq.records import Wanted
from ledger import attempts, requests
from ledger.attempts import Claim
from ledger.database import Database, now
from ledger.requests import NewJob
from ledger.tables import ionq_jobs, ionq_sessions, jobs
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT
from qstill.contract.status import Status

NEW = NewJob(kind=CIRCUIT, owner="ada", spec={})


def submit(database: Database, backend: str = "simulator", session: str | None = None) -> str:
    made, _ = database.write(
        lambda connection: requests.submit(
            connection,
            NEW,
            also=lambda connection, job: records.keep(connection, job.id, backend, session, {"name": "bell"}),
        )
    )
    return str(made.id)


def claim(database: Database) -> Claim:
    held = database.write(lambda connection: attempts.claim(connection, "circuits", "worker", 30))
    assert held is not None
    return held


def found(database: Database, wanted: Wanted, limit: int = 10) -> list[str]:
    return [row.id for row in database.read(lambda connection: records.find(connection, "ada", wanted, limit))]


def test_jobs_are_found_by_all_that_is_asked_for(database: Database) -> None:
    first, second, third = submit(database), submit(database, "qpu.aria-1"), submit(database, session="session_1")
    database.write(lambda connection: records.cancel(connection, "ada", second))
    assert found(database, Wanted()) == [third, second, first]
    assert found(database, Wanted(), limit=1) == [third]
    assert found(database, Wanted(after=third)) == [second, first]
    assert found(database, Wanted(status=[Status.CANCELLED])) == [second]
    assert found(database, Wanted(status=[])) == []
    assert found(database, Wanted(ids=[first, "x"])) == [first]
    assert found(database, Wanted(backend="qpu.aria-1")) == [second]
    assert found(database, Wanted(session_id="session_1")) == [third]
    assert database.read(lambda connection: records.find(connection, "eve", Wanted(), 10)) == []
    row = database.read(lambda connection: records.get(connection, "ada", first))
    assert (row.request, row.backend, row.status) == ({"name": "bell"}, "simulator", "queued")


def test_what_runs_is_deleted_once_it_has_let_go(database: Database) -> None:
    running = submit(database)
    held = claim(database)
    waiting = submit(database)
    removed, letting_go = database.write(
        lambda connection: records.remove(connection, "ada", [running, waiting, "nonsense"])
    )
    assert (set(removed), [row.id for row in letting_go]) == ({running, waiting}, [running])
    database.write(lambda connection: records.purge(connection, "ada"))
    assert database.read(lambda connection: connection.scalars(select(jobs.c.id)).all()) == [running]
    assert found(database, Wanted()) == []
    database.write(lambda connection: attempts.release(connection, held))
    database.write(lambda connection: records.purge(connection, "ada"))
    for table in (jobs, ionq_jobs):
        assert database.read(lambda connection, table=table: connection.execute(select(table)).all()) == []  # type: ignore[misc]


def test_the_queue_is_as_slow_as_it_was_lately(database: Database) -> None:
    assert database.read(records.queue_seconds) == 0
    submit(database)
    claim(database)
    database.write(lambda connection: connection.execute(update(jobs).values(created_at=jobs.c.started_at - 2)))
    assert database.read(records.queue_seconds) == pytest.approx(2, abs=1e-3)


def test_a_session_ends_when_its_time_is_over(database: Database) -> None:
    limits = {"duration_limit_min": 5}
    session = database.write(lambda connection: records.open_session(connection, "ada", "simulator", limits))
    database.write(lambda connection: records.enter_session(connection, "ada", session.id))
    assert records.ended_at(session) is None
    database.write(lambda connection: connection.execute(update(ionq_sessions).values(created_at=now() - 301)))
    (late,) = database.read(lambda connection: records.list_sessions(connection, "ada", 10))
    ended = records.ended_at(late)
    assert ended is not None
    assert late.asked_at - 2 < ended <= late.asked_at
    with pytest.raises(Problem, match="ended"):
        database.write(lambda connection: records.enter_session(connection, "ada", session.id))


def test_a_session_adds_up_what_its_jobs_took(database: Database) -> None:
    session = database.write(lambda connection: records.open_session(connection, "ada", "simulator", {}))
    submit(database, session=session.id)
    held = claim(database)
    database.write(lambda connection: attempts.finish(connection, held, {}))
    database.write(lambda connection: connection.execute(update(jobs).values(started_at=jobs.c.finished_at - 3)))
    read = database.read(lambda connection: records.get_session(connection, "ada", session.id))
    assert read.seconds == pytest.approx(3, abs=1e-3)
    with pytest.raises(Problem):
        database.read(lambda connection: records.get_session(connection, "eve", session.id))
