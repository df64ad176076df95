"""The tables of the ledger, the same on SQLite and PostgreSQL. Times are seconds since 1970 by the database's clock."""

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Document(TypeDecorator[Any]):
    """JSON as ASCII text: keeps the order of keys, and a NUL in a string, which PostgreSQL's own type refuses."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        return None if value is None else json.loads(value)


jobs = Table(
    "jobs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("queue", String(32), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("name", String(200)),
    Column("labels", Document, nullable=False),
    Column("spec", Document, nullable=False),
    Column("progress", Document),
    Column("result", Document),
    Column("error", Document),
    Column("version", Integer, nullable=False, server_default=text("1")),  # one more with every change: the ETag
    Column("last_event", Integer, nullable=False, server_default=text("0")),  # seq of the newest event
    Column("fence", Integer, nullable=False, server_default=text("0")),  # one more with every claim
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("max_attempts", Integer, nullable=False),
    Column("worker", String(200)),
    Column("lease_until", Float(53)),
    Column("not_before", Float(53), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("started_at", Float(53)),
    Column("finished_at", Float(53)),
    Index("ix_jobs_claim", "queue", "status", "owner", "priority", "id"),
    Index("ix_jobs_owner", "owner", "id"),
    Index("ix_jobs_status", "status", "lease_until"),
    Index("ix_jobs_listed", "owner", "kind", "status", "id"),
)

turns = Table(  # who waits in a queue: an owner with queued jobs has a row, one without may have it for a while
    "turns",
    metadata,
    Column("queue", String(32), primary_key=True),
    Column("owner", String(64), primary_key=True),
    Column("served_at", Float(53), nullable=False),  # when a job of the owner was last claimed, or the owner came
    Index("ix_turns_queue", "queue", "served_at"),
)

job_labels = Table(
    "job_labels",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("value", String(200), nullable=False),
    Index("ix_job_labels_key_value", "key", "value"),
)

events = Table(
    "events",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("data", Document, nullable=False),
    Column("created_at", Float(53), nullable=False),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("name", String(200), nullable=False),
    Column("path", String(400)),  # in the store
    Column("content", LargeBinary),  # or here, when it is small
    Column("media_type", String(100), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("meta", Document, nullable=False),
    Column("created_at", Float(53), nullable=False),
    UniqueConstraint("job_id", "kind", "name"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),  # sha256 of method, path and body
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Float(53), nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("name", String(200), nullable=False),
    Column("path", String(400), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("columns", Document),  # of a table, as they were understood when it came
    Column("created_at", Float(53), nullable=False),
    Index("ix_files_owner", "owner", "id"),
)

uploads = Table(  # files that come in parts
    "uploads",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("name", String(200), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64)),  # where the client said it
    Column("part_bytes", Integer, nullable=False),
    Column("file_id", String(40), nullable=False),  # of the file that it becomes
    Column("created_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False, index=True),
    Index("ix_uploads_owner", "owner", "id"),
)

upload_parts = Table(
    "upload_parts",
    metadata,
    Column("upload_id", ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("path", String(400), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("labels", Document, nullable=False),
    Column("reading", Document, nullable=False),  # how its bytes are read: `ModelFormat` of the contract
    Column("origin", Document, nullable=False),
    Column("path", String(400), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Index("ix_models_owner", "owner", "id"),
)

job_files = Table(  # what a job reads: uploads, models, and checkpoints of other jobs
    "job_files",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("file_id", String(40), primary_key=True, index=True),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("revoked_at", Float(53)),
)

trash = Table(  # paths whose rows are gone and whose bytes are still to be deleted
    "trash",
    metadata,
    Column("path", String(400), primary_key=True),
)

ionq_jobs = Table(  # what a job that came through IonQ's door is to its client
    "ionq_jobs",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("backend", String(64), nullable=False),
    Column("session_id", String(40)),
    Column("request", Document, nullable=False),  # what is echoed; the circuits are in the job's spec
    Column("deleted_at", Float(53)),  # set while a job that was deleted still has to let go
    Index("ix_ionq_jobs_session_id", "session_id"),
)

ionq_sessions = Table(
    "ionq_sessions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("backend", String(64), nullable=False),
    Column("settings", Document, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("started_at", Float(53)),  # with its first job
    Column("ended_at", Float(53)),
    Index("ix_ionq_sessions_owner", "owner", "id"),
)
