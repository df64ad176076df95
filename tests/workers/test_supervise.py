"""One attempt, with a scripted child: what it says ends in the ledger, and what goes wrong ends in good order."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from ledger import attempts, queries, requests
from ledger.attempts import Claim
from ledger.database import Change, Database
from ledger.machine import Action
from ledger.owned import MODELS
from ledger.requests import NewJob
from ledger.settings import Settings
from ledger.store.folder import FolderStore
from ledger.tables import jobs
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT, DISTILLATION, Engine
from workers.children import Child, ChildDied, Message
from workers.supervise import House, supervise

Step = Message | Callable[[], None] | type[Exception] | None


class Script(Child):
    """A child that plays its steps: a message, None for silence, an exception to raise, a function to call."""

    def __init__(self, *steps: Step) -> None:
        self.steps: Iterator[Step] = iter(steps)
        self.heard: list[Message] = []
        self.killed = False
        self.bytes = 0
        self._scratch = Path("nowhere")

    def tidy(self) -> None:
        """Nothing was left anywhere."""

    def send(self, message: Message) -> None:
        self.heard.append(message)

    def receive(self, timeout: float) -> Message | None:
        step = next(self.steps)
        if callable(step) and not isinstance(step, type):
            step()
            return None
        if isinstance(step, type):
            raise step("on purpose")
        return step

    def memory(self) -> int:
        return self.bytes

    def kill(self) -> None:
        self.killed = True


DONE = {"say": "done", "result": {"answer": 42}}
STOPPED = {"say": "stopped"}


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    settings = Settings(data_dir=tmp_path, heartbeat_seconds=0, cancel_poll_seconds=0, drain_seconds=0.05)
    return House(settings=settings, database=database, store=FolderStore(tmp_path / "store"), worker="w")


@pytest.fixture
def held(house: House) -> Claim:
    new = NewJob(kind=CIRCUIT, owner="ada", spec={}, max_attempts=2)
    house.database.write(lambda connection: requests.submit(connection, new))
    claimed = house.database.write(lambda connection: attempts.claim(connection, "circuits", "w", 30))
    assert claimed is not None
    return claimed


def job(house: House) -> Any:
    return house.database.read(lambda connection: connection.execute(select(jobs)).one())


def ask(house: House, held: Claim, action: Action) -> Callable[[], None]:
    return lambda: (
        house.database.write(lambda connection: requests.request(connection, "ada", held.job_id, action)) and None
    )


def test_what_the_child_says_is_in_the_ledger(house: House, held: Claim, tmp_path: Path) -> None:
    made = tmp_path / "counts.json"
    made.write_text("{}")
    publish = {
        "path": str(made),
        "kind": "histogram",
        "name": "counts.json",
        "media_type": "application/json",
        "meta": {},
    }
    progress = {"say": "progress", "progress": {"done": 1}}
    child = Script({"say": "ready"}, progress, {"say": "event", "kind": "epoch", "data": {"n": 1}}, None)
    child.steps = iter([*child.steps, {"say": "publish", **publish}, DONE])
    supervise(house, held, child)
    done = job(house)
    assert (done.status, done.result, done.progress) == ("succeeded", {"answer": 42}, {"done": 1})
    found = house.database.read(lambda c: queries.get_artifact(c, held.job_id, "histogram", "counts.json"))
    assert found is not None
    assert house.store.locate(found.path).read_text() == "{}"
    assert child.heard[0]["resume"] is None
    assert not child.killed


def test_progress_just_before_the_end_is_kept_and_no_later_one_replaces_a_failure(house: House, held: Claim) -> None:
    said = [{"say": "progress", "progress": {"done": done}} for done in (1, 2)]
    supervise(house, held, Script(*said, DONE))
    done = job(house)
    assert (done.status, done.result, done.progress) == ("succeeded", {"answer": 42}, {"done": 2})
    house.database.write(lambda connection: requests.submit(connection, NewJob(kind=CIRCUIT, owner="ada", spec={})))
    again = house.database.write(lambda connection: attempts.claim(connection, "circuits", "w", 30))
    assert again is not None
    problem = Problem("no_luck", "It did not work.").document()
    supervise(house, again, Script(said[0], {"say": "failed", "problem": problem}))
    failed = house.database.read(
        lambda connection: connection.execute(select(jobs).where(jobs.c.id == again.job_id)).one()
    )
    assert (failed.status, failed.progress) == ("failed", {"done": 1})


def test_a_saved_state_is_handed_to_the_next_attempt(house: House, held: Claim, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("after epoch 3")
    supervise(house, held, Script({"say": "save", "path": str(state)}, None, ChildDied))
    again = house.database.write(lambda connection: attempts.claim(connection, "circuits", "w", 30))
    assert again is not None
    child = Script(DONE)
    supervise(house, again, child)
    assert Path(child.heard[0]["resume"]).read_text() == "after epoch 3"


def test_the_child_is_told_where_models_and_checkpoints_lie_and_how_models_are_read(
    house: House, tmp_path: Path
) -> None:
    def submit(*wanted: str) -> Claim:
        new = NewJob(kind=DISTILLATION, owner="ada", spec={}, max_attempts=2, files=wanted)
        house.database.write(lambda connection: requests.submit(connection, new))
        claimed = house.database.write(lambda connection: attempts.claim(connection, "distillation", "w", 30))
        assert claimed is not None
        return claimed

    made = tmp_path / "student"
    made.write_text("weights")
    publish = {"path": str(made), "kind": "checkpoint", "name": "s", "media_type": "x/y", "meta": {}}
    first = submit()
    supervise(house, first, Script({"say": "publish", **publish}, DONE))
    (checkpoint,) = house.database.read(lambda c: queries.list_artifacts(c, first.job_id, "checkpoint"))
    stored = house.store.put(made, "models/m")
    house.database.write(
        lambda c: MODELS.add(c, "ada", "model_m", stored, name="m", labels={}, reading={"a": 1}, origin={})
    )
    child = Script(DONE)
    supervise(house, submit(checkpoint.id, "model_m"), child)
    told = child.heard[0]
    assert {name: Path(path).read_text() for name, path in told["files"].items()} == {
        checkpoint.id: "weights",
        "model_m": "weights",
    }
    assert told["models"] == {"model_m": {"a": 1}}
    assert Path(told["cache"]) == tmp_path / "cache" / "signals"


def test_a_problem_of_the_computation_is_the_jobs_error(house: House, held: Claim) -> None:
    problem = {
        "code": "dataset_invalid",
        "title": "row 3",
        "status": 422,
        "pointer": "/dataset/file",
        "try": [{"a": 1}],
    }
    supervise(house, held, Script({"say": "failed", "problem": problem}))
    failed = job(house)
    assert failed.status == "failed"
    assert failed.error == problem | {"type": "/problems/dataset-invalid"}


def test_a_child_that_dies_is_replaced_until_the_attempts_are_used_up(house: House, held: Claim) -> None:
    supervise(house, held, Script(ChildDied))
    assert job(house).status == "queued"
    house.database.write(lambda connection: connection.execute(update(jobs).values(not_before=0)))
    again = house.database.write(lambda connection: attempts.claim(connection, "circuits", "w", 30))
    assert again is not None
    supervise(house, again, Script(ChildDied))
    assert (job(house).status, job(house).error["code"]) == ("failed", "child_died")


@pytest.mark.parametrize(("action", "end"), [(Action.CANCEL, "cancelled"), (Action.PAUSE, "paused")])
def test_a_request_to_stop_reaches_the_child(house: House, held: Claim, action: Action, end: str) -> None:
    child = Script(ask(house, held, action), None, STOPPED)
    supervise(house, held, child)
    assert child.heard[1:] == [{"stop": True}]
    assert job(house).status == end


def test_a_worker_that_drains_gives_the_job_back_without_an_attempt(house: House, held: Claim) -> None:
    child = Script(house.draining.set, None, STOPPED)
    supervise(house, held, child)
    assert (job(house).status, job(house).attempts) == ("queued", 0)


def test_a_child_that_does_not_stop_is_killed_and_the_job_given_back(house: House, held: Claim) -> None:
    silence = [None] * 100_000
    child = Script(house.draining.set, *silence)
    supervise(house, held, child)
    assert child.killed
    assert (job(house).status, job(house).attempts) == ("queued", 0)


def test_a_cancelled_child_that_goes_on_is_not_waited_for(
    house: House, held: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.supervise.CANCEL_SECONDS", 0.0)
    slow = House(
        settings=house.settings.model_copy(update={"drain_seconds": 3600.0}),
        database=house.database,
        store=house.store,
        worker="w",
    )
    child = Script(ask(house, held, Action.CANCEL), *[None] * 1000)
    supervise(slow, held, child)
    assert child.killed
    assert job(house).status == "cancelled"


def test_a_database_that_is_away_for_a_moment_costs_no_attempt(
    house: House, held: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, refusals = house.database.write, iter(range(2))

    def write(change: Change[Any]) -> Any:
        if next(refusals, None) is not None:
            raise OperationalError("UPDATE", {}, ConnectionError("refused"))
        return written(change)

    monkeypatch.setattr(house.database, "write", write)
    monkeypatch.setattr("workers.supervise.DATABASE_PAUSE_SECONDS", 0.01)
    supervise(house, held, Script(DONE))
    assert (job(house).status, job(house).attempts) == ("succeeded", 1)
    assert next(refusals, None) is None


def test_a_child_over_its_memory_is_killed_and_the_job_fails(house: House, held: Claim) -> None:
    child = Script(None, None)
    child.bytes = house.settings.memory_limit(Engine.CIRCUITS) + 1
    supervise(house, held, child)
    assert child.killed
    assert (job(house).status, job(house).error["code"]) == ("failed", "memory_limit")


def test_the_time_of_a_job_begins_when_its_child_is_ready(house: House, held: Claim) -> None:
    hasty = House(
        settings=house.settings.model_copy(update={"circuit_seconds": -1.0}),
        database=house.database,
        store=house.store,
        worker="w",
    )
    child = Script(None, None, {"say": "ready"}, None, None, DONE)
    supervise(hasty, held, child)
    assert (job(house).status, job(house).error["code"]) == ("failed", "time_limit")
    assert len(list(child.steps)) == 2  # it was left in peace until then


def test_an_attempt_that_lost_its_job_ends_its_child_and_changes_nothing(house: House, held: Claim) -> None:
    def expire() -> None:
        house.database.write(lambda connection: connection.execute(update(jobs).values(lease_until=0)))
        house.database.write(lambda connection: attempts.expire(connection, Problem("worker_lost", "lost")))
        house.database.write(lambda connection: attempts.claim(connection, "circuits", "another", 30))

    child = Script(expire, DONE)
    supervise(house, held, child)
    assert child.killed
    assert (job(house).status, job(house).worker) == ("running", "another")


SUBMITTED = {"id": "job_0f", "kind": "circuit", "spec": {"shots": 5}, "name": "certificate", "labels": {"of": "it"}}


def all_jobs(house: House) -> list[Any]:
    return list(house.database.read(lambda connection: connection.execute(select(jobs).order_by(jobs.c.id)).all()))


def test_a_job_that_ends_in_good_order_queues_what_it_submits(house: House, held: Claim) -> None:
    supervise(house, held, Script(DONE | {"jobs": [SUBMITTED]}))
    parent, child = all_jobs(house)
    assert (parent.id, parent.status) == (held.job_id, "succeeded")
    assert (child.id, child.status, child.owner, child.name) == ("job_0f", "queued", "ada", "certificate")
    assert (child.spec, child.labels, child.max_attempts) == ({"shots": 5}, {"of": "it"}, 2)
    follows = house.database.write(lambda connection: attempts.claim(connection, "circuits", "w", 30))
    assert follows is not None
    assert follows.job_id == "job_0f"


@pytest.mark.parametrize("end", ["failed", "cancelled", "stale"])
def test_a_job_that_ends_otherwise_queues_nothing(house: House, held: Claim, end: str) -> None:
    said: Message = DONE | {"jobs": [SUBMITTED]}
    if end == "failed":
        said = {"say": "failed", "problem": Problem("x", "y").document(), "jobs": [SUBMITTED]}
    if end == "cancelled":
        house.database.write(lambda connection: requests.request(connection, "ada", held.job_id, Action.CANCEL))
    if end == "stale":
        lost = update(jobs).values(fence=jobs.c.fence + 1)
        house.database.write(lambda connection: connection.execute(lost))
    supervise(house, held, Script(said))
    assert [each.id for each in all_jobs(house)] == [held.job_id]
