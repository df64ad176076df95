"""Students that begin from their teacher's weights: which, when they cannot, and what the comparison is then."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from safetensors.torch import load_file

from qstill.contract.distillations.architectures import AnyArchitecture, Architecture
from qstill.contract.distillations.initialisation import taken
from qstill.contract.distillations.job import DistillationJob
from tests.testing.refusals import errors_of, problem_of
from workers.distillation import teachers
from workers.distillation.data.dataset import Data
from workers.distillation.distil import load_data
from workers.distillation.jobs import distil_job
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.families import build
from workers.distillation.teachers.base import arranged
from workers.distillation.teachers.initialise import weights_from

pytestmark = pytest.mark.training

Make = Callable[..., Any]
Json = dict[str, Any]

TEXT: Json = {"source": "builtin_text", "name": "python_topics", "tokenizer": {"kind": "character"}, "max_length": 12}
SIZES: Json = {"width": 8, "heads": 2}
DIGITS: Json = {"source": "builtin", "name": "digits"}
DATA: dict[str, Json] = {
    "encoder": TEXT | {"task": "masked_language_modelling"},
    "decoder": TEXT | {"task": "language_modelling"},
    "text_transformer": TEXT | {"task": "classification"},
    "vit": DIGITS,
}
FILE: Json = {"source": "file", "file": "file_1"}


def network(kind: str, depth: int, **changes: Any) -> Json:
    return {"kind": kind, **SIZES, "depth": depth, **({"patch": 4} if kind == "vit" else {}), **changes}


def body(kind: str = "encoder", *, teacher: Json | None = None, student: Json | None = None, **how: Any) -> Json:
    return {
        "dataset": DATA[kind],
        "teacher": {"source": "train", "architecture": teacher or network(kind, 4)},
        "student": {"architecture": student or network(kind, 2), "initialise_from_teacher": how},
        "training": {"epochs": 1, "batch_size": 256},
        "evaluation": {"seeds": 1},
    }


def built(given: Json, data: Data, seed: int) -> Any:
    architecture: AnyArchitecture = TypeAdapter(Architecture).validate_python(given)
    return build(
        architecture, data.input_shape, len(data.classes), seed=seed, pointer="", vocabulary=data.inputs.vocabulary
    ).eval()


@given(st.integers(1, 8), st.integers(1, 8))
def test_blocks_are_evenly_spaced_from_the_first_to_the_last(student: int, more: int) -> None:
    teacher = min(8, student + more - 1)
    found = taken(None, student, teacher)
    assert (len(found), found[0]) == (student, 0)
    assert found == sorted(set(found))
    assert student == 1 or found[-1] == teacher - 1
    gaps = [b - a for a, b in pairwise(found)]
    assert not gaps or max(gaps) - min(gaps) <= 1
    assert student < teacher or found == list(range(student))


def test_of_twelve_blocks_six_are_those_of_distilbert() -> None:
    assert taken(None, 6, 12) == [0, 2, 4, 7, 9, 11]  # transformers' extract_distilbert.py
    assert taken([1, 3], 2, 4) == [1, 3]


@pytest.mark.parametrize("kind", list(DATA))
def test_a_student_with_all_blocks_is_its_teacher(kind: str, house: Make) -> None:
    data = load_data(DistillationJob.model_validate(body(kind)), house())
    teacher, student = (built(network(kind, 3), data, seed) for seed in (1, 2))
    x = data.test.x[:5]
    assert not torch.allclose(logits_of(student, x), logits_of(teacher, x))
    student.load_state_dict(weights_from(teachers.trained(teacher, b""), student, None))
    assert torch.equal(logits_of(student, x), logits_of(teacher, x))
    before = logits_of(teacher, x)
    with torch.no_grad():
        student.embedding.weight.zero_()
    assert torch.equal(logits_of(teacher, x), before)  # the weights are copies


def test_a_shallower_student_has_the_blocks_that_were_chosen(house: Make) -> None:
    data = load_data(DistillationJob.model_validate(body()), house())
    teacher, student = built(network("encoder", 4), data, 1), built(network("encoder", 2), data, 2)
    weights = weights_from(teachers.trained(teacher, b""), student, [1, 2])
    for mine, theirs in ((0, 1), (1, 2)):
        for name, tensor in teacher.blocks[theirs].state_dict().items():
            assert torch.equal(weights[f"blocks.{mine}.{name}"], tensor)
    for name in ("embedding.weight", "positions", "norm.weight", "norm.bias"):
        assert torch.equal(weights[name], teacher.state_dict()[name])


def test_the_head_of_a_teacher_with_another_order_of_classes_is_put_in_order(house: Make) -> None:
    data = load_data(DistillationJob.model_validate(body("vit")), house())
    teacher, student = (built(network("vit", 2), data, seed) for seed in (1, 2))
    turned = arranged(teachers.trained(teacher, b""), data.classes[::-1], data.classes)
    student.load_state_dict(weights_from(turned, student, None))
    torch.testing.assert_close(logits_of(student, data.test.x[:5]), turned.logits(data.test.some(slice(5))))


@pytest.mark.parametrize(
    ("given", "place", "code"),
    [
        (
            body("encoder", student=network("encoder", 2, width=4)),
            "student/architecture/width",
            "initialisation_mismatch",
        ),
        (
            body("encoder", student=network("encoder", 2, heads=4)),
            "student/architecture/heads",
            "initialisation_mismatch",
        ),
        (body("encoder", student=network("encoder", 5)), "student/architecture/depth", "initialisation_mismatch"),
        (body("vit", student=network("vit", 2, patch=2)), "student/architecture/patch", "initialisation_mismatch"),
        (body("vit", teacher={"kind": "mlp", "hidden": [4]}), "student/architecture/kind", "initialisation_mismatch"),
        (body("vit", student={"kind": "mlp", "hidden": [4]}), "student/architecture/kind", "initialisation_mismatch"),
        (body(blocks=[0, 4]), "student/initialise_from_teacher/blocks", "no_such_block"),
        (body(blocks=[0, 1, 2]), "student/initialise_from_teacher/blocks", "wrong_number_of_blocks"),
        (body(blocks=[2, 1]), "student/initialise_from_teacher/blocks", "not_ascending"),
        (body(blocks=[1, 1]), "student/initialise_from_teacher/blocks", "not_ascending"),
        (body(blocks=[-1, 1]), "student/initialise_from_teacher/blocks/0", "greater_than_equal"),
        (
            body(baseline=True) | {"evaluation": {"baseline": False}},
            "student/initialise_from_teacher/baseline",
            "no_baseline",
        ),
        (
            body("vit") | {"teacher": {"source": "soft_labels", "file": "file_1", "kind": "logits"}},
            "student/initialise_from_teacher",
            "weights_unavailable",
        ),
        (
            body("vit") | {"teacher": FILE | {"format": "onnx"}},
            "student/initialise_from_teacher",
            "weights_unavailable",
        ),
        (
            body("vit") | {"teacher": {"source": "http", "url": "https://a.example/x"}},
            "student/initialise_from_teacher",
            "weights_unavailable",
        ),
        (
            body() | {"teacher": {"source": "ensemble", "members": [body()["teacher"]] * 2}},
            "student/initialise_from_teacher",
            "weights_unavailable",
        ),
    ],
)
def test_what_cannot_begin_from_its_teacher_is_refused_at_the_door(given: Json, place: str, code: str) -> None:
    (one,) = errors_of(DistillationJob.model_validate, given)
    steps = [str(step) for step in one["loc"] if step not in DATA.keys() | {"mlp"}]
    assert ("/".join(steps), one["type"]) == (place, code)


@pytest.fixture
def taught(house: Make) -> Path:
    """The checkpoint of a teacher that an earlier job trained."""
    done = house()
    given = body("text_transformer") | {"evaluation": {"seeds": 1, "baseline": False}}
    distil_job(DistillationJob.model_validate(given), done)
    path: Path = done.scratch / "teacher.safetensors"
    return path


@pytest.mark.parametrize(
    ("student", "how", "pointer", "code"),
    [
        (network("text_transformer", 2, width=4), {}, "/student/architecture/width", "initialisation_mismatch"),
        (network("text_transformer", 5), {}, "/student/architecture/depth", "initialisation_mismatch"),
        (
            network("text_transformer", 2),
            {"blocks": [1, 5]},
            "/student/initialise_from_teacher/blocks",
            "no_such_block",
        ),
    ],
)
def test_a_teacher_that_was_read_is_looked_at_before_anything_is_trained(
    house: Make, taught: Path, student: Json, how: Json, pointer: str, code: str
) -> None:
    done = house(files={"file_1": taught})
    spec = DistillationJob.model_validate(body("text_transformer", student=student, **how) | {"teacher": FILE})
    error = problem_of(distil_job, spec, done)
    assert (error.code, error.pointer) == (code, pointer)
    assert not done.published


def test_the_baseline_begins_from_random_weights_unless_it_is_asked_to_begin_from_the_teacher(
    house: Make, taught: Path
) -> None:
    """A learning rate that moves nothing shows where networks began."""
    theirs = load_file(taught)
    for baseline in (False, True):
        done = house(files={"file_1": taught})
        given = body("text_transformer", blocks=[0, 2], baseline=baseline) | {"teacher": FILE}
        given["training"] = given["training"] | {"learning_rate": 1e-30}
        distil_job(DistillationJob.model_validate(given), done)
        student, alone = (load_file(done.scratch / f"{role}-seed-0.safetensors") for role in ("student", "baseline"))
        assert torch.equal(student["blocks.1.wide.weight"], theirs["blocks.2.wide.weight"])
        assert torch.equal(student["head.weight"], theirs["head.weight"])
        assert torch.equal(student["head.weight"], alone["head.weight"]) == baseline
        notes = " ".join(json.loads(done.published["report.json"])["notes"])
        assert ("The baselines began there too" in notes) == baseline
        assert ("The baselines began from random weights" in notes) != baseline
