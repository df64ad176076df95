"""The bytes of an artifact, wherever they lie: in its row when they are few, in the store otherwise.

A small circuit's results are a few hundred bytes. In the row they cost nothing beyond the commit that makes them
visible; as a file they cost a flush of the disk each, half of such a job's time.
"""

from ledger.database import Record
from ledger.store.folder import FolderStore

INLINE_BYTES = 16 * 1024  # a row is read and written as a whole
INLINE_KINDS = frozenset({"results", "diagram"})  # what is never handed to a process as a file


def read_artifact(store: FolderStore, row: Record) -> bytes:
    """Raises FileNotFoundError when the bytes were deleted."""
    return bytes(row.content) if row.content is not None else store.locate(row.path).read_bytes()
