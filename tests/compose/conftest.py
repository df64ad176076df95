"""What the tests of the compose file took, at the end of a run; and that they run only when asked for."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

Timed = Callable[[str], AbstractContextManager[None]]

TIMINGS = pytest.StashKey[list[tuple[str, float]]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "compose" not in config.getoption("markexpr"):
        for item in items:
            if item.get_closest_marker("compose"):
                item.add_marker(pytest.mark.skip(reason="builds and starts containers for minutes: make compose-test"))


@pytest.fixture(scope="session")
def timed(pytestconfig: pytest.Config) -> Timed:
    """`with timed("building"): ...` adds a line to the end of the run."""
    lines = pytestconfig.stash.setdefault(TIMINGS, [])

    @contextmanager
    def measure(what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        lines.append((what, time.monotonic() - started))

    return measure


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for what, seconds in config.stash.get(TIMINGS, []):
        terminalreporter.write_line(f"{seconds:7.1f} s  {what}")
