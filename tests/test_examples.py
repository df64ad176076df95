"""What the documentation shows is accepted as it stands."""

import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from app.cli.demo import DISTILLATION, GHZ
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.kinds import CIRCUIT, kind_of

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))


def accept(body: str) -> None:
    distillation: TypeAdapter[AnyJob] = TypeAdapter(Job)
    if kind_of(json.loads(body)) == CIRCUIT:
        CircuitJob.model_validate_json(body)
    else:
        distillation.validate_json(body)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_accepted(path: Path) -> None:
    accept(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", ["README.md", "docs/deployment.md", "docs/distillation.md", "docs/fusion.md"])
def test_every_body_in_the_documentation_is_accepted(page: str) -> None:
    bodies = re.findall(r"-d '(\{.*?\})'", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert bodies
    for body in bodies:
        accept(body)


def test_the_demo_runs_the_example() -> None:
    assert json.loads((ROOT / "examples" / "distil-digits.json").read_text(encoding="utf-8")) == DISTILLATION
    accept(json.dumps(GHZ))
