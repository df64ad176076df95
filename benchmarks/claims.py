"""What a claim and a list of some jobs cost behind 100 queued jobs and behind 100,000, on SQLite and on PostgreSQL.

Ours behind the long queue beside ours behind the short one, in one run. `python -m benchmarks.claims`
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Connection, func, insert, literal, select, text

from benchmarks.report import Line, report
from benchmarks.servers import temporary_folder
from ledger import attempts, queries
from ledger.database import Database
from ledger.ids import new_id
from ledger.migrations import migrate
from ledger.queries import JobFilter
from ledger.tables import events, jobs, turns
from qstill.contract.status import Status
from tests.testing import servers

FEW, MANY = 100, 100_000  # queued jobs
OWNERS = (1, 200)
RATIO_GOAL = 1.5
ROUNDS = 40
FILL = 5_000  # rows of one insert
QUEUE = "circuits"
PAGE = 20


@dataclass(frozen=True)
class Ledger:
    database: Database
    queued: int
    owners: int


def measure() -> list[Line]:
    lines = []
    for name, urls in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        for owners in OWNERS:
            with (
                urls() as (short_url, long_url),
                _filled(short_url, FEW, owners) as short,
                _filled(long_url, MANY, owners) as long,
            ):
                lines += _compare(f"{name}, owners: {owners}", short, long)
    return lines


def _compare(where: str, short: Ledger, long: Ledger) -> list[Line]:
    claims = _interleaved(_claim_seconds, short, long)
    lists = _interleaved(_list_seconds, short, long)
    return [
        Line(
            claim=f"{what} with {MANY:,} queued over one with {FEW}; {where}; milliseconds",
            ours=behind_long * 1000,
            plain=behind_short * 1000,
            unit="ms",
            goal=RATIO_GOAL * behind_short * 1000,
            better="less",
        )
        for what, (behind_short, behind_long) in (("a claim", claims), ("a list of what succeeded", lists))
    ]


def _interleaved(seconds: Callable[[Ledger], float], short: Ledger, long: Ledger) -> tuple[float, float]:
    """Medians behind the short queue and behind the long one."""
    for each in (short, long):
        seconds(each)  # statements are compiled, pages read
    pairs = [(seconds(short), seconds(long)) for _ in range(ROUNDS)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def _claim_seconds(behind: Ledger) -> float:
    """Of one claim; the job goes back to where it was, so that the queue stays as long."""
    start = time.perf_counter()
    held = behind.database.write(lambda connection: attempts.claim(connection, QUEUE, "worker", 30))
    seconds = time.perf_counter() - start
    assert held is not None
    behind.database.write(lambda connection: attempts.release(connection, held))
    return seconds


def _list_seconds(among: Ledger) -> float:
    """Of one page of the jobs that succeeded, which are older than all that wait."""
    wanted = JobFilter(status=[Status.SUCCEEDED])
    start = time.perf_counter()
    found = among.database.read(
        lambda connection: queries.list_jobs(
            connection, "owner-0", wanted, {"after": None, "before": None, "limit": PAGE}
        )
    )
    seconds = time.perf_counter() - start
    assert len(found) == PAGE
    assert all(row.status == Status.SUCCEEDED for row in found)
    return seconds


@contextlib.contextmanager
def _filled(url: str, queued: int, owners: int) -> Iterator[Ledger]:
    """A ledger with a page of jobs that succeeded, and then the queued ones, of owners in turn."""
    database = Database(url)
    migrate(database)
    done = [_row("owner-0", Status.SUCCEEDED) for _ in range(PAGE)]
    rows = done + [_row(f"owner-{i % owners}", Status.QUEUED) for i in range(queued)]
    for start in range(0, len(rows), FILL):
        database.write(lambda connection, start=start: _insert(connection, rows[start : start + FILL]))
    database.write(_let_wait)
    assert _count(database) == queued
    if not database.sqlite:  # as its own housekeeping does after a minute
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    try:
        yield Ledger(database, queued, owners)
        assert _count(database) == queued
    finally:
        database.close()


def _row(owner: str, status: Status) -> dict[str, object]:
    return {
        "id": new_id("job"),
        "kind": "circuit",
        "queue": QUEUE,
        "owner": owner,
        "status": status,
        "priority": 0,
        "labels": {},
        "spec": {"shots": 1000},
        "max_attempts": 2,
        "last_event": 1,
        "not_before": 0.0,
        "created_at": 0.0,
    }


def _insert(connection: Connection, rows: list[dict[str, object]]) -> None:
    connection.execute(insert(jobs), rows)
    log = [{"job_id": row["id"], "seq": 1, "kind": Status.QUEUED, "data": {}, "created_at": 0.0} for row in rows]
    connection.execute(insert(events), log)


def _let_wait(connection: Connection) -> None:
    waiting = select(jobs.c.queue, jobs.c.owner, literal(0.0)).where(jobs.c.status == Status.QUEUED).distinct()
    connection.execute(insert(turns).from_select(["queue", "owner", "served_at"], waiting))


def _count(database: Database) -> int:
    query = select(func.count()).where(jobs.c.status == Status.QUEUED)
    return int(database.read(lambda connection: connection.scalar(query)) or 0)


@contextlib.contextmanager
def _sqlite() -> Iterator[tuple[str, str]]:
    with temporary_folder() as folder:
        yield f"sqlite:///{folder / 'short.db'}", f"sqlite:///{folder / 'long.db'}"


@contextlib.contextmanager
def _postgresql() -> Iterator[tuple[str, str]]:
    with servers.postgresql() as short, servers.postgresql() as long:
        yield short, long


if __name__ == "__main__":
    sys.exit(report(measure()))
