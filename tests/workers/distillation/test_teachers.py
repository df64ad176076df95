"""Every teacher is checked when it comes, asked once, and never trained by being asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file

from app.distillations.architectures import Mlp
from app.distillations.datasets import BuiltinData
from app.distillations.teachers import SoftLabels, UploadedTeacher
from app.errors import Problem
from workers.distillation import teachers
from workers.distillation.checkpoints import to_bytes
from workers.distillation.data import Data, load
from workers.distillation.students import build, logits_of
from workers.distillation.teachers import Teacher, signal_of

FILE = "file_1"
MLP = Mlp(kind="mlp", hidden=[5], dropout=0.5)


@pytest.fixture(scope="module")
def iris() -> Data:
    return load(BuiltinData(source="builtin", name="iris"), {})


@pytest.fixture
def weights(iris: Data) -> dict[str, torch.Tensor]:
    return dict(build(MLP, iris.input_shape, 3, seed=7, pointer="").state_dict())


def from_file(path: Path, data: Data, **given: Any) -> Teacher:
    spec = UploadedTeacher(source="file", file=FILE, architecture=MLP, **given)
    return teachers.uploaded(spec, data, {FILE: path})


def from_answers(path: Path, answers: Any, data: Data, kind: Any = "logits") -> Teacher:
    np.save(path / "soft.npy", answers)
    return teachers.from_soft_labels(
        SoftLabels(source="soft_labels", file=FILE, kind=kind), data, {FILE: path / "soft.npy"}
    )


def refusal(act: Callable[[], Teacher]) -> Problem:
    with pytest.raises(Problem) as refused:
        act()
    assert refused.value.pointer == "/teacher/file"
    return refused.value


def test_a_teacher_answers_in_eval_mode_and_without_gradients(iris: Data) -> None:
    network = build(MLP, iris.input_shape, 3, seed=1, pointer="")
    signal = signal_of(teachers.trained(network, b"file"), iris)
    assert not signal.logits.requires_grad
    assert torch.equal(signal.logits, signal_of(teachers.trained(network, b"file"), iris).logits)
    assert network.training, "it returns to the mode it was in"
    network.eval()
    logits_of(network, iris.train.x)
    assert not network.training


def test_live_cached_and_uploaded_teachers_say_the_same(
    iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    network = build(MLP, iris.input_shape, 3, seed=7, pointer="")
    live = signal_of(teachers.trained(network, b"file"), iris)
    save_file(weights, tmp_path / "teacher.safetensors")
    from_weights = signal_of(from_file(tmp_path / "teacher.safetensors", iris), iris)
    every_row = torch.empty(150, 3)
    for rows in (iris.train, iris.validation, iris.test):
        every_row[rows.index] = logits_of(network, rows.x)
    cached = signal_of(from_answers(tmp_path, every_row.numpy(), iris), iris)
    assert torch.equal(live.logits, from_weights.logits)
    assert torch.equal(live.logits, cached.logits)
    assert len({live.digest, from_weights.digest, cached.digest}) == 3


def test_a_checkpoint_brings_its_own_standardisation(
    iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    other = load(BuiltinData(source="builtin", name="iris", standardise="none"), {})
    path = tmp_path / "teacher.safetensors"
    path.write_bytes(to_bytes(weights, MLP, iris))
    assert torch.equal(from_file(path, other).logits(other.test), from_file(path, iris).logits(iris.test))
    save_file(weights, path)
    assert torch.equal(from_file(path, iris, inputs="raw").logits(iris.test), from_file(path, other).logits(other.test))


def test_a_model_file_has_reproducible_bytes_and_one_card(
    iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(to_bytes(weights, MLP, iris))
    assert path.read_bytes() == to_bytes(dict(reversed(weights.items())), MLP, iris)
    with safe_open(path, "pt") as file:
        (key,) = file.metadata()
        card = json.loads(file.metadata()[key])
    assert card["classes"] == iris.classes
    assert card["input_shape"] == [4]
    assert card["architecture"] == MLP.model_dump()
    assert card["mean"] == iris.standardisation.mean.tolist()


@pytest.mark.parametrize(
    ("name", "tensor", "said"),
    [
        (
            "head.weight",
            torch.zeros(4, 5),
            "'head.weight': the file has shape (4, 5), the architecture needs shape (3, 5)",
        ),
        ("head.bias", None, "'head.bias': the file has no such tensor, the architecture needs shape (3,)"),
        ("extra", torch.zeros(1), "'extra': the file has shape (1,), the architecture needs no such tensor"),
    ],
)
def test_weights_of_another_network_are_refused_by_name(
    iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path, name: str, tensor: torch.Tensor | None, said: str
) -> None:
    weights.pop(name, None)
    save_file(weights if tensor is None else weights | {name: tensor}, tmp_path / "t")
    problem = refusal(lambda: from_file(tmp_path / "t", iris))
    assert problem.code == "teacher_mismatch"
    assert said in problem.title


def test_broken_weights_are_refused(iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "t"
    whole = save(weights)
    for broken in (whole[:-1], whole[: len(whole) // 2], b"", b"\x80\x04pickle", whole[:8] + b"\xff" + whole[9:]):
        path.write_bytes(broken)
        assert refusal(lambda: from_file(path, iris)).code == "teacher_invalid"
    for value in (torch.full((3,), torch.nan), torch.zeros(3, dtype=torch.int64)):
        save_file(weights | {"head.bias": value}, path)
        assert refusal(lambda: from_file(path, iris)).code == "teacher_invalid"


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("{", "teacher_invalid"),
        ('{"mean": []}', "teacher_invalid"),
        ({"mean": [[1, 2], [3]]}, "teacher_invalid"),
        ({"std": [0, 1, 1, 1]}, "teacher_invalid"),
        ({"mean": [0, 0]}, "teacher_mismatch"),
        ({"input_shape": [5]}, "teacher_mismatch"),
    ],
)
def test_a_card_is_not_trusted(
    iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path, card: str | dict[str, Any], code: str
) -> None:
    right = {
        "architecture": MLP.model_dump(),
        "classes": iris.classes,
        "input_shape": [4],
        "mean": [0, 0, 0, 0],
        "std": [1, 1, 1, 1],
    }
    text = card if isinstance(card, str) else json.dumps(right | card)
    save_file(weights, tmp_path / "t", metadata={"qstill": text})
    assert refusal(lambda: from_file(tmp_path / "t", iris)).code == code


@pytest.mark.parametrize("shape", [(149, 3), (150, 4), (150,)])
def test_soft_labels_of_another_shape_are_refused_with_both(iris: Data, tmp_path: Path, shape: tuple[int, ...]) -> None:
    problem = refusal(lambda: from_answers(tmp_path, np.zeros(shape), iris))
    assert problem.code == "soft_labels_mismatch"
    assert str(shape) in problem.title
    assert "(150, 3)" in problem.title


def test_soft_labels_that_are_no_answers_are_refused_by_row(iris: Data, tmp_path: Path) -> None:
    answers = np.full((150, 3), 1 / 3)
    answers[7] = [0.5, 0.6, 0.1]
    problem = refusal(lambda: from_answers(tmp_path, answers, iris, "probabilities"))
    assert problem.code == "soft_labels_invalid"
    assert "Row 7" in problem.title
    answers[5] = [1.5, -0.5, 0]
    assert "Row 5" in refusal(lambda: from_answers(tmp_path, answers, iris, "probabilities")).title
    answers[3, 1] = np.nan
    assert "Row 3" in refusal(lambda: from_answers(tmp_path, answers, iris)).title
    (tmp_path / "soft.npy").write_bytes(b"PK\x03\x04")
    spec = SoftLabels(source="soft_labels", file=FILE, kind="logits")
    broken = refusal(lambda: teachers.from_soft_labels(spec, iris, {FILE: tmp_path / "soft.npy"}))
    assert broken.code == "soft_labels_invalid"


def test_probabilities_become_logits_whose_softmax_they_are(iris: Data, tmp_path: Path) -> None:
    answers = np.random.default_rng(0).dirichlet([1, 1, 1], size=150)
    answers[:10] = np.eye(3)[np.arange(10) % 3]
    teacher = from_answers(tmp_path, answers, iris, "probabilities")
    logits = teacher.logits(iris.train)
    assert bool(logits.isfinite().all())
    expected = torch.from_numpy(answers).float()[iris.train.index]
    torch.testing.assert_close(torch.softmax(logits, 1), expected)
