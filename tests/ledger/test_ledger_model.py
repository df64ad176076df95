"""Several workers, several clients, and crashes between any two calls: what must hold in the ledger, always.

Each step is one committed transaction, as in the service; a crash is a worker that simply makes no further call.
"""

import itertools
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Connection, select, update

from ledger import attempts, queries, requests, rows
from ledger import turns as in_turn
from ledger.attempts import Artifact, Claim, StaleFence
from ledger.database import Change, Database
from ledger.machine import OWNED, TRANSITIONS, Action, IllegalTransition
from ledger.requests import NewJob
from ledger.tables import jobs, turns
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT, Queue
from qstill.contract.status import FINAL, Status

LOST = Problem("worker_lost", "lost")
MAX_ATTEMPTS = 3
STATES = {status.value for status in Status}
NEXT = {pair for pair in ((before, after) for (before, _), after in TRANSITIONS.items()) if pair[0] != pair[1]}


class LedgerMachine(RuleBasedStateMachine):
    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.run(lambda connection: connection.execute(jobs.delete()))
        self.run(lambda connection: connection.execute(turns.delete()))
        self.claims: list[Claim] = []  # of live and of crashed workers alike: the ledger cannot tell
        self.submitted: set[str] = set()
        self.results: dict[str, Any] = {}
        self.done: dict[str, Any] = {}

    def run(self, change: Change[Any]) -> Any:
        return self.database.write(change)

    def rows(self) -> dict[str, Any]:
        found = self.database.read(lambda connection: connection.execute(select(jobs)).all())
        return {row.id: row for row in found}

    @rule(owner=st.sampled_from("ab"), priority=st.integers(0, 1))
    def submit(self, owner: str, priority: int) -> None:
        new = NewJob(kind=CIRCUIT, owner=owner, spec={}, priority=priority, max_attempts=MAX_ATTEMPTS)
        job, _ = self.run(lambda connection: requests.submit(connection, new))
        self.submitted.add(job.id)

    @rule()
    def claim(self) -> None:
        self.run(lambda connection: connection.execute(update(jobs).values(not_before=0)))
        queued = {row.id for row in self.rows().values() if row.status == Status.QUEUED}
        held = self.run(lambda connection: attempts.claim(connection, Queue.CIRCUITS, "w", 1000))
        assert (held is not None) == bool(queued)
        if held is not None:
            assert held.job_id in queued
            self.claims.append(held)

    @rule()
    def sweep(self) -> None:
        self.run(in_turn.sweep)

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        act=st.sampled_from(["heartbeat", "append", "progress", "publish", "finish", "fail", "release", "lose"]),
    )
    def act(self, data: st.DataObject, act: str) -> None:
        held = data.draw(st.sampled_from(self.claims))
        changes: dict[str, Change[Any]] = {
            "heartbeat": lambda c: attempts.heartbeat(c, held, 1000),
            "append": lambda c: attempts.append(c, held, "epoch", {}),
            "progress": lambda c: attempts.report_progress(c, held, {"done": 1}),
            "publish": lambda c: publish(c, held),
            "finish": lambda c: attempts.finish(c, held, {"fence": held.fence}),
            "fail": lambda c: attempts.fail(c, held, LOST),
            "release": lambda c: attempts.release(c, held),
            "lose": lambda c: attempts.lose(c, held, LOST),
        }
        before = self.rows().get(held.job_id)
        valid = before is not None and before.fence == held.fence and before.status in OWNED
        try:
            self.run(changes[act])
        except StaleFence:
            assert not valid
            assert self.rows().get(held.job_id) == before
        else:
            assert valid

    @rule(data=st.data(), all_of_them=st.booleans())
    def leases_run_out(self, data: st.DataObject, all_of_them: bool) -> None:
        owned = sorted(row.id for row in self.rows().values() if row.status in OWNED)
        if owned:
            overdue = owned if all_of_them else [data.draw(st.sampled_from(owned))]
            self.run(lambda c: c.execute(update(jobs).where(jobs.c.id.in_(overdue)).values(lease_until=0)))
            assert self.run(lambda c: attempts.expire(c, LOST)) == len(overdue)
        assert self.run(lambda c: attempts.expire(c, LOST)) == 0

    @precondition(lambda self: self.submitted)
    @rule(data=st.data(), action=st.sampled_from([Action.CANCEL, Action.PAUSE, Action.RESUME]))
    def ask(self, data: st.DataObject, action: Action) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.submitted)))
        row = self.rows()[job_id]
        try:
            self.run(lambda c: requests.request(c, row.owner, job_id, action))
        except IllegalTransition:
            assert (row.status, action) not in TRANSITIONS
            assert self.rows()[job_id] == row

    @precondition(lambda self: self.submitted)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.submitted)))
        row = self.rows()[job_id]
        try:
            self.run(lambda c: requests.delete(c, row.owner, job_id))
        except Problem:
            assert row.status not in FINAL
        else:
            assert row.status in FINAL
            self.submitted.discard(job_id)
            self.done.pop(job_id, None)

    @invariant()
    def nothing_is_lost(self) -> None:
        assert set(self.rows()) == self.submitted

    @invariant()
    def who_has_a_queued_job_takes_turns(self) -> None:
        waiting = set(self.database.read(lambda connection: connection.scalars(select(turns.c.owner)).all()))
        assert {row.owner for row in self.rows().values() if row.status == Status.QUEUED} <= waiting

    @invariant()
    def an_end_is_an_end(self) -> None:
        for row in self.rows().values():
            if row.status in FINAL:
                end = (row.status, row.result, row.error, row.finished_at, row.version)
                assert self.done.setdefault(row.id, end) == end

    @invariant()
    def the_log_tells_a_legal_story_that_ends_in_the_present_state(self) -> None:
        for row in self.rows().values():
            log = self.database.read(lambda c, row=row: queries.list_events(c, row.id, after=0, limit=1000))
            assert [event.seq for event in log] == list(range(1, row.last_event + 1))
            states = [event.kind for event in log if event.kind in STATES]
            assert states[0] == Status.QUEUED
            assert states[-1] == row.status
            assert set(itertools.pairwise(states)) <= NEXT
            assert sum(state in FINAL for state in states) <= 1

    @invariant()
    def only_owned_jobs_have_a_lease_and_results_come_with_success(self) -> None:
        for row in self.rows().values():
            assert (row.lease_until is not None) == (row.status in OWNED)
            assert (row.result is not None) == (row.status == Status.SUCCEEDED)
            assert (row.error is not None) == (row.status == Status.FAILED)
            assert 0 <= row.attempts <= MAX_ATTEMPTS
            if row.result is not None:
                assert row.result == {"fence": row.fence}


def publish(connection: Connection, held: Claim) -> None:
    path = f"jobs/{held.job_id}/{held.fence}/state"
    made = Artifact(kind=rows.STATE, name=rows.STATE, path=path, media_type="x", size=1, sha256="0" * 64)
    attempts.publish(connection, held, made)


@pytest.mark.parametrize(
    "examples",
    [pytest.param(25, id="quick"), pytest.param(400, id="deep", marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def test_the_ledger_holds_whatever_workers_and_clients_do(database: Database, examples: int) -> None:
    machine = type("Bound", (LedgerMachine,), {"database": database})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30))
