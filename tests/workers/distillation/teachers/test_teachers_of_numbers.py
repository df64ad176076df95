"""Teachers of regression: whatever their origin, they answer in units of the data and are heard standardised."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
import torch
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import root_mean_squared_error

from qstill.contract.distillations.datasets import BuiltinData, UploadedData
from qstill.contract.distillations.teachers import EnsembleTeacher, ModelTeacher, SoftLabels, UploadedTeacher
from qstill.contract.errors import Problem
from workers.distillation import teachers
from workers.distillation.artifacts.checkpoints import to_bytes
from workers.distillation.data.dataset import Data, load
from workers.distillation.jobs import distil_job
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.families import build
from workers.distillation.tasks.numbers import Numbers
from workers.distillation.teachers.remote.endpoint import from_endpoint

pytestmark = pytest.mark.training

FILE, MODEL = "file_1", "model_" + "0" * 32
Make = Callable[..., Any]


@pytest.fixture(scope="module")
def diabetes() -> Data:
    return load(BuiltinData(source="builtin", name="diabetes", task="regression"), {})


@pytest.fixture(scope="module")
def boosted(diabetes: Data) -> Any:
    """A model of scikit-learn, trained on the training split alone."""
    x, y = load_diabetes(return_X_y=True)
    rows = diabetes.train.index.numpy()
    return GradientBoostingRegressor(n_estimators=60, max_depth=2, random_state=0).fit(x[rows], y[rows])


def soft(**given: Any) -> SoftLabels:
    return SoftLabels(source="soft_labels", file=FILE, kind="values", **given)


def in_units(teacher: Any, data: Data) -> Any:
    assert data.task.targets is not None
    return data.task.targets.in_units(teacher.logits(data.test)).numpy()


@pytest.mark.parametrize("ending", ["npy", "npz", "parquet"])
def test_predictions_are_soft_labels(
    tmp_path: Path, diabetes: Data, boosted: Any, load_teacher: Make, ending: str
) -> None:
    said = boosted.predict(load_diabetes().data)
    path = tmp_path / f"said.{ending}"
    if ending == "npy":
        np.save(path, said)
    elif ending == "npz":
        np.savez(path, said[:, None])
    else:
        pq.write_table(pa.table({"progression": said}), path)
    teacher = load_teacher(soft(), diabetes, path)
    assert np.allclose(in_units(teacher, diabetes)[:, 0], said[diabetes.test.index.numpy()], rtol=1e-5)


def test_a_student_learns_from_a_model_of_scikit_learn(tmp_path: Path, boosted: Any, job: Make, house: Make) -> None:
    np.save(tmp_path / "said.npy", boosted.predict(load_diabetes().data))
    spec = job(
        dataset={"source": "builtin", "name": "diabetes", "task": "regression", "labelled": 30},
        teacher={"source": "soft_labels", "file": FILE, "kind": "values"},
        student={"architecture": {"kind": "mlp", "hidden": [8]}},
        objective={"kind": "logit_mse", "alpha": 0.9},
        training={"epochs": 30},
        evaluation={"seeds": 3},
    )
    result = distil_job(spec, house(files={FILE: tmp_path / "said.npy"}))
    assert result["student"]["mean"] < result["baseline"]["mean"]


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.zeros((441, 1)), "soft_labels_mismatch"),
        (np.zeros((442, 2)), "soft_labels_mismatch"),
        (np.full(442, np.nan), "soft_labels_invalid"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(
    tmp_path: Path, diabetes: Data, load_teacher: Make, refusal: Make, array: Any, code: str
) -> None:
    np.save(tmp_path / "said.npy", array)
    assert refusal(lambda: load_teacher(soft(), diabetes, tmp_path / "said.npy")).code == code


def test_an_onnx_model_of_scikit_learn_predicts(
    tmp_path: Path, diabetes: Data, boosted: Any, load_teacher: Make
) -> None:
    skl2onnx = pytest.importorskip("skl2onnx")
    model = skl2onnx.to_onnx(boosted, np.zeros((1, 10), dtype=np.float32))
    path = tmp_path / "boosted.onnx"
    path.write_bytes(model.SerializeToString())
    teacher = load_teacher(UploadedTeacher(source="file", file=FILE, format="onnx"), diabetes, path)
    expected = boosted.predict(diabetes.test.raw.numpy())
    assert np.allclose(in_units(teacher, diabetes)[:, 0], expected, rtol=1e-3)
    assert root_mean_squared_error(expected, in_units(teacher, diabetes)[:, 0]) < 0.1


def test_a_checkpoint_brings_the_units_that_it_was_trained_in(
    tmp_path: Path, diabetes: Data, load_teacher: Make, job: Make
) -> None:
    architecture = job().student.architecture
    network = build(architecture, (10,), 1, seed=3, pointer="")
    ours = diabetes.task.targets
    assert ours is not None
    theirs = replace(ours, mean=ours.mean + 40, std=ours.std * 2)
    path = tmp_path / "teacher.safetensors"
    path.write_bytes(to_bytes(network.state_dict(), architecture, replace(diabetes, task=Numbers(theirs))))
    teacher = load_teacher(ModelTeacher(source="model", model=MODEL), diabetes, files={MODEL: path}, models={MODEL: {}})
    expected = theirs.in_units(logits_of(network, diabetes.test.x)).numpy()
    assert np.allclose(in_units(teacher, diabetes), expected, rtol=1e-5)


def test_classes_and_numbers_do_not_teach_each_other(
    tmp_path: Path, diabetes: Data, iris: Data, load_teacher: Make, refusal: Make, job: Make
) -> None:
    architecture = job().student.architecture
    spec = UploadedTeacher(source="file", file=FILE)
    for theirs, ours in ((iris, diabetes), (diabetes, iris)):
        path = tmp_path / "teacher.safetensors"
        network = build(architecture, theirs.input_shape, len(theirs.classes), seed=0, pointer="")
        path.write_bytes(to_bytes(network.state_dict(), architecture, theirs))
        assert refusal(lambda: load_teacher(spec, ours, path)).code == "class_mismatch"  # noqa: B023 (called at once)


def test_targets_of_other_names_are_refused_and_another_order_is_arranged(
    tmp_path: Path, load_teacher: Make, refusal: Make, job: Make
) -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(40, 3)), draw.normal(size=(40, 2)) * [1, 100]
    data = {}
    for names in ("height,weight", "weight,height", "height,age"):
        columns = y if names.startswith("height") else y[:, ::-1]
        text = f"a,b,c,{names}\n" + "\n".join(",".join(map(str, row)) for row in np.hstack([x, columns]).tolist())
        (tmp_path / "data.csv").write_text(text)
        spec = UploadedData(source="file", file=FILE, task="regression", targets=names.split(","))
        data[names] = load(spec, {FILE: tmp_path / "data.csv"})
    architecture = job().student.architecture
    network = build(architecture, (3,), 2, seed=0, pointer="")
    ours = data["height,weight"]
    path = tmp_path / "teacher.safetensors"
    path.write_bytes(to_bytes(network.state_dict(), architecture, ours))
    spec = UploadedTeacher(source="file", file=FILE)
    first, second = (in_units(load_teacher(spec, data[name], path), data[name]) for name in list(data)[:2])
    assert np.allclose(first, second[:, ::-1], rtol=1e-4, atol=1e-4)
    assert refusal(lambda: load_teacher(spec, data["height,age"], path)).code == "class_mismatch"


def test_an_ensemble_has_the_mean_of_its_members(diabetes: Data) -> None:
    members = [
        teachers.Teacher(lambda rows, value=value: torch.full((len(rows.y), 1), value), str(value))  # type: ignore[misc]
        for value in (1.0, 4.0)
    ]
    body = {"source": "ensemble", "weights": [2, 1], "members": [soft().model_dump(), soft().model_dump()]}
    both = teachers.ensemble(EnsembleTeacher.model_validate(body), diabetes, members)
    assert torch.allclose(both.logits(diabetes.test), torch.tensor(2.0))


def test_what_is_kept_of_a_teacher_is_not_shared_with_other_units(diabetes: Data, house: Make, tmp_path: Path) -> None:
    """Two splits standardise differently; the cache must not hand one the answers for the other."""
    digests = set()
    for seed in (0, 1):
        data = load(BuiltinData(source="builtin", name="diabetes", task="regression", split_seed=seed), {})
        teacher = teachers.Teacher(lambda rows: rows.x[:, :1], hashlib.sha256(b"").hexdigest())
        digests.add(teachers.signal_of(teacher, data, run=house(cache=tmp_path / "cache")).digest)
    assert len(digests) == 2


def test_an_endpoint_answers_with_values(diabetes: Data, house: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from qstill.contract.distillations.teachers.remote import EndpointTeacher
    from workers.distillation.teachers.remote.caller import Caller

    spec = EndpointTeacher(source="http", url="http://127.0.0.1:1/")
    given = {"content": b'{"values": [[151.5], [99.25]]}'}
    monkeypatch.setattr(Caller, "_post", lambda *_: given["content"])
    teacher = from_endpoint(spec, None, diabetes, house(hosts=frozenset({"127.0.0.1:1", "127.0.0.1"})))
    two = replace(diabetes.test, raw=diabetes.test.raw[:2], x=diabetes.test.x[:2])
    assert teacher.logits(two).tolist() == [[151.5], [99.25]]
    given["content"] = b'{"logits": [[151.5], [99.25]]}'
    with pytest.raises(Problem, match="values"):
        teacher.logits(two)
