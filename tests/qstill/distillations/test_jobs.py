"""A distillation job says what it wants, or is told which field cannot work."""

import copy
import json
import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from qstill.contract.distillations import architectures, datasets, objectives, training
from qstill.contract.distillations import job as schemas
from qstill.contract.distillations.job import DistillationJob, referenced_files
from qstill.contract.distillations.objectives import features, logits, pieces
from tests.testing.refusals import errors_of

EXAMPLE: dict[str, Any] = DistillationJob.model_json_schema()["examples"][0]
FILE = "file_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"


def changed(pointer: str, value: Any) -> dict[str, Any]:
    """The example with one member replaced."""
    body = copy.deepcopy(EXAMPLE)
    *parents, last = pointer.strip("/").split("/")
    at = body
    for parent in parents:
        at = at.setdefault(parent, {})
    at[last] = value
    return body


def test_the_example_works_as_it_is_and_through_json() -> None:
    job = DistillationJob.model_validate(EXAMPLE)
    assert DistillationJob.model_validate_json(json.dumps(EXAMPLE)) == job
    assert DistillationJob.model_validate_json(job.model_dump_json()) == job


@pytest.mark.parametrize(
    ("pointer", "value", "place"),
    [
        ("/student/architecture", {"kind": "cnn", "channels": []}, ("student", "architecture", "cnn", "channels")),
        ("/dataset/labelled", 9, ("dataset", "labelled")),
        ("/dataset/labelled", 1500, ("dataset", "labelled")),
        ("/objective/temperature", 0, ("objective", "kd", "temperature")),
        ("/objective/alpha", 1.1, ("objective", "kd", "alpha")),
        ("/objective/kind", "magic", ("objective",)),
        ("/training/momentum", 0.9, ("training", "momentum")),
        ("/training/learning_rate", float("nan"), ("training", "learning_rate")),
        ("/training/epochs", "40", ("training", "epochs")),
        ("/training/optimiser", "adam", ("training", "optimiser")),
        ("/evaluation/seeds", 0, ("evaluation", "seeds")),
        ("/teacher", {"source": "pickle"}, ("teacher",)),
        ("/teacher/architecture/hidden", [0], ("teacher", "train", "architecture", "mlp", "hidden", 0)),
        ("/teacher/architecture/hidden", [8] * 9, ("teacher", "train", "architecture", "mlp", "hidden")),
        ("/dataset/test", 0.0, ("dataset", "builtin", "test")),
        ("/dataset", {"source": "file", "file": "../etc/passwd"}, ("dataset", "file", "file")),
    ],
)
def test_what_cannot_work_is_refused_where_it_stands(pointer: str, value: Any, place: tuple[str | int, ...]) -> None:
    assert place in [error["loc"] for error in errors_of(DistillationJob.model_validate, changed(pointer, value))]


@pytest.mark.parametrize("arm", ["teacher", "student"])
def test_a_cnn_is_refused_for_tables(arm: str) -> None:
    body = changed("/dataset", {"source": "builtin", "name": "iris"})
    body[arm]["architecture"] = {"kind": "cnn", "channels": [4]}
    with pytest.raises(ValidationError, match="images") as refused:
        DistillationJob.model_validate(body)
    assert [error["loc"] for error in refused.value.errors()] == [(arm, "architecture", "kind")]


def test_channels_are_refused_for_tables() -> None:
    body = changed("/dataset", {"source": "builtin", "name": "wine", "standardise": "channel"})
    assert [error["loc"] for error in errors_of(DistillationJob.model_validate, body)] == [("dataset", "standardise")]


def test_too_many_periodic_checkpoints_are_refused() -> None:
    body = changed("/training/checkpoint_every", 1)
    body["training"]["epochs"] = 67
    refused = errors_of(DistillationJob.model_validate, body)
    assert [error["loc"] for error in refused] == [("training", "checkpoint_every")]
    body["training"]["epochs"] = 66
    assert DistillationJob.model_validate(body).training.checkpoint_every == 1


def test_a_correction_of_classes_needs_some_that_are_left_out() -> None:
    body = changed("/training/bias_correction", True)
    (error,) = errors_of(DistillationJob.model_validate, body)
    assert (error["loc"], error["type"]) == (("training", "bias_correction"), "nothing_to_correct")
    body["dataset"]["leave_out"] = ["3"]
    assert DistillationJob.model_validate(body).training.bias_correction


@pytest.mark.parametrize("alpha", [0, 1])
def test_both_ends_of_alpha_are_fine(alpha: float) -> None:
    assert DistillationJob.model_validate(changed("/objective/alpha", alpha)).objective.alpha == alpha


def test_kd_is_the_objective_unless_another_is_named() -> None:
    without = {name: part for name, part in EXAMPLE.items() if name != "objective"}
    assert DistillationJob.model_validate(without).objective == objectives.Kd()
    for given in ({}, {"temperature": 2.0}):
        assert DistillationJob.model_validate(without | {"objective": given}).objective == objectives.Kd(**given)


@pytest.mark.parametrize(
    ("objective", "place"),
    [
        ({"kind": "hard_label", "temperature": 2.0}, ("objective", "hard_label", "temperature")),
        ({"kind": "hard_label", "alpha": -0.1}, ("objective", "hard_label", "alpha")),
        ({"kind": "logit_mse", "temperature": 4.0}, ("objective", "logit_mse", "temperature")),
        ({"kind": "dkd", "beta": -1}, ("objective", "dkd", "beta")),
        ({"kind": "dkd", "warm_up": -1}, ("objective", "dkd", "warm_up")),
        ({"kind": "dkd", "hard_weight": 0, "alpha": 0, "beta": 0}, ("objective", "dkd")),
        ({"kind": "dist", "hard_weight": 0, "beta": 0, "gamma": 0}, ("objective", "dist")),
        ({"kind": "dist", "gamma": float("inf")}, ("objective", "dist", "gamma")),
        ({"kind": "logit_std", "hard_weight": 0, "weight": 0}, ("objective", "logit_std")),
        ({"kind": "reverse_kl", "temperature": 0}, ("objective", "reverse_kl", "temperature")),
        ({"kind": "jsd", "beta": 0}, ("objective", "jsd", "beta")),
        ({"kind": "jsd", "beta": 1}, ("objective", "jsd", "beta")),
        ({"kind": "tf_kd", "correct": 1}, ("objective", "tf_kd", "correct")),
        ({"kind": "kd", "alpha": {"from": 0, "to": 1.5, "epochs": 3}}, ("objective", "kd", "alpha")),
        ({"kind": "kd", "alpha": {"from": 0, "to": 1, "epochs": 1}}, ("objective", "kd", "alpha", "epochs")),
        ({"kind": "kd", "alpha": {"from": "0", "to": 1, "epochs": 2}}, ("objective", "kd", "alpha", "from")),
        ({"kind": "kd", "temperature": "hot"}, ("objective", "kd", "temperature")),
        ({"kind": "sp", "weight": 0, "hard_weight": 0}, ("objective", "sp")),
        ({"kind": "sp", "layers": {}}, ("objective", "sp", "layers")),
        ({"kind": "sp", "layers": {"hidden.1": "hidden.1"}}, ("objective", "layers", "hidden.1")),
        ({"kind": "sp", "layers": {"hidden.0": "hidden.2"}}, ("objective", "layers", "hidden.0")),
        ({"kind": "at"}, ("objective", "kind")),
        ({"kind": "sum", "terms": []}, ("objective", "sum", "terms")),
        ({"kind": "sum", "terms": [{"weight": 0, "objective": {}}]}, ("objective", "sum")),
        (
            {"kind": "sum", "terms": [{"objective": {}}, {"objective": {"kind": "at"}}]},
            ("objective", "terms", 1, "objective", "kind"),
        ),
    ],
)
def test_an_objective_that_cannot_work_is_refused(objective: dict[str, Any], place: tuple[str, ...]) -> None:
    refused = errors_of(DistillationJob.model_validate, EXAMPLE | {"objective": objective})
    assert [error["loc"] for error in refused] == [place]


EVERY_KIND = [
    *("kd", "hard_label", "logit_mse", "dkd", "dist", "logit_std", "reverse_kl", "jsd", "tf_kd"),
    *("fitnet", "rkd", "sp", "pkt", "crd", "cosine"),
]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_objective_is_complete_with_its_kind_alone(kind: str) -> None:
    job = DistillationJob.model_validate(EXAMPLE | {"objective": {"kind": kind}})
    assert job.objective.kind == kind
    assert DistillationJob.model_validate_json(job.model_dump_json()) == job


def test_a_ramp_and_a_sum_are_what_they_were_after_a_way_through_json() -> None:
    ramp = {"from": 8.0, "to": 2.0, "shape": "cosine", "epochs": 20}
    terms = [{"weight": 0.5, "objective": {"temperature": ramp}}, {"weight": ramp, "objective": {"kind": "sp"}}]
    job = DistillationJob.model_validate(EXAMPLE | {"objective": {"kind": "sum", "terms": terms}})
    dumped = job.model_dump(mode="json", exclude_none=True)
    assert dumped["objective"]["terms"][0]["objective"]["temperature"] == ramp
    assert DistillationJob.model_validate(dumped) == DistillationJob.model_validate_json(job.model_dump_json()) == job


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/training/nesterov", True, "nesterov_needs_momentum"),
        ("/training/milestones", [3], "milestones_need_step"),
        ("/training/warm_up", 40, "warm_up_too_long"),
        ("/training/precision", "float16", "float16_needs_cuda"),
        ("/training/class_weights", [0.0, 0.0], "nothing_to_minimise"),
        ("/training/augmentation", {"flip": False}, "nothing_augmented"),
        ("/training/batch_size", 512, "batch_too_large"),
    ],
)
def test_a_training_that_cannot_work_is_refused_where_it_stands(pointer: str, value: Any, code: str) -> None:
    body = changed(pointer, value) | {"objective": {"kind": "rkd"}}
    body["training"]["device"] = "cpu"
    (error,) = errors_of(DistillationJob.model_validate, body)
    assert error["type"] == code
    assert "/".join(part for part in error["loc"] if isinstance(part, str)).startswith(pointer.strip("/"))


def test_answers_are_thinned_in_one_way() -> None:
    (error,) = errors_of(DistillationJob.model_validate, EXAMPLE | {"signal": {"top_k": 2, "draws": 2}})
    assert (error["loc"], error["type"]) == (("signal", "draws"), "two_ways_to_thin")


def test_soft_labels_have_no_features_and_say_nothing_of_views() -> None:
    teacher = {"source": "soft_labels", "file": FILE, "kind": "logits"}
    for change, place, code in (
        ({"signal": {"top_k": 2}}, ("signal", "top_k"), "already_kept"),
        ({"signal": {"draws": 2}}, ("signal", "draws"), "already_kept"),
        ({"objective": {"kind": "sp"}}, ("objective", "kind"), "features_unavailable"),
        (
            {"training": {"augmentation": {"noise": 0.1}}},
            ("training", "augmentation", "consistent"),
            "views_unavailable",
        ),
    ):
        (error,) = errors_of(DistillationJob.model_validate, EXAMPLE | {"teacher": teacher} | change)
        assert (error["loc"], error["type"]) == (place, code)
    still = {"training": {"augmentation": {"noise": 0.1, "consistent": False}}}
    assert DistillationJob.model_validate(EXAMPLE | {"teacher": teacher} | still)


@pytest.mark.parametrize("how", [{"crop": 1}, {"flip": True}])
def test_pixels_are_not_moved_to_where_others_were_standardised(how: dict[str, Any]) -> None:
    body = changed("/training/augmentation", how)
    assert [error["loc"] for error in errors_of(DistillationJob.model_validate, body)] == [("dataset", "standardise")]
    body["dataset"]["standardise"] = "channel"
    assert DistillationJob.model_validate(body).training.augmentation is not None


def test_tables_are_not_augmented() -> None:
    body = changed("/training/augmentation", {"noise": 0.1}) | {"dataset": {"source": "builtin", "name": "iris"}}
    assert [error["loc"] for error in errors_of(DistillationJob.model_validate, body)] == [("training", "augmentation")]


@pytest.mark.parametrize("kind", ["resnet", "wide_resnet", "vit"])
def test_networks_for_images_are_refused_for_tables(kind: str) -> None:
    depths = {"resnet": 8, "wide_resnet": 10, "vit": 2}
    body = changed("/student/architecture", {"kind": kind, "depth": depths[kind]}) | {
        "dataset": {"source": "builtin", "name": "iris"}
    }
    refused = errors_of(DistillationJob.model_validate, body)
    assert [error["loc"] for error in refused] == [("student", "architecture", "kind")]


def test_dkd_is_refused_for_the_two_classes_of_a_built_in_data_set() -> None:
    body = EXAMPLE | {"dataset": {"source": "builtin", "name": "breast_cancer"}, "objective": {"kind": "dkd"}}
    with pytest.raises(ValidationError, match="two classes") as refused:
        DistillationJob.model_validate(body)
    (error,) = refused.value.errors()
    assert (error["type"], error["loc"]) == ("too_few_classes", ("objective", "kind"))


def test_the_files_of_a_job_are_named_with_pointer_and_purpose() -> None:
    assert referenced_files(DistillationJob.model_validate(EXAMPLE)) == []
    body = changed("/dataset", {"source": "file", "file": FILE})
    body["teacher"] = {"source": "soft_labels", "file": f"{FILE}a", "kind": "logits"}
    assert referenced_files(DistillationJob.model_validate(body)) == [
        ("/dataset/file", FILE, "dataset"),
        ("/teacher/file", f"{FILE}a", "soft_labels"),
    ]
    body["teacher"] = {"source": "file", "file": FILE, "architecture": {"kind": "mlp", "hidden": []}}
    assert referenced_files(DistillationJob.model_validate(body))[1] == ("/teacher/file", FILE, "teacher")


def test_every_field_says_what_it_is() -> None:
    modules = [schemas, objectives, logits, features, pieces, architectures, datasets, training]
    members = [member for module in modules for member in vars(module).values()]
    models = [model for model in members if isinstance(model, type) and issubclass(model, BaseModel)]
    undescribed = [
        f"{model.__name__}.{name}"
        for model in models
        if model.__module__ in [module.__name__ for module in modules]
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert undescribed == []


def test_the_front_door_stays_light() -> None:
    heavy = "('torch', 'numpy', 'sklearn')"
    code = f"import sys, qstill.contract.distillations.job; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
