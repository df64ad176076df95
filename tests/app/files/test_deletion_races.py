"""Deleting what a job names while the job is being submitted: one of the two is refused, on both databases.

Two processes, which share nothing but the database, are two `Database`s here.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, select

from app.files.references import must_exist
from app.models.references import must_be_there
from ledger import requests
from ledger.database import Database
from ledger.ids import new_id
from ledger.owned import FILES, MODELS
from ledger.requests import NewJob
from ledger.store.folder import Stored
from ledger.tables import files, job_files, models
from qstill.contract.answers.files import Purpose
from qstill.contract.errors import Problem
from qstill.contract.kinds import DISTILLATION

ADA = "ada"
ROUNDS = 15
LONG_ENOUGH_SECONDS = 0.3  # for the other transaction to begin, and to wait if it must

Names = Callable[[Connection, str], Any]


@dataclass(frozen=True)
class Kind:
    """What a job may name: how it comes to be, is looked for by a submission, and goes."""

    add: Callable[[Connection], str]
    check: Names
    delete: Names
    in_use: str
    gone: str


def _file(connection: Connection) -> str:
    file_id = new_id("file")
    stored = Stored(f"files/{file_id}", 1, "0" * 64)
    FILES.add(connection, ADA, file_id, stored, purpose=Purpose.DATASET, name="a.npz")
    return file_id


def _model(connection: Connection) -> str:
    model_id = new_id("model")
    MODELS.add(
        connection,
        ADA,
        model_id,
        Stored(f"models/{model_id}", 1, "0" * 64),
        name="small",
        labels={},
        reading={"format": "onnx"},
        origin={},
    )
    return model_id


FILE = Kind(
    _file,
    lambda connection, name: must_exist(connection, ADA, [("/dataset/file", name, "dataset")]),
    lambda connection, name: FILES.delete(connection, ADA, name),
    "file_in_use",
    "file_not_found",
)
MODEL = Kind(
    _model,
    lambda connection, name: must_be_there(connection, ADA, [("/teacher/model", name)]),
    lambda connection, name: MODELS.delete(connection, ADA, name),
    "model_in_use",
    "model_not_found",
)


@pytest.fixture(params=[FILE, MODEL], ids=["file", "model"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """The same database, as another process has it."""
    made = Database(database.engine.url.render_as_string(hide_password=False))
    yield made
    made.close()


def submit(connection: Connection, kind: Kind, name: str, pause: Callable[[], object] = lambda: None) -> str:
    """What a submission does in its transaction. pause: between looking and writing."""

    def admit(connection: Connection) -> None:
        kind.check(connection, name)
        pause()

    new = NewJob(kind=DISTILLATION, owner=ADA, spec={}, files=[name])
    return str(requests.submit(connection, new, admit=admit)[0].id)


def code_of(change: Callable[[], object]) -> str | None:
    """The code of the problem that a change ends with; None when it succeeds."""
    try:
        change()
    except Problem as problem:
        return problem.code
    return None


def without_what_they_name(database: Database) -> int:
    """How many names of jobs lead nowhere."""
    there = select(files.c.id).union(select(models.c.id))
    orphans = select(job_files.c.file_id).where(job_files.c.file_id.not_in(there))
    return len(database.read(lambda connection: connection.scalars(orphans).all()))


def test_what_a_submission_has_seen_is_not_deleted_before_the_job_is_there(
    database: Database, other: Database, kind: Kind
) -> None:
    name, seen = database.write(kind.add), threading.Event()
    begun = threading.Event()

    def pause() -> None:
        seen.set()
        begun.wait(10)
        threading.Event().wait(LONG_ENOUGH_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        submission = pool.submit(database.write, lambda connection: submit(connection, kind, name, pause))
        assert seen.wait(10)
        begun.set()
        refused = code_of(lambda: other.write(lambda connection: kind.delete(connection, name)))
        assert submission.result().startswith("job_")
    assert refused == kind.in_use
    assert without_what_they_name(database) == 0


def test_a_submission_waits_for_a_deletion_and_says_what_is_gone(
    database: Database, other: Database, kind: Kind
) -> None:
    name, deleted = database.write(kind.add), threading.Event()

    def delete_slowly(connection: Connection) -> None:
        kind.delete(connection, name)
        deleted.set()
        threading.Event().wait(LONG_ENOUGH_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        deletion = pool.submit(database.write, delete_slowly)
        assert deleted.wait(10)
        assert code_of(lambda: other.write(lambda connection: submit(connection, kind, name))) == kind.gone
        deletion.result()
    assert without_what_they_name(database) == 0


def test_of_both_at_once_one_is_refused(database: Database, other: Database, kind: Kind) -> None:
    for _ in range(ROUNDS):
        name, start = database.write(kind.add), threading.Barrier(2)

        def at_once(where: Database, change: Names, start: threading.Barrier = start, name: str = name) -> str | None:
            start.wait(10)
            return code_of(lambda: where.write(lambda connection: change(connection, name)))

        with ThreadPoolExecutor(2) as pool:
            submission = pool.submit(at_once, database, lambda connection, name: submit(connection, kind, name))
            deletion = pool.submit(at_once, other, kind.delete)
            assert (submission.result(), deletion.result()) in {(None, kind.in_use), (kind.gone, None)}
    assert without_what_they_name(database) == 0


def test_two_submissions_that_name_the_same_do_not_wait_for_each_other(
    database: Database, other: Database, kind: Kind
) -> None:
    if database.sqlite:
        pytest.skip("SQLite has one writer at a time, whatever it writes")
    name, both = database.write(kind.add), threading.Barrier(2, timeout=10)
    database.write(lambda connection: submit(connection, kind, name))  # its owner's turn is there from now on
    with ThreadPoolExecutor(2) as pool:
        waiting = [
            pool.submit(where.write, lambda connection: submit(connection, kind, name, both.wait))
            for where in (database, other)
        ]
        assert len({each.result() for each in waiting}) == 2
