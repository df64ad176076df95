"""The broker dies and comes back empty: what runs goes on, what waits is woken again, nothing is lost."""

from pathlib import Path

import pytest

from app.cli.client import Client
from tests.chaos.test_kill import BELL, LONG_JOB
from tests.testing import servers
from tests.testing.service import cluster, wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def test_redis_is_killed_while_a_training_runs(tmp_path: Path, postgresql_url: str) -> None:
    port = servers.free_port()
    redis = servers.start_redis(port)
    with cluster(tmp_path, postgresql_url, f"redis://127.0.0.1:{port}/0") as address, Client(address) as client:
        training = client.submit(LONG_JOB | {"training": {"epochs": 60}})
        wait_for(client, training, "running")
        redis.kill()
        redis.wait()
        waiting = client.submit(BELL)  # accepted without a broker
        redis = servers.start_redis(port)
        try:
            assert wait_for(client, waiting, "succeeded", "failed")["status"] == "succeeded"
            done = wait_for(client, training, "succeeded", "failed")
            assert (done["status"], done["attempts"]) == ("succeeded", 1)
        finally:
            redis.terminate()
            redis.wait()
