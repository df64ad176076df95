"""Teachers whose classes are not the data's: their probabilities are added up, left out, or missing, and said to be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.teachers import SoftLabels
from qstill.contract.errors import Problem
from tests.workers.distillation.teachers.conftest import FILE, Load
from workers.distillation.data.dataset import Data, load
from workers.distillation.teachers import Teacher
from workers.distillation.teachers.base import Teacher as Answering
from workers.distillation.teachers.class_map import as_teacher_names, mapped

BIRDS = {"robin": "setosa", "wren": "setosa", "oak": "versicolor", "rock": None, "elm": "virginica"}


def labels(**given_: Any) -> SoftLabels:
    return SoftLabels.model_validate({"source": "soft_labels", "file": FILE, "kind": "probabilities"} | given_)


@pytest.fixture
def soft_labels(load_teacher: Load, tmp_path: Path) -> Callable[..., Teacher]:
    def make(data: Data, columns: int, **given_: Any) -> Teacher:
        draw = np.random.default_rng(5)
        np.save(tmp_path / "t.npy", draw.dirichlet(np.ones(columns), data.total))
        return load_teacher(labels(**given_), data, tmp_path / "t.npy")

    return make


@st.composite
def maps(draw: st.DrawFn) -> dict[str, str | None]:
    """From classes of a teacher to those of iris, at least one of them."""
    names = draw(st.lists(st.text("abc01", min_size=1, max_size=4), min_size=2, max_size=8, unique=True))
    targets = st.sampled_from(["setosa", "versicolor", "virginica", None])
    found = {name: draw(targets) for name in names}
    return found | {names[0]: "setosa"}


@given(class_map=maps(), seed=st.integers(0, 99))
def test_a_class_has_the_probability_of_those_that_become_it(
    class_map: dict[str, str | None], seed: int, iris: Data
) -> None:
    said = torch.rand(4, len(class_map), generator=torch.Generator().manual_seed(seed)) * 8 - 4
    spec = labels(class_map=class_map, accept=["unknown_classes"])
    names = as_teacher_names(spec, iris).classes
    assert sorted(names) == sorted(class_map)
    found = mapped(Answering(lambda rows: said, "teacher"), spec, iris).logits(iris.test).softmax(1)
    told = {name: said.softmax(1)[:, number] for number, name in enumerate(names)}
    sums = [sum((told[n] for n in names if class_map[n] == wanted), torch.zeros(4)) for wanted in iris.classes]
    wanted = torch.stack(sums, 1)
    torch.testing.assert_close(found, wanted / wanted.sum(1, keepdim=True), atol=1e-6, rtol=1e-5)


def test_names_that_only_differ_are_the_same_teacher(soft_labels: Callable[..., Teacher], iris: Data) -> None:
    plain = soft_labels(iris, 3)
    turned = soft_labels(iris, 3, class_map={"c": "setosa", "a": "versicolor", "b": "virginica"})
    told, found = plain.logits(iris.test).softmax(1), turned.logits(iris.test).softmax(1)
    torch.testing.assert_close(found, told[:, [2, 0, 1]])
    ordered = soft_labels(
        iris, 3, classes=["c", "a", "b"], class_map={"c": "setosa", "a": "versicolor", "b": "virginica"}
    )
    torch.testing.assert_close(ordered.logits(iris.test).softmax(1), told)
    assert len({plain.digest, turned.digest, ordered.digest}) == 3


def test_more_classes_than_the_data_has_teach_and_are_named(soft_labels: Callable[..., Teacher], iris: Data) -> None:
    teacher = soft_labels(iris, 5, class_map=BIRDS)
    assert teacher.logits(iris.test).shape == (len(iris.test.x), 3)
    assert "5 classes were added up to the data's 3" in " ".join(teacher.notes)
    assert "'rock' was left out" in " ".join(teacher.notes)


@pytest.mark.parametrize(
    ("class_map", "code", "said"),
    [
        (BIRDS | {"elm": "oak"}, "class_mismatch", "leads to 'oak'"),
        (BIRDS | {"elm": None}, "unknown_classes", "becomes 'virginica'"),
    ],
)
def test_what_leads_nowhere_is_refused(
    class_map: dict[str, str | None], code: str, said: str, soft_labels: Callable[..., Teacher], iris: Data
) -> None:
    with pytest.raises(Problem) as refused:
        soft_labels(iris, 5, class_map=class_map)
    assert (refused.value.code, refused.value.pointer) == (code, "/teacher/class_map")
    assert said in refused.value.title


def test_what_a_teacher_knows_nothing_of_is_accepted_on_request(
    soft_labels: Callable[..., Teacher], iris: Data
) -> None:
    teacher = soft_labels(iris, 5, class_map=BIRDS | {"elm": None}, accept=["unknown_classes"])
    assert float(teacher.logits(iris.test).softmax(1)[:, 2].max()) < 1e-30
    assert "knows nothing of 'virginica'" in " ".join(teacher.warnings)


def test_real_numbers_have_no_classes_to_map(load_teacher: Load, tmp_path: Path) -> None:
    diabetes = load(BuiltinData(source="builtin", name="diabetes", task="regression"), {})
    with pytest.raises(Problem) as refused:
        load_teacher(labels(kind="values", class_map={"a": "b", "c": "d"}), diabetes, tmp_path / "none")
    assert (refused.value.code, refused.value.pointer) == ("class_map_unfit", "/teacher/class_map")


@pytest.mark.parametrize(
    ("besides", "class_map", "code"),
    [
        ({}, {"a": None, "b": None}, "maps_nothing"),
        ({"compression": {"pruning": []}}, BIRDS, "class_map_unfit"),
        ({"student": {"initialise_from_teacher": {}}}, BIRDS, "class_map_unfit"),
    ],
)
def test_the_door_refuses_what_a_map_cannot_do(besides: dict[str, Any], class_map: dict[str, Any], code: str) -> None:
    student = {"architecture": {"kind": "vit", "width": 32, "depth": 2, "heads": 2, "patch": 2}}
    teacher = {"source": "model", "model": "model_" + "0" * 32, "class_map": class_map}
    body = {"dataset": {"source": "builtin", "name": "digits"}, "teacher": teacher}
    with pytest.raises(ValueError, match=code):
        DistillationJob.model_validate(body | besides | {"student": student | besides.get("student", {})})
