"""How a path names an uploaded file."""

from typing import Annotated

from fastapi import Path

from ledger.ids import id_pattern

FileId = Annotated[str, Path(pattern=id_pattern("file"), description="The id of an uploaded file.")]
