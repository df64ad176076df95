"""Files that come in parts, on SQLite and on PostgreSQL: what was acknowledged stays, and nothing stays for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from ledger import uploads
from ledger.database import Database, Record, now
from ledger.owned import FILES
from ledger.reaper import reap
from ledger.store.folder import FolderStore, Stored
from ledger.tables import files, trash, upload_parts
from ledger.tables import uploads as table
from qstill.contract.answers.files import Purpose
from qstill.contract.errors import Problem

ADA, BOB = "ada", "bob"
HOUR = 3600.0


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def begin(database: Database, owner: str = ADA, *, size: int = 25, most: int = 1000) -> Record:
    return database.write(
        lambda connection: uploads.begin(
            connection,
            owner,
            purpose=Purpose.DATASET,
            name="a.npz",
            size=size,
            sha256=None,
            part_bytes=10,
            seconds=HOUR,
            most=most,
        )
    )


def stored(store: FolderStore, upload: Record, number: int, content: bytes, ending: str = "a") -> Stored:
    path = f"{uploads.folder(upload.id)}/{number}.{ending}"
    place = store.locate(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return Stored(path, len(content), content.hex().ljust(64, "0"))


def add(database: Database, upload: Record, number: int, part: Stored, owner: str = ADA) -> Record:
    return database.write(lambda connection: uploads.add_part(connection, owner, upload.id, number, part, HOUR))


def whole(store: FolderStore, upload: Record) -> Stored:
    path = f"files/{upload.file_id}"
    store.locate(path).parent.mkdir(parents=True, exist_ok=True)
    store.locate(path).write_bytes(bytes(25))
    return Stored(path, 25, "f" * 64)


def complete(database: Database, upload: Record, made: Stored, owner: str = ADA) -> Record:
    return database.write(lambda connection: uploads.complete(connection, owner, upload.id, made, None))


def age(database: Database) -> None:
    """As if all times that an upload has were over."""
    database.write(lambda connection: connection.execute(update(table).values(expires_at=now() - 1)))


def reaped(database: Database, store: FolderStore) -> None:
    reap(database, store, lambda queue: None)


def lying(store: FolderStore) -> list[str]:
    return sorted(str(place.relative_to(store.root)) for place in store.root.rglob("*") if place.is_file())


def code_of(change: object, *arguments: object, **named: object) -> str:
    assert callable(change)
    with pytest.raises(Problem) as raised:
        change(*arguments, **named)
    return raised.value.code


def test_parts_become_a_file_and_their_bytes_go(database: Database, store: FolderStore) -> None:
    upload = begin(database)
    for number, size in ((3, 5), (1, 10), (2, 10)):
        add(database, upload, number, stored(store, upload, number, bytes(size)))
    here = database.read(lambda connection: uploads.parts(connection, upload.id))
    assert [part.number for part in here] == [1, 2, 3]
    file = complete(database, upload, whole(store, upload))
    assert (file.id, file.owner, file.purpose, file.name, file.bytes) == (upload.file_id, ADA, "dataset", "a.npz", 25)
    assert complete(database, upload, whole(store, upload)) == file
    reaped(database, store)
    assert lying(store) == [f"files/{file.id}"]
    assert code_of(add, database, upload, 1, stored(store, upload, 1, bytes(10))) == "upload_complete"
    age(database)
    reaped(database, store)
    assert database.read(lambda connection: connection.scalars(select(table.c.id)).all()) == []
    assert lying(store) == [f"files/{file.id}"]


def test_a_part_that_comes_again_is_the_one_that_came_and_another_is_refused(
    database: Database, store: FolderStore
) -> None:
    upload = begin(database)
    first = add(database, upload, 1, stored(store, upload, 1, b"a" * 10))
    assert add(database, upload, 1, stored(store, upload, 1, b"a" * 10, ending="b")) == first
    assert code_of(add, database, upload, 1, stored(store, upload, 1, b"b" * 10)) == "part_differs"
    assert code_of(add, database, upload, 4, stored(store, upload, 4, b"a" * 10)) == "part_not_found"


def test_another_owner_has_no_such_upload(database: Database, store: FolderStore) -> None:
    upload = begin(database)
    part = stored(store, upload, 1, bytes(10))
    for change in (
        lambda connection: uploads.get(connection, BOB, upload.id),
        lambda connection: uploads.add_part(connection, BOB, upload.id, 1, part, HOUR),
        lambda connection: uploads.complete(connection, BOB, upload.id, part, None),
        lambda connection: uploads.give_up(connection, BOB, upload.id),
    ):
        assert code_of(database.write, change) == "upload_not_found"
    cursors = {"after": None, "before": None, "limit": 10}
    assert database.read(lambda connection: uploads.newest(connection, BOB, cursors)) == []  # type: ignore[arg-type]
    assert len(database.read(lambda connection: uploads.newest(connection, ADA, cursors))) == 1  # type: ignore[arg-type]


def test_an_owner_has_so_many_bytes_on_their_way_and_room_again_when_one_ends(database: Database) -> None:
    first = begin(database, size=600)
    assert code_of(begin, database, size=600) == "too_many_uploads"
    begin(database, BOB, size=600)
    begin(database, size=400)
    database.write(lambda connection: uploads.give_up(connection, ADA, first.id))
    begin(database, size=600)


def test_an_owner_has_so_many_uploads(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UNFINISHED", 2)
    for _ in range(2):
        begin(database, size=1)
    assert code_of(begin, database, size=1) == "too_many_uploads"


def test_who_sends_a_part_has_time_again_and_who_sends_none_loses_what_is_there(
    database: Database, store: FolderStore
) -> None:
    upload, idle = begin(database), begin(database)
    add(database, idle, 1, stored(store, idle, 1, bytes(10)))
    age(database)
    add(database, upload, 1, stored(store, upload, 1, bytes(10)))
    reaped(database, store)
    assert [path.split("/")[1] for path in lying(store)] == [upload.id]
    assert code_of(add, database, idle, 2, stored(store, idle, 2, bytes(10))) == "upload_not_found"


@pytest.mark.parametrize("end", ["given up", "too old", "completed"])
def test_what_a_killed_process_left_goes_whenever_it_died(database: Database, store: FolderStore, end: str) -> None:
    """After its end, too: the process that was at work on it did not know."""
    upload = begin(database)
    stored(store, upload, 1, bytes(10), ending="no row names it")
    if end == "completed":
        complete(database, upload, whole(store, upload))
        database.write(lambda connection: FILES.delete(connection, ADA, upload.file_id))
    elif end == "given up":
        database.write(lambda connection: uploads.give_up(connection, ADA, upload.id))
    else:
        age(database)
        reaped(database, store)
    stored(store, upload, 2, bytes(10), ending="after the end")
    whole(store, upload)
    age(database)
    reaped(database, store)
    assert lying(store) == []
    for left in (table, upload_parts, files, trash):
        assert database.read(lambda connection, left=left: connection.execute(select(left)).all()) == []


def send_and_complete(where: Database, upload: Record, part: Stored, start: threading.Barrier) -> tuple[str, str]:
    """(path of the part, id of the file)."""
    start.wait()
    kept = add(where, upload, 1, part)
    start.wait()
    return kept.path, complete(where, upload, Stored(f"files/{upload.file_id}", 10, "f" * 64)).id


def test_two_that_send_one_part_and_two_that_complete_agree(database: Database, store: FolderStore) -> None:
    other = Database(database.engine.url.render_as_string(hide_password=False))
    try:
        for _ in range(8):
            upload, start = begin(database, size=10), threading.Barrier(2, timeout=10)
            sides = [
                (where, stored(store, upload, 1, bytes(10), ending))
                for where, ending in ((database, "a"), (other, "b"))
            ]
            with ThreadPoolExecutor(2) as pool:
                each = [pool.submit(send_and_complete, where, upload, part, start) for where, part in sides]
                assert len({one.result() for one in each}) == 1
    finally:
        other.close()


def test_a_connection_is_all_that_a_change_needs(database: Database) -> None:
    """What fails takes nothing with it: the owner's upload is as it was."""
    upload = begin(database)

    def fail(connection: Connection) -> None:
        uploads.give_up(connection, ADA, upload.id)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write(fail)
    assert database.read(lambda connection: uploads.get(connection, ADA, upload.id)) == upload
