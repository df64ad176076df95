"""Fixtures of the IonQ door: a service, and a client as IonQ's are."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.ionq.asking import HEADERS
from tests.testing.in_process import Service, running


@pytest.fixture
def ionq(service: Service) -> httpx.Client:
    """A client that sends a key, as all of them do, to a service that needs none; polls do not wait."""
    client = service.connect()
    client.base_url = httpx.URL("http://localhost:8400/v0.4/")
    client.headers.update(HEADERS)
    return client


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "data", max_wait_seconds=0.01) as made:
        yield made
