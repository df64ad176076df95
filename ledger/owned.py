"""What clients keep here: rows of one owner over bytes in the store. Files and models are such."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, insert, select

from ledger.database import Cursors, Record, newest_first, now
from ledger.queries import unfinished_user
from ledger.rows import discard
from ledger.store.folder import Stored
from ledger.tables import files, models
from qstill.contract.errors import Problem


@dataclass(frozen=True)
class Shelf:
    """One kind of them. Another owner's are not there for anybody else.

    noun: in problem codes and sentences. in_use: why one is not deleted yet.
    """

    table: Table
    noun: str
    in_use: str

    def add(self, connection: Connection, owner: str, new_id: str, stored: Stored, **columns: Any) -> Record:
        place = {"path": stored.path, "bytes": stored.bytes, "sha256": stored.sha256}
        row = columns | place | {"id": new_id, "owner": owner, "created_at": now()}
        return connection.execute(insert(self.table).values(row).returning(self.table)).one()

    def get(self, connection: Connection, owner: str, wanted: str) -> Record:
        """Raises Problem (404)."""
        query = select(self.table).where(self.table.c.id == wanted, self.table.c.owner == owner)
        found = connection.execute(query).one_or_none()
        if found is None:
            raise Problem(f"{self.noun}_not_found", f"There is no such {self.noun}.", status=404)
        return found

    def newest(
        self, connection: Connection, owner: str, cursors: Cursors, *conditions: ColumnElement[bool]
    ) -> Sequence[Record]:
        """A page, newest first, without what may be large: the columns of a table."""
        shown = [column for column in self.table.c if column.name != "columns"]
        query = select(*shown).where(self.table.c.owner == owner, *conditions)
        return newest_first(connection, query, self.table.c.id, cursors)

    def delete(self, connection: Connection, owner: str, wanted: str) -> None:
        """Raises Problem: 404, or 409 while a job that is not finished needs it."""
        row = self.table.c.id == wanted
        connection.execute(select(self.table.c.id).where(row).with_for_update())  # behind a submission's lock
        found = self.get(connection, owner, wanted)
        job_id = unfinished_user(connection, [wanted])
        if job_id is not None:
            cancel = {"method": "POST", "path": f"/v1/jobs/{job_id}/cancel"}
            raise Problem(f"{self.noun}_in_use", self.in_use, status=409, ways_out=[cancel])
        discard(connection, found.path)
        connection.execute(self.table.delete().where(row))


FILES = Shelf(files, "file", "A job that is not finished needs this file.")
MODELS = Shelf(models, "model", "A job that is not finished learns from this model.")
