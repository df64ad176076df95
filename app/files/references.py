"""What a request says of uploaded files, checked where it is accepted."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from ledger.tables import files
from qstill.contract.errors import Problem

ENDINGS = {
    "safetensors": (".safetensors",),
    "torch": (".pt", ".pth"),
    "onnx": (".onnx",),
    "folder": (".zip",),
    "tokenizer": (".json",),
}  # of a teacher's formats, and of what lies beside one


def must_exist(connection: Connection, owner: str, wanted: Sequence[tuple[str, str, str]]) -> None:
    """wanted: (JSON pointer, file id, purpose). Nobody deletes them until this transaction ends; others may name them.

    Raises Problem (422) that names the pointer.
    """
    for pointer, file_id, purpose in wanted:
        query = select(files.c.purpose).where(files.c.id == file_id, files.c.owner == owner)
        found = connection.scalar(query.with_for_update(read=True, key_share=True))
        if found is None:
            upload = {"method": "POST", "path": f"/v1/files?purpose={purpose}&name=…"}
            raise Problem("file_not_found", "There is no such file.", pointer=pointer, ways_out=[upload])
        if found != purpose:
            title = f"This file was uploaded as {found}; here a {purpose} is needed."
            raise Problem("wrong_purpose", title, pointer=pointer)


def must_end_in(connection: Connection, wanted: Sequence[tuple[str, str, tuple[str, ...]]]) -> None:
    """wanted: (JSON pointer, id of a file that exists, endings). Raises Problem (422) that names the pointer."""
    for pointer, file_id, endings in wanted:
        name = str(connection.scalar(select(files.c.name).where(files.c.id == file_id)))
        if not name.lower().endswith(endings):
            fitting = next((format for format, fit in ENDINGS.items() if name.lower().endswith(fit)), None)
            title = f"The file was uploaded as {name!r}; one of the kind {' or '.join(endings)} is named here."
            way_out = [{"format": fitting}] if fitting and fitting != "tokenizer" else []
            raise Problem("wrong_format", title, pointer=pointer, ways_out=way_out)
