"""What the page on distillation claims in numbers is measured again, by the program that measured it."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from qstill.contract.distillations.domains import AnyJob, Job
from tests.testing.service import running

PROGRAM = Path(__file__).parent.parent / "examples" / "figures.py"
QUICK = ["noise", "unseen", "all-labels"]


@pytest.fixture(scope="module")
def figures() -> Iterator[ModuleType]:
    """The program as a module; it is not part of a package."""
    spec = importlib.util.spec_from_file_location("figures", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(PROGRAM.parent))  # where a program finds what lies beside it
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(PROGRAM.parent))


def test_every_job_of_a_figure_is_accepted(figures: ModuleType) -> None:
    adapter: TypeAdapter[AnyJob] = TypeAdapter(Job)
    bodies = [post.body() for show in figures.SHOWS.values() for post in show.posts]
    for body in bodies:
        adapter.validate_python(body)
    assert len({str(body) for body in bodies}) == len(bodies), "every change changes something"


def test_a_figure_is_missed_on_the_wrong_side_of_its_goal(figures: ModuleType) -> None:
    assert figures.Figure("gain", 2.0, 1.5).met
    assert not figures.Figure("gain", 1.0, 1.5).met
    assert figures.Figure("loss", 1.0, 1.5, at_most=True).met
    assert not figures.Figure("loss", 2.0, 1.5, at_most=True).met


def test_a_figure_that_does_not_exist_is_named(figures: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"no figure 'gains'.*digits"):
        figures.main(["gains"])


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.xdist_group("figures")
def test_the_quick_figures_meet_their_goals(figures: ModuleType, tmp_path: Path) -> None:
    found: list[Any] = []
    with running(tmp_path / "data") as service, httpx.Client(base_url=service.address, timeout=60) as client:
        for _, _, shown in figures.shown(client, QUICK):
            found += shown
    assert len(found) >= len(QUICK)
    assert [figure for figure in found if not figure.met] == []
