"""A job's events as server-sent events: the log from `Last-Event-ID` on, progress between, a ping when it is quiet."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from app.http.front import Front
from app.jobs.answers import event_view
from ledger import queries
from ledger.database import Record
from ledger.rows import Job
from qstill.contract.status import FINAL

PING_SECONDS = 15.0  # under the idle limits of common proxies
EVENTS_AT_ONCE = 500


def stream_events(front: Front, job: Job, after: int) -> EventSourceResponse:
    """The stream ends after the job's last event. Reconnecting with `Last-Event-ID` misses and repeats nothing.

    Raises Problem (503) when too many clients wait already.
    """
    front.tailer.check_room()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(_events(front, job, after), headers=headers)


async def _events(front: Front, job: Job, after: int) -> AsyncIterator[bytes]:
    version, status, progress, told = job.version, job.status, job.progress, None
    while True:
        while found := await _read(front, job.id, after):
            for event in found:
                after = event.seq
                yield _frame(event.kind, event_view(event).model_dump_json(), str(event.seq))
        if progress != told and status not in FINAL:
            yield _frame("progress", json.dumps(progress))
            told = progress
        if status in FINAL:
            return
        try:
            async with asyncio.timeout(PING_SECONDS):
                standing = await front.tailer.change(job.id, version)
        except TimeoutError:
            yield KEEPALIVE_COMMENT
            continue
        if standing is None:
            return
        version, status, progress = standing.version, standing.status, standing.progress


async def _read(front: Front, job_id: str, after: int) -> Sequence[Record]:
    return await front.read(
        lambda connection: queries.list_events(connection, job_id, after=after, limit=EVENTS_AT_ONCE)
    )


def _frame(kind: str, data: str, seq: str | None = None) -> bytes:
    return format_sse_event(event=kind, data_str=data, id=seq)
