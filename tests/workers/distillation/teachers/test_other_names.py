"""Weights are read under the names of other libraries, where there is one way to; Keras is told what to write."""

import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.teachers import UploadedTeacher
from qstill.contract.errors import Problem
from tests.workers.distillation.teachers.conftest import FILE, Load
from workers.distillation.data.dataset import Data
from workers.distillation.networks.families import build
from workers.distillation.teachers.files.other_names import renamed

Refusal = Callable[..., Problem]
MLP = Mlp(kind="mlp", hidden=[7, 7, 5])


def sequential(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def uploaded(**given_: Any) -> UploadedTeacher:
    return UploadedTeacher(source="file", file=FILE, architecture=MLP, inputs="standardised", **given_)


def test_a_plain_sequential_is_read_in_its_order(load_teacher: Load, iris: Data, tmp_path: Path) -> None:
    network = sequential(4, 7, 7, 5, 3)
    save_file(network.state_dict(), tmp_path / "t")
    teacher = load_teacher(uploaded(), iris, tmp_path / "t")
    torch.testing.assert_close(teacher.logits(iris.test), network(iris.test.x).detach())
    assert "0 as hidden.0, 2 as hidden.1, 4 as hidden.2, 6 as head" in " ".join(teacher.notes)


def test_wrappers_go_first(load_teacher: Load, iris: Data, tmp_path: Path) -> None:
    network = sequential(4, 7, 7, 5, 3)
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, tmp_path / "t")
    teacher = load_teacher(uploaded(format="torch"), iris, tmp_path / "t")
    torch.testing.assert_close(teacher.logits(iris.test), network(iris.test.x).detach())
    assert "'module.'" in " ".join(teacher.notes)


@given(widths=st.lists(st.integers(1, 3), min_size=1, max_size=5), order=st.randoms(use_true_random=False))
def test_names_without_an_order_are_read_only_where_no_two_layers_are_alike(widths: list[int], order: Any) -> None:
    network = build(Mlp(kind="mlp", hidden=widths), (4,), 3, seed=1, pointer="")
    wanted = network.state_dict()
    layers = sorted({name.rpartition(".")[0] for name in wanted})
    letters = dict(zip(layers, order.sample("abcdefgh", len(layers)), strict=True))
    file = {f"{letters[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": value for name, value in wanted.items()}
    found = renamed(file, wanted)
    shapes = [wanted[f"{layer}.weight"].shape for layer in layers]
    if len(set(shapes)) < len(shapes):
        assert (found.weights.keys(), found.said) == (file.keys(), "")
    else:
        assert all(found.weights[name] is value for name, value in wanted.items())


@pytest.mark.parametrize("widths", [(4, 7, 5, 3), (4, 7, 5, 7, 3), (5, 7, 7, 5, 3)])
def test_layers_that_do_not_fit_are_refused_with_both_names(
    widths: tuple[int, ...], load_teacher: Load, refusal: Refusal, iris: Data, tmp_path: Path
) -> None:
    save_file(sequential(*widths).state_dict(), tmp_path / "t")
    assert refusal(lambda: load_teacher(uploaded(), iris, tmp_path / "t")).code == "teacher_mismatch"


@pytest.mark.parametrize("format_", ["safetensors", "torch", "onnx"])
@pytest.mark.parametrize("is_zip", [True, False])
def test_keras_is_told_the_one_command(
    is_zip: bool, format_: Any, load_teacher: Load, refusal: Refusal, iris: Data, tmp_path: Path
) -> None:
    path = tmp_path / "model.keras"
    if is_zip:
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("metadata.json", "config.json", "model.weights.h5"):
                archive.writestr(name, "{}")
    else:
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    spec = UploadedTeacher(source="file", file=FILE, format=format_, architecture=None if format_ == "onnx" else MLP)
    problem = refusal(lambda: load_teacher(spec, iris, path))
    assert problem.code == "keras_file"
    assert 'model.export("teacher.onnx", format="onnx")' in problem.title
