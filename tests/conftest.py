"""Fixtures of all tests: a ledger on each database, and a service in this process."""

import gc
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text

from ledger.database import Database
from ledger.migrations import migrate
from tests.testing import servers

settings.register_profile("qstill", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("qstill")


def pytest_collection_finish() -> None:
    """What was imported stays: no later collection of garbage need look at torch, Qiskit and seven thousand tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    with servers.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with servers.redis() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty ledger; each test that asks for it runs on both databases."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    else:
        made = Database(_fresh_postgresql(request.getfixturevalue("postgresql_url")))
    migrate(made)
    yield made
    made.close()


def _fresh_postgresql(url: str) -> str:
    """A database of its own for a test, so that tests may run beside each other."""
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.rsplit("/", 1)[0] + f"/{name}"
