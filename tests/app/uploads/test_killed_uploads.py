"""A process that dies at any line of an upload: what it acknowledged is there, and in the end nothing else is.

The process is forked and dies as by `kill -9`: no handler runs, and no file is closed.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import select, update

from app.files import upload as file_bytes
from app.uploads import parts as upload_bytes
from ledger import owned, uploads
from ledger.database import Database, now
from ledger.reaper import reap
from ledger.store.folder import FolderStore
from ledger.tables import files
from ledger.tables import uploads as table
from qstill.contract.answers.files import Purpose
from tests.testing.in_process import make_ledger

CONTENT = b"PK\x03\x04 and so on"
PART = 10
WATCHED = {module.__file__ for module in (file_bytes, upload_bytes, uploads, owned)}
DIED, FINISHED = 9, 0
ADA = "ada"


def begin(folder: Path) -> str:
    """The id of an upload in a ledger of its own."""
    make_ledger(folder)
    database = Database(f"sqlite:///{folder / 'ledger.db'}")
    row = database.write(
        lambda connection: uploads.begin(
            connection,
            ADA,
            purpose=Purpose.DATASET,
            name="a.npz",
            size=len(CONTENT),
            sha256=None,
            part_bytes=PART,
            seconds=3600,
            most=1000,
        )
    )
    database.close()
    return str(row.id)


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def send_all(folder: Path, upload_id: str) -> None:
    """What the endpoints do, in their order; what a client would be told is written into `told`."""
    database, store = Database(f"sqlite:///{folder / 'ledger.db'}"), FolderStore(folder / "store")
    upload = database.read(lambda connection: uploads.get(connection, ADA, upload_id))
    told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    here = {part.number for part in database.read(lambda connection: uploads.parts(connection, upload_id))}
    for number in {1, 2} - here:
        content = CONTENT[(number - 1) * PART : number * PART]
        part = asyncio.run(upload_bytes.receive_part(store, once(content), upload, number, len(content), None))
        database.write(
            lambda connection, number=number, part=part: uploads.add_part(
                connection, ADA, upload_id, number, part, 3600
            )
        )
        os.write(told, b"%d\n" % number)
    all_parts = database.read(lambda connection: uploads.parts(connection, upload_id))
    whole = upload_bytes.join(store, upload, all_parts)
    database.write(lambda connection: uploads.complete(connection, ADA, upload_id, whole, None))
    os.write(told, b"file\n")
    database.close()


def die_at(line: int, folder: Path, upload_id: str) -> int:
    """The status of a process that does all of it, and dies before the line that it comes to as this one."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            count += 1
            if count == line:
                os._exit(DIED)
        return trace

    threading.settrace(trace)
    sys.settrace(trace)
    try:
        send_all(folder, upload_id)
    except BaseException:  # noqa: BLE001  # a fork of a test must not become a second test run
        os._exit(1)
    os._exit(FINISHED)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of a fork beside threads, which touches none of them
def test_nothing_acknowledged_is_lost_and_nothing_else_stays(tmp_path: Path) -> None:
    status, line = DIED, 0
    while status == DIED:
        line += 1
        folder = tmp_path / str(line)
        upload_id = begin(folder)
        status = die_at(line, folder, upload_id)
        assert status in (DIED, FINISHED), line
        told = (folder / "told").read_text().split() if (folder / "told").exists() else []
        database, store = Database(f"sqlite:///{folder / 'ledger.db'}"), FolderStore(folder / "store")
        look(database, store, upload_id, told)
        if line % 2:
            sweep(database, store)
            assert [path for path in store.root.rglob("*") if path.is_file()] == left(database, store)
        else:  # another process goes on
            database.close()
            if not left(database, store):
                send_all(folder, upload_id)
            assert [path.read_bytes() for path in left(database, store)] == [CONTENT]
            sweep(database, store)
            assert [path for path in store.root.rglob("*") if path.is_file()] == left(database, store)
        database.close()
    assert line > 50


def look(database: Database, store: FolderStore, upload_id: str, told: list[str]) -> None:
    """What a client was told of is there, byte for byte."""
    if "file" in told:
        assert [path.read_bytes() for path in left(database, store)] == [CONTENT]
        return
    rows = {str(part.number): part for part in database.read(lambda connection: uploads.parts(connection, upload_id))}
    if left(database, store):  # complete, and the client does not know it yet
        return
    for number in told:
        start = (int(number) - 1) * PART
        assert store.locate(rows[number].path).read_bytes() == CONTENT[start : start + PART]


def left(database: Database, store: FolderStore) -> list[Path]:
    """Where the files lie that a row names."""
    paths = database.read(lambda connection: connection.scalars(select(files.c.path)).all())
    return [store.locate(path) for path in paths]


def sweep(database: Database, store: FolderStore) -> None:
    """Two days later."""
    for _ in range(2):
        database.write(lambda connection: connection.execute(update(table).values(expires_at=now() - 1)))
        reap(database, store, lambda queue: None)
