"""How a path names an uploaded file, and the file as its owner sees it."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import TypeAdapter

from app.jobs.answers import moment
from ledger.database import Record
from ledger.ids import id_pattern
from qstill.contract.answers.files import FileView, Purpose
from qstill.contract.tables.columns import Column

FileId = Annotated[str, Path(pattern=id_pattern("file"), description="The id of an uploaded file.")]

COLUMNS: TypeAdapter[list[Column] | None] = TypeAdapter(list[Column] | None)


def columns_row(columns: list[Column] | None) -> list[dict[str, Any]] | None:
    """What was understood of a table, as its file's row keeps it."""
    return None if columns is None else COLUMNS.dump_python(columns, mode="json", exclude_defaults=True)


def file_view(row: Record) -> FileView:
    return _view(row, COLUMNS.validate_python(row.columns))


def in_list(row: Record) -> FileView:
    """Without its columns, which may be thousands."""
    return _view(row, None)


def _view(row: Record, columns: list[Column] | None) -> FileView:
    return FileView(
        id=row.id,
        name=row.name,
        purpose=Purpose(row.purpose),
        bytes=row.bytes,
        sha256=row.sha256,
        created_at=moment(row.created_at),
        columns=columns,
        links={"self": f"/v1/files/{row.id}", "content": f"/v1/files/{row.id}/content"},
    )
