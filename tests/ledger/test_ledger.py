"""The ledger, function by function, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, insert, select, update

from ledger import attempts, queries, requests, rows
from ledger.attempts import Artifact, Claim, StaleFence
from ledger.database import Database, now
from ledger.machine import Action, IllegalTransition
from ledger.requests import NewJob, Replay
from ledger.tables import artifacts, events, jobs, trash
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT, DISTILLATION
from qstill.contract.status import Status
from tests.testing.refusals import problem_of

PROBLEM = Problem("worker_lost", "lost")


def new(**values: object) -> NewJob:
    return NewJob(**{"kind": CIRCUIT, "owner": "ada", "spec": {"shots": 1}} | values)


def submit(database: Database, **values: object) -> str:
    job, _ = database.write(lambda connection: requests.submit(connection, new(**values)))
    return job.id


def claim(database: Database, queue: str = "circuits", lease: float = 30.0) -> Claim | None:
    return database.write(lambda connection: attempts.claim(connection, queue, "worker", lease))


def must_claim(database: Database, lease: float = 30.0) -> Claim:
    held = claim(database, lease=lease)
    assert held is not None
    return held


def job(database: Database, job_id: str) -> rows.Job:
    return database.read(lambda connection: connection.execute(select(jobs).where(jobs.c.id == job_id)).one())


def kinds(database: Database, job_id: str) -> list[str]:
    found = database.read(lambda connection: queries.list_events(connection, job_id, after=0, limit=100))
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    return [event.kind for event in found]


def test_a_job_goes_from_queued_to_succeeded_and_its_log_tells_it(database: Database) -> None:
    job_id = submit(database, labels={"course": "qc101"})
    held = must_claim(database)
    assert (held.job_id, held.fence, held.spec) == (job_id, 1, {"shots": 1})
    database.write(lambda connection: attempts.append(connection, held, "epoch", {"loss": 0.5}))
    database.write(lambda connection: attempts.report_progress(connection, held, {"done": 1}))
    database.write(lambda connection: attempts.finish(connection, held, {"counts": {"00": 1}}))
    done = job(database, job_id)
    assert (done.status, done.result, done.worker, done.lease_until) == ("succeeded", {"counts": {"00": 1}}, None, None)
    assert done.created_at <= done.started_at <= done.finished_at
    assert kinds(database, job_id) == ["queued", "running", "epoch", "succeeded"]


def test_what_else_comes_with_a_job_is_there_with_it_or_neither_is(database: Database) -> None:
    def also(connection: Connection, made: rows.Job) -> None:
        connection.execute(insert(trash).values(path=made.id))
        if made.name == "broken":
            raise PROBLEM

    made, _ = database.write(lambda connection: requests.submit(connection, new(), also=also))
    with pytest.raises(Problem):
        database.write(lambda connection: requests.submit(connection, new(name="broken"), also=also))
    assert database.read(lambda connection: connection.scalars(select(jobs.c.id)).all()) == [made.id]
    assert database.read(lambda connection: connection.scalars(select(trash.c.path)).all()) == [made.id]


def test_claims_go_by_fewest_running_of_the_owner_then_by_priority_then_by_age(database: Database) -> None:
    first = submit(database, owner="ada")
    second = submit(database, owner="ada")
    third = submit(database, owner="bob")
    urgent = submit(database, owner="ada", priority=5)
    assert [must_claim(database).job_id for _ in range(4)] == [urgent, third, first, second]
    assert claim(database) is None


def test_a_queue_gives_only_its_own_jobs(database: Database) -> None:
    submit(database, kind=DISTILLATION)
    assert claim(database, "circuits") is None
    assert claim(database, "distillation") is not None


def test_many_claimers_never_share_a_job(database: Database) -> None:
    submitted = {submit(database, owner=f"owner-{i % 3}") for i in range(30)}
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda _: claim(database), range(40)))
    taken = [one.job_id for one in held if one is not None]
    assert len(taken) == 30
    assert set(taken) == submitted


def test_a_stale_fence_changes_nothing(database: Database) -> None:
    job_id = submit(database)
    stale = must_claim(database, lease=-1)
    assert database.write(lambda connection: attempts.expire(connection, PROBLEM)) == 1
    fresh = must_claim(database)
    assert fresh.fence == stale.fence + 1
    before = job(database, job_id)
    for write in (
        lambda connection: attempts.heartbeat(connection, stale, 30),
        lambda connection: attempts.append(connection, stale, "epoch", {}),
        lambda connection: attempts.report_progress(connection, stale, {}),
        lambda connection: attempts.finish(connection, stale, {}),
        lambda connection: attempts.fail(connection, stale, PROBLEM),
        lambda connection: attempts.release(connection, stale),
        lambda connection: attempts.lose(connection, stale, PROBLEM),
        lambda connection: publish(connection, stale, "histogram", "a"),
    ):
        with pytest.raises(StaleFence):
            database.write(write)
    with pytest.raises(StaleFence):
        database.read(lambda connection: attempts.standing(connection, stale))
    assert job(database, job_id) == before


def test_a_lost_job_is_tried_again_until_its_attempts_are_used_up(database: Database) -> None:
    job_id = submit(database, max_attempts=2)
    must_claim(database, lease=-1)
    database.write(lambda connection: attempts.expire(connection, PROBLEM))
    assert job(database, job_id).status == Status.QUEUED
    must_claim(database, lease=-1)
    database.write(lambda connection: attempts.expire(connection, PROBLEM))
    lost = job(database, job_id)
    assert (lost.status, lost.error["code"], lost.attempts) == ("failed", "worker_lost", 2)


def test_a_heartbeat_keeps_the_lease(database: Database) -> None:
    submit(database)
    held = must_claim(database, lease=-1)
    database.write(lambda connection: attempts.heartbeat(connection, held, 30))
    assert database.write(lambda connection: attempts.expire(connection, PROBLEM)) == 0


def test_a_released_job_does_not_count_the_attempt(database: Database) -> None:
    job_id = submit(database, max_attempts=1)
    for _ in range(3):
        held = must_claim(database)
        database.write(lambda connection, held=held: attempts.release(connection, held))
    assert (job(database, job_id).attempts, job(database, job_id).status) == (0, "queued")


def test_jobs_that_keep_dying_wait_longer_each_time(database: Database) -> None:
    job_id = submit(database, max_attempts=9)
    waits = []
    for _ in range(3):
        held = must_claim(database)
        lost = database.write(lambda connection, held=held: attempts.lose(connection, held, PROBLEM))
        waits.append(lost.not_before - database.read(lambda connection: connection.scalar(select(now()))))
        database.write(lambda connection: connection.execute(update(jobs).values(not_before=0)))
    assert waits == pytest.approx([0, 2, 4], abs=1)
    assert job(database, job_id).status == Status.QUEUED


def test_the_same_idempotency_key_is_the_same_job(database: Database) -> None:
    replay = Replay(key="k", fingerprint="a" * 64)
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(lambda _: database.write(lambda connection: requests.submit(connection, new(), replay)), range(8))
        )
    assert len({made_job.id for made_job, _ in made}) == 1
    assert sum(not replayed for _, replayed in made) == 1
    other = Replay(key="k", fingerprint="b" * 64)
    refused = problem_of(database.write, lambda connection: requests.submit(connection, new(), other))
    assert refused.code == "idempotency_key_reused"
    database.write(lambda connection: requests.submit(connection, new(owner="bob"), other))


def test_cancel_pause_and_resume(database: Database) -> None:
    def ask(action: Action) -> str:
        return database.write(lambda connection: requests.request(connection, "ada", job_id, action)).status

    job_id = submit(database)
    assert [ask(Action.PAUSE), ask(Action.PAUSE), ask(Action.RESUME)] == ["paused", "paused", "queued"]
    held = must_claim(database)
    assert [ask(Action.PAUSE), ask(Action.RESUME), ask(Action.PAUSE)] == ["pausing", "running", "pausing"]
    assert database.read(lambda connection: attempts.standing(connection, held)) == Status.PAUSING
    assert database.write(lambda connection: attempts.release(connection, held)).status == Status.PAUSED
    assert claim(database) is None
    assert ask(Action.RESUME) == "queued"
    held = must_claim(database)
    assert [ask(Action.CANCEL), ask(Action.CANCEL)] == ["cancelling", "cancelling"]
    with pytest.raises(IllegalTransition):
        ask(Action.RESUME)
    ended = database.write(lambda connection: attempts.finish(connection, held, {"late": True}))
    assert (ended.status, ended.result) == ("cancelled", None)
    with pytest.raises(IllegalTransition):
        ask(Action.CANCEL)


def test_another_owner_and_another_version_are_refused(database: Database) -> None:
    job_id = submit(database)
    unknown = problem_of(database.write, lambda connection: requests.request(connection, "eve", job_id, Action.CANCEL))
    assert unknown.status == 404
    stale = problem_of(
        database.write, lambda connection: requests.request(connection, "ada", job_id, Action.CANCEL, version=7)
    )
    assert stale.status == 412
    assert job(database, job_id).status == Status.QUEUED


def publish(connection: Connection, held: Claim, kind: str, name: str) -> str:
    path = f"jobs/{held.job_id}/{held.fence}/{kind}/{name}"
    made = Artifact(kind=kind, name=name, path=path, media_type="x", size=1, sha256="0" * 64)
    (artifact_id,) = attempts.publish(connection, held, made)
    return artifact_id


def test_what_is_published_twice_at_once_is_published_once_and_the_former_bytes_are_discarded(
    database: Database,
) -> None:
    submit(database)
    held = must_claim(database)
    first = Artifact(kind="results", name="r", path="jobs/a", media_type="x", size=1, sha256="0" * 64)
    last = Artifact(kind="results", name="r", content=b"few", media_type="x", size=3, sha256="1" * 64)
    other = Artifact(kind="diagram", name="d", content=b"more", media_type="x", size=4, sha256="2" * 64)
    ids = database.write(lambda connection: attempts.publish(connection, held, first, other, last))
    found = database.read(lambda connection: queries.get_artifact(connection, held.job_id, "results", "r"))
    assert found is not None
    assert (found.content, found.path, found.id in ids, len(ids)) == (b"few", None, True, 2)
    assert paths(database) == {"jobs/a"}


def paths(database: Database) -> set[str]:
    return set(database.read(lambda connection: connection.scalars(select(trash.c.path)).all()))


def test_an_artifact_published_again_replaces_the_former_and_discards_its_bytes(database: Database) -> None:
    job_id = submit(database)
    first = must_claim(database, lease=-1)
    database.write(lambda connection: publish(connection, first, rows.STATE, "state"))
    database.write(lambda connection: publish(connection, first, "checkpoint", "student"))
    database.write(lambda connection: attempts.expire(connection, PROBLEM))
    second = must_claim(database)
    database.write(lambda connection: publish(connection, second, rows.STATE, "state"))
    assert paths(database) == {f"jobs/{job_id}/1/state/state"}
    database.write(lambda connection: attempts.finish(connection, second, {}))
    assert paths(database) == {f"jobs/{job_id}/1/state/state", f"jobs/{job_id}/2/state/state"}
    kept = database.read(lambda connection: queries.list_artifacts(connection, job_id, "checkpoint"))
    assert [row.name for row in kept] == ["student"]


def test_deleting_a_job_takes_everything_with_it_and_waits_for_its_end(database: Database) -> None:
    job_id = submit(database, labels={"a": "b"})
    held = must_claim(database)
    running = problem_of(database.write, lambda connection: requests.delete(connection, "ada", job_id))
    assert running.code == "job_not_finished"
    database.write(lambda connection: publish(connection, held, "histogram", "h"))
    database.write(lambda connection: attempts.finish(connection, held, {}))
    database.write(lambda connection: requests.delete(connection, "ada", job_id))
    assert f"jobs/{job_id}" in paths(database)
    for table in (jobs, events, artifacts):
        assert database.read(lambda connection, table=table: connection.execute(select(table)).all()) == []


def test_one_change_that_fails_takes_no_other_with_it(database: Database) -> None:
    def broken(connection: Connection) -> None:
        requests.submit(connection, new(name="broken"))
        raise RuntimeError("on purpose")

    futures = [database.submit(broken if i % 3 == 0 else lambda c: requests.submit(c, new())) for i in range(30)]
    assert sum(isinstance(future.exception(), RuntimeError) for future in futures) == 10
    found = database.read(lambda connection: connection.scalars(select(jobs.c.name)).all())
    assert found == [None] * 20
