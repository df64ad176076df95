"""Who is next, on SQLite and on PostgreSQL: owners take turns, whatever their jobs are."""

import threading
from collections import Counter
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import Connection

from ledger import attempts, requests, turns
from ledger.attempts import Claim
from ledger.database import Database
from ledger.requests import NewJob
from ledger.tables import jobs
from ledger.tables import turns as table
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT, Queue

OWNERS = "abcd"
PRIORITIES = st.integers(-100, 100)
SIZES = [
    pytest.param(10, id="quick"),
    pytest.param(200, id="deep", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
]


def submit(database: Database, owner: str, priority: int = 0) -> str:
    new = NewJob(kind=CIRCUIT, owner=owner, spec={}, priority=priority)
    return str(database.write(lambda connection: requests.submit(connection, new))[0].id)


def claim(database: Database, at_most: int = attempts.UNBOUNDED) -> Claim | None:
    return database.write(lambda connection: attempts.claim(connection, Queue.CIRCUITS, "w", 1000, at_most))


def finish(database: Database, held: Claim) -> None:
    database.write(lambda connection: attempts.finish(connection, held, {}))


def empty(database: Database) -> None:
    for each in (jobs, table):
        database.write(lambda connection, each=each: connection.execute(each.delete()))


@pytest.mark.parametrize(
    "examples", [pytest.param(20, id="quick"), pytest.param(300, id="deep", marks=pytest.mark.slow)]
)
def test_of_owners_who_all_wait_none_is_served_twice_more_than_another(database: Database, examples: int) -> None:
    @settings(max_examples=examples)
    @given(queues=st.lists(st.lists(PRIORITIES, min_size=1, max_size=5), min_size=2, max_size=4))
    def law(queues: list[list[int]]) -> None:
        empty(database)
        owner_of = {
            submit(database, OWNERS[i], priority): OWNERS[i] for i, own in enumerate(queues) for priority in own
        }
        served: Counter[str] = Counter()
        left = Counter(owner_of.values())
        while (held := claim(database)) is not None:
            finish(database, held)
            owner = owner_of[held.job_id]
            waiting = [other for other in left if left[other] > 0]
            assert served[owner] == min(served[other] for other in waiting)
            served[owner] += 1
            left[owner] -= 1
        assert left.total() == 0

    law()


class QueueMachine(RuleBasedStateMachine):
    """A queue beside its model: who runs how much, and who was served when."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        empty(self.database)
        self.clock = count(1)
        self.queued: dict[str, tuple[str, int]] = {}  # owner and priority by id, which sorts by age
        self.running: dict[str, tuple[Claim, str]] = {}
        self.served: dict[str, int] = {}

    @rule(owner=st.sampled_from(OWNERS), priority=st.integers(0, 2))
    def submit(self, owner: str, priority: int) -> None:
        self.queued[submit(self.database, owner, priority)] = (owner, priority)
        self.served.setdefault(owner, next(self.clock))

    @rule(at_most=st.integers(1, 3))
    def claim(self, at_most: int) -> None:
        busy = Counter(owner for _, owner in self.running.values())
        waiting = {owner for owner, _ in self.queued.values() if busy[owner] < at_most}
        held = claim(self.database, at_most)
        if not waiting:
            assert held is None
            return
        assert held is not None
        owner = min(waiting, key=lambda each: (busy[each], self.served[each]))
        theirs = {job: priority for job, (each, priority) in self.queued.items() if each == owner}
        assert held.job_id == min(theirs, key=lambda job: (-theirs[job], job))
        del self.queued[held.job_id]
        self.running[held.job_id] = (held, owner)
        self.served[owner] = next(self.clock)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: Any) -> None:
        held, _ = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        finish(self.database, held)


@pytest.mark.parametrize(
    "examples", [pytest.param(20, id="quick"), pytest.param(200, id="deep", marks=pytest.mark.slow)]
)
def test_the_fewest_running_then_the_longest_unserved_then_priority_then_age(database: Database, examples: int) -> None:
    machine = type("Bound", (QueueMachine,), {"database": database})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=25))


def test_who_has_as_many_running_as_one_may_is_passed_over(database: Database) -> None:
    for owner in "aaab":
        submit(database, owner)
    held = [claim(database, at_most=2) for _ in range(4)]
    assert [each is not None for each in held] == [True, True, True, False]
    assert held[0] is not None
    finish(database, held[0])
    assert claim(database, at_most=2) is not None


def test_a_submission_that_is_not_durable_yet_keeps_its_owner_among_those_who_wait(database: Database) -> None:
    submit(database, "a")
    held = claim(database)
    assert held is not None
    inside, swept = threading.Event(), threading.Event()

    def slowly(connection: Connection) -> None:
        requests.submit(connection, NewJob(kind=CIRCUIT, owner="a", spec={}))
        inside.set()
        swept.wait(0.5)  # SQLite sweeps only once this has ended

    submitted = database.submit(slowly)
    assert inside.wait(10)
    database.submit(turns.sweep).add_done_callback(lambda done: swept.set())
    submitted.result()
    assert swept.wait(10)
    assert claim(database) is not None


def test_what_is_not_eligible_yet_holds_nobody_up(database: Database) -> None:
    submit(database, "a")
    held = claim(database)
    assert held is not None
    database.write(lambda connection: connection.execute(jobs.update().values(attempts=3)))
    database.write(lambda connection: attempts.lose(connection, held, Problem("child_died", "died")))
    other = submit(database, "b")
    taken = claim(database)
    assert taken is not None
    assert taken.job_id == other
    assert claim(database) is None
