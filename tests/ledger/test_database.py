"""The writer of SQLite: what one caller does or gives up harms no other."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from ledger import database as module
from ledger.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    made.write(lambda connection: connection.execute(text("CREATE TABLE t (n INTEGER)")))
    return made


def insert(n: int, started: threading.Event | None = None, go_on: threading.Event | None = None) -> module.Change[int]:
    def change(connection: Connection) -> int:
        if started is not None and go_on is not None:
            started.set()
            go_on.wait(10)
        connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": n})
        return n

    return change


def rows(database: Database) -> list[int]:
    return list(database.read(lambda connection: connection.scalars(text("SELECT n FROM t ORDER BY n")).all()))


def test_a_change_given_up_before_its_turn_is_left_out_and_the_others_are_not(database: Database) -> None:
    started, go_on = threading.Event(), threading.Event()
    first = database.submit(insert(1, started, go_on))
    started.wait(10)
    given_up, last = database.submit(insert(2)), database.submit(insert(3))
    assert given_up.cancel()
    assert not first.cancel()
    go_on.set()
    assert (first.result(10), last.result(10)) == (1, 3)
    assert rows(database) == [1, 3]
    database.close()


def test_a_commit_that_fails_fails_everybody_in_it_and_the_writer_lives(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("BEGIN", {}, OSError("disk"))

    monkeypatch.setattr(database.engine, "connect", away)
    failed = [database.submit(insert(n)) for n in range(5)]
    for future in failed:
        with pytest.raises(OperationalError):
            future.result(10)
    monkeypatch.undo()
    assert database.write(insert(9)) == 9
    assert rows(database) == [9]
    database.close()
