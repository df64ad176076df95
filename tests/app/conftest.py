"""Fixtures of the HTTP tests: a service in this process, its client, and a worker that computes nothing."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.testing.in_process import Listening, Service, Worker, listening, running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "data") as made:
        yield made


@pytest.fixture
def client(service: Service) -> httpx.Client:
    return service.client


@pytest.fixture
def worker(service: Service) -> Worker:
    return service.worker


@pytest.fixture
def on_the_wire(tmp_path: Path) -> Iterator[Listening]:
    with listening(tmp_path / "data") as made:
        yield made
