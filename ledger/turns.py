"""Who is next in a queue. Owners take turns; among the jobs of one owner priority decides, then age.

What is read does not grow with the queue: a table names the owners that wait, in the order in which they were served,
and of each owner the index has the best job first. Counts of what runs are as small as the number of workers.
"""

from sqlalchemy import (
    Connection,
    Integer,
    String,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from ledger.database import Record, now
from ledger.machine import OWNED
from ledger.tables import jobs, turns
from qstill.contract.status import Status

SWEPT_AT_ONCE = 100

_QUEUE = bindparam("of_queue", type_=String())
_OWNER = bindparam("of_owner", type_=String())


def _eligible(owner: ColumnElement[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        jobs.c.queue == _QUEUE,
        jobs.c.status == Status.QUEUED,
        jobs.c.owner == owner,
        jobs.c.not_before <= now(),
    )


# Made once: SQLAlchemy takes longer to build them than to run them.
_busy = (
    select(jobs.c.owner, func.count().label("running"))
    .where(jobs.c.queue == _QUEUE, jobs.c.status.in_([literal(status) for status in sorted(OWNED)]))  # parsed once
    .group_by(jobs.c.owner)
    .cte("busy")
)
_waits = (turns.c.queue == _QUEUE, exists().where(*_eligible(turns.c.owner)))
_idle_owner = (
    select(turns.c.owner, literal(0).label("running"))
    .where(*_waits, turns.c.owner.not_in(select(_busy.c.owner)))
    .order_by(turns.c.served_at)
    .limit(1)
    .subquery("idle_owner")
)
_busy_owner = (
    select(turns.c.owner, _busy.c.running)
    .join(_busy, _busy.c.owner == turns.c.owner)
    .where(*_waits, _busy.c.running < bindparam("at_most", type_=Integer()))
    .order_by(_busy.c.running, turns.c.served_at)
    .limit(1)
    .subquery("busy_owner")
)
_either = union_all(select(_idle_owner), select(_busy_owner)).subquery("either")
_NEXT_OWNER = select(_either.c.owner).order_by(_either.c.running).limit(1)
_highest = select(func.max(jobs.c.priority)).where(*_eligible(_OWNER)).scalar_subquery()
_BEST_JOB = select(jobs).where(*_eligible(_OWNER), jobs.c.priority == _highest).order_by(jobs.c.id).limit(1)
_BEST_FREE_JOB = _BEST_JOB.with_for_update(skip_locked=True)  # PostgreSQL: one that no other claimer is taking
_BEST_JOB_LOCKED = _BEST_JOB.with_for_update()
_TURN = select(turns.c.owner).where(turns.c.queue == _QUEUE, turns.c.owner == _OWNER)
_TURN_KEPT = _TURN.with_for_update(read=True, key_share=True)  # from `sweep`, until the job is durable; nobody waits
_NEW_TURN = insert(turns).values(queue=_QUEUE, owner=_OWNER, served_at=now())
_free = turns.alias("free")
_IF_FREE = select(_free.c.owner).where(_free.c.queue == _QUEUE, _free.c.owner == _OWNER)
_SERVED = (  # another claimer that serves them at this moment is not waited for
    update(turns)
    .where(turns.c.queue == _QUEUE, turns.c.owner.in_(_IF_FREE.with_for_update(skip_locked=True, key_share=True)))
    .values(served_at=now())
)
_queued = exists().where(jobs.c.queue == turns.c.queue, jobs.c.status == Status.QUEUED, jobs.c.owner == turns.c.owner)
_LEFT = select(turns.c.queue, turns.c.owner).where(~_queued).limit(SWEPT_AT_ONCE)
_LEFT_LOCKED = _LEFT.with_for_update(skip_locked=True)


def enter(connection: Connection, queue: str, owner: str) -> None:
    """An owner has a queued job in this transaction. Whoever comes anew is served after those who wait."""
    theirs = {"of_queue": queue, "of_owner": owner}
    if connection.scalar(_TURN_KEPT, theirs) is None:
        connection.execute(_NEW_TURN, theirs)


def next_job(connection: Connection, queue: str, at_most: int) -> Record | None:
    """The row of the job that is next, kept from other writers; None when nothing is eligible.

    Next is the owner with the fewest running jobs, of several the one who was served longest ago. An owner with
    `at_most` running jobs is passed over. What a claimer on PostgreSQL cannot have at once because others are taking
    it, it waits for only if there is nothing else.
    """
    taken_by_others = False
    while True:
        owner = connection.scalar(_NEXT_OWNER, {"of_queue": queue, "at_most": at_most})
        if owner is None:
            return None
        theirs = {"of_queue": queue, "of_owner": owner}
        found = connection.execute(_BEST_JOB_LOCKED if taken_by_others else _BEST_FREE_JOB, theirs).one_or_none()
        if found is not None:
            connection.execute(_SERVED, theirs)
            return found
        taken_by_others = True


def anyone_left(connection: Connection) -> bool:
    """Whether there is somebody for `sweep` to forget."""
    return connection.execute(_LEFT.limit(1)).first() is not None


def sweep(connection: Connection) -> None:
    """Forget owners who have nothing queued. A submission that is not durable yet keeps its owner's row."""
    rows = [(row.queue, row.owner) for row in connection.execute(_LEFT_LOCKED)]
    if rows:  # asked again, now that nobody can add to them
        connection.execute(delete(turns).where(tuple_(turns.c.queue, turns.c.owner).in_(rows), ~_queued))


def waiting(connection: Connection, queue: str) -> bool:
    """Whether a queue has an eligible job."""
    eligible = (jobs.c.queue == queue, jobs.c.status == Status.QUEUED, jobs.c.not_before <= now())
    return connection.scalar(select(jobs.c.id).where(*eligible).limit(1)) is not None
