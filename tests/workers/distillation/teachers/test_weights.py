"""Weights are checked when they come, asked once, and never trained by being asked; however they were saved."""

import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file

from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.teachers import ModelTeacher, SoftLabels, UploadedTeacher
from qstill.contract.errors import Problem
from workers.distillation import teachers
from workers.distillation.artifacts.checkpoints import to_bytes
from workers.distillation.data.dataset import Data, load
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.families import build
from workers.distillation.tasks.classes import Classes
from workers.distillation.teachers import Teacher, signal_of

FILE = "file_1"
MLP = Mlp(kind="mlp", hidden=[5], dropout=0.5)
Refusal = Callable[..., Problem]
Load = Callable[..., Teacher]


@pytest.fixture
def weights(iris: Data) -> dict[str, torch.Tensor]:
    return dict(build(MLP, iris.input_shape, 3, seed=7, pointer="").state_dict())


@pytest.fixture
def from_file(load_teacher: Callable[..., Teacher]) -> Callable[..., Teacher]:
    def make(path: Path, data: Data, architecture: Mlp | None = MLP, **given: Any) -> Teacher:
        spec = UploadedTeacher(source="file", file=FILE, architecture=architecture, **given)
        return load_teacher(spec, data, path)

    return make


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
    from_file: Load, load_teacher: Load, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    network = build(MLP, iris.input_shape, 3, seed=7, pointer="")
    live = signal_of(teachers.trained(network, b"file"), iris)
    save_file(weights, tmp_path / "teacher.safetensors")
    from_weights = signal_of(from_file(tmp_path / "teacher.safetensors", iris), iris)
    every_row = torch.empty(150, 3)
    for rows in (iris.train, iris.validation, iris.test):
        every_row[rows.index] = logits_of(network, rows.x)
    np.save(tmp_path / "soft.npy", every_row.numpy())
    answers = SoftLabels(source="soft_labels", file=FILE, kind="logits")
    cached = signal_of(load_teacher(answers, iris, tmp_path / "soft.npy"), iris)
    assert torch.equal(live.logits, from_weights.logits)
    assert torch.equal(live.logits, cached.logits)
    assert len({live.digest, from_weights.digest, cached.digest}) == 3


def test_a_checkpoint_brings_its_own_standardisation(
    from_file: Load, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
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
    from_file: Load,
    refusal: Refusal,
    iris: Data,
    weights: dict[str, torch.Tensor],
    tmp_path: Path,
    name: str,
    tensor: torch.Tensor | None,
    said: str,
) -> None:
    weights.pop(name, None)
    save_file(weights if tensor is None else weights | {name: tensor}, tmp_path / "t")
    problem = refusal(lambda: from_file(tmp_path / "t", iris))
    assert problem.code == "teacher_mismatch"
    assert said in problem.title
    assert ("needed are hidden.0.weight" in problem.title) == (name != "head.weight")


def test_broken_weights_are_refused(
    from_file: Load, refusal: Refusal, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
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
    from_file: Load,
    refusal: Refusal,
    iris: Data,
    weights: dict[str, torch.Tensor],
    tmp_path: Path,
    card: str | dict[str, Any],
    code: str,
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


def test_a_checkpoint_needs_no_architecture_and_suffers_no_other(
    from_file: Load, refusal: Refusal, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "t"
    path.write_bytes(to_bytes(weights, MLP, iris))
    assert torch.equal(from_file(path, iris, None).logits(iris.test), from_file(path, iris).logits(iris.test))
    other = MLP.model_copy(update={"activation": "tanh"})  # the same tensors, other answers
    problem = refusal(lambda: from_file(path, iris, other), "/teacher/architecture")
    assert problem.code == "architecture_mismatch"
    save_file(weights, path)
    problem = refusal(lambda: from_file(path, iris, None), "/teacher/architecture")
    assert problem.code == "architecture_needed"


def test_what_changes_answers_changes_the_digest_and_the_upload_does_not(
    from_file: Load, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path, load_teacher: Load
) -> None:
    save_file(weights, tmp_path / "t")
    tanh = MLP.model_copy(update={"activation": "tanh"})
    digests = {
        from_file(tmp_path / "t", iris, architecture, inputs=inputs).digest
        for architecture in (MLP, tanh)
        for inputs in ("raw", "standardised")
    }
    assert len(digests) == 4
    again = UploadedTeacher(source="file", file="file_2", architecture=MLP, inputs="raw")
    assert load_teacher(again, iris, files={"file_2": tmp_path / "t"}).digest in digests


def test_a_model_of_the_registry_is_read_as_it_says(
    from_file: Load, load_teacher: Load, refusal: Refusal, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    save_file(weights, tmp_path / "t")
    model, checkpoint = f"model_{'0' * 32}", f"ckpt_{'0' * 32}"
    reading = {"format": "safetensors", "architecture": MLP.model_dump(mode="json"), "inputs": "raw"}
    spec = ModelTeacher(source="model", model=model)
    made = load_teacher(spec, iris, files={model: tmp_path / "t"}, models={model: reading})
    assert made.digest == from_file(tmp_path / "t", iris, inputs="raw").digest
    (tmp_path / "c").write_bytes(to_bytes(weights, MLP, iris))
    spec = ModelTeacher(source="model", model=checkpoint)
    made = load_teacher(spec, iris, files={checkpoint: tmp_path / "c"})
    assert torch.equal(made.logits(iris.test), from_file(tmp_path / "c", iris, None).logits(iris.test))
    for files in ({}, {checkpoint: tmp_path / "gone"}):
        assert refusal(lambda files=files: load_teacher(spec, iris, files=files), "/teacher/model").code == "file_gone"


def test_a_teacher_of_other_classes_is_refused_and_of_another_order_turned(
    from_file: Load, refusal: Refusal, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "t"
    save_file(weights, path)
    turned = from_file(path, iris, classes=[iris.classes[i] for i in (2, 0, 1)])
    plain = from_file(path, iris)
    assert torch.equal(turned.logits(iris.test), plain.logits(iris.test)[:, [1, 2, 0]])
    assert turned.digest != plain.digest
    problem = refusal(lambda: from_file(path, iris, classes=["a", "b", "c"]), "/teacher/classes")
    assert problem.code == "class_mismatch"
    assert "'a', 'b', 'c'" in problem.title
    assert "'setosa'" in problem.title
    path.write_bytes(to_bytes(weights, MLP, replace(iris, task=Classes(["0", "1", "2"]))))
    assert refusal(lambda: from_file(path, iris, None)).code == "class_mismatch"


def strided(tensor: torch.Tensor) -> torch.nn.Parameter:
    """The same values in double precision and, where there are columns, one column after the other."""
    return torch.nn.Parameter(tensor.double().mT.contiguous().mT if tensor.ndim > 1 else tensor.double())


def saved(path: Path, value: Any, **given: Any) -> Path:
    torch.save(value, path, **given)
    return path


def test_a_torch_checkpoint_says_the_same_as_its_tensors(
    from_file: Load, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    save_file(weights, tmp_path / "t")
    wanted = from_file(tmp_path / "t", iris).logits(iris.test)
    network = build(MLP, iris.input_shape, 3, seed=7, pointer="")
    for number, value in enumerate(
        (
            weights,
            network.state_dict(),
            {"state_dict": weights, "epoch": 3},
            {name: strided(tensor) for name, tensor in weights.items()},
        )
    ):
        path = saved(tmp_path / f"{number}.pt", value)
        assert torch.equal(from_file(path, iris, format="torch").logits(iris.test), wanted)


@pytest.mark.parametrize("save_as", ["safetensors", "torch"])
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "model._orig_mod.", "_orig_mod.module.model."])
def test_what_wraps_a_network_is_no_part_of_its_tensors_names(
    from_file: Load, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path, save_as: str, prefix: str
) -> None:
    write = save_file if save_as == "safetensors" else torch.save
    write(weights, tmp_path / "plain")
    write({prefix + name: tensor for name, tensor in weights.items()}, tmp_path / "wrapped")
    plain, wrapped = (from_file(tmp_path / name, iris, format=save_as) for name in ("plain", "wrapped"))
    assert torch.equal(plain.logits(iris.test), wrapped.logits(iris.test))
    assert (any(repr(prefix) in note for note in wrapped.notes), plain.notes) == (True, ())


@pytest.mark.parametrize("save_as", ["safetensors", "torch"])
def test_a_prefix_of_some_tensors_is_refused(
    from_file: Load, refusal: Refusal, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path, save_as: str
) -> None:
    write = save_file if save_as == "safetensors" else torch.save
    first, *others = weights
    write({f"module.{first}": weights[first]} | {name: weights[name] for name in others}, tmp_path / "t")
    problem = refusal(lambda: from_file(tmp_path / "t", iris, format=save_as))
    assert problem.code == "teacher_mismatch"
    assert f"module.{first}" in problem.title


class Program:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("was run",))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: saved(path, {"head.bias": Program()}), id="a program"),
        pytest.param(lambda path: saved(path, torch.nn.Linear(2, 2)), id="a whole module"),
        pytest.param(lambda path: saved(path, [torch.zeros(3)]), id="a list"),
        pytest.param(lambda path: saved(path, {}), id="nothing"),
        pytest.param(lambda path: saved(path, {"a": 3}), id="a number"),
        pytest.param(lambda path: saved(path, {"a": torch.zeros(3)}, _use_new_zipfile_serialization=False), id="old"),
        pytest.param(lambda path: saved(path, {"a": torch.zeros(2, 2).to_sparse()}), id="a sparse tensor"),
        pytest.param(lambda path: saved(path, {"a": torch.zeros(2, device="meta")}), id="a tensor without values"),
        pytest.param(lambda path: saved(path, {"a": torch.zeros(1).expand(10**6, 10**6)}), id="one value 10^12 times"),
        pytest.param(lambda path: path.write_bytes(b"PK\x03\x04 no zip"), id="no zip"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(pickle.dumps({"a": 1})), id="a pickle"),
    ],
)
def test_a_torch_checkpoint_that_is_more_than_tensors_is_refused(
    from_file: Load,
    refusal: Refusal,
    iris: Data,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Any],
) -> None:
    make(tmp_path / "t.pt")
    assert refusal(lambda: from_file(tmp_path / "t.pt", iris, format="torch")).code == "teacher_invalid"
    assert "was run" not in capsys.readouterr().out


def test_a_torchscript_program_and_a_compressed_archive_are_refused_by_name(
    from_file: Load, refusal: Refusal, iris: Data, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = saved(tmp_path / "t.pt", weights)
    for name, compression, said in (
        ("t/code/__torch__.py", zipfile.ZIP_STORED, "TorchScript"),
        ("t/constants.pkl", zipfile.ZIP_STORED, "TorchScript"),
        ("t/archive_format", zipfile.ZIP_STORED, ".pt2"),
        ("t/code/__torch__.py", zipfile.ZIP_DEFLATED, "TorchScript"),
        ("t/data/99", zipfile.ZIP_DEFLATED, "compressed"),
    ):
        other = tmp_path / "other.pt"
        other.write_bytes(path.read_bytes())
        with zipfile.ZipFile(other, "a", compression) as archive:
            archive.writestr(name, b"0" * 1000)
        assert said in refusal(lambda other=other: from_file(other, iris, format="torch")).title
