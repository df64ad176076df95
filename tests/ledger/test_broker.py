"""Wake-ups through files and through Redis."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection, Queue

from ledger.broker.wakeups import WAKEUP_TASK, Waker, make_celery
from ledger.settings import Settings

WRITERS, MESSAGES = 4, 200


@pytest.fixture(params=["files", "redis"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    return Settings(data_dir=tmp_path, broker_url=url)


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    with make_celery(settings).connection_for_read() as made:
        yield made


def drain(connection: Connection, queue: str, idle: float = 1.0) -> list[str]:
    """The tasks that wait in a queue."""
    found: list[str] = []

    def take(body: object, message: object) -> None:
        found.append(message.headers["task"])  # type: ignore[attr-defined]
        message.ack()  # type: ignore[attr-defined]

    with connection.Consumer(Queue(queue, exchange=queue, routing_key=queue), callbacks=[take]):
        try:
            while True:
                connection.drain_events(timeout=idle)
        except TimeoutError:
            return found


def test_a_wake_up_arrives_in_its_queue(settings: Settings, connection: Connection) -> None:
    waker = Waker(settings)
    waker.wake("circuits")
    waker.wake("distillation")
    assert drain(connection, "circuits") == drain(connection, "distillation") == [WAKEUP_TASK]
    waker.close()


def test_a_queue_holds_one_wake_up_whoever_sends_and_the_next_once_it_is_taken(
    settings: Settings, connection: Connection
) -> None:
    celery = make_celery(settings)

    def send() -> None:
        for _ in range(MESSAGES):
            celery.send_task(WAKEUP_TASK, args=["circuits"], queue="circuits")

    for _ in range(2):
        writers = [threading.Thread(target=send) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert connection.default_channel._size("circuits") == 1
        assert drain(connection, "circuits") == [WAKEUP_TASK]
    celery.close()


def test_no_message_is_seen_half_written_and_none_stays_behind(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    celery = make_celery(settings)

    def send() -> None:
        for _ in range(MESSAGES):
            celery.send_task(WAKEUP_TASK, args=["circuits"], queue="circuits")

    writers = [threading.Thread(target=send) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    with celery.connection_for_read() as connection:
        assert set(drain(connection, "circuits", idle=2.0)) == {WAKEUP_TASK}
    for writer in writers:
        writer.join()
    assert list((settings.broker_dir / "messages").iterdir()) == []


def test_a_broker_that_is_away_delays_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    waker = Waker(Settings(data_dir=tmp_path, broker_url="redis://127.0.0.1:1/0"))
    for _ in range(100):
        waker.wake("circuits")
    waker.close()
