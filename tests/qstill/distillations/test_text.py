"""What does not go with text is refused at the door, at the field that is wrong."""

from typing import Any

import pytest

from qstill.contract.distillations.job import DistillationJob, referenced_files
from tests.testing.refusals import errors_of

CLASSIFY: dict[str, Any] = {
    "dataset": {"source": "builtin_text", "name": "python_topics", "task": "classification"},
    "teacher": {"source": "train", "architecture": {"kind": "text_cnn"}},
    "student": {"architecture": {"kind": "bag_of_embeddings"}},
}
SPEAK: dict[str, Any] = {
    "dataset": {"source": "builtin_text", "name": "python_topics", "task": "language_modelling"},
    "teacher": {"source": "train", "architecture": {"kind": "decoder"}},
    "student": {"architecture": {"kind": "decoder", "width": 16}},
}
FILL: dict[str, Any] = {
    "dataset": SPEAK["dataset"] | {"task": "masked_language_modelling"},
    "teacher": {"source": "train", "architecture": {"kind": "encoder"}},
    "student": {"architecture": {"kind": "encoder", "width": 16}},
}
MLP = {"architecture": {"kind": "mlp", "hidden": [4]}}
SOFT = {"source": "soft_labels", "file": "file_1", "kind": "logits"}
DIGITS = {"source": "builtin", "name": "digits"}


def errors(body: dict[str, Any]) -> list[tuple[str, str]]:
    """(place, code) of each."""
    error = errors_of(DistillationJob.model_validate, body)
    return [("/".join(str(step) for step in one["loc"]), one["type"]) for one in error]


def test_text_jobs_are_accepted() -> None:
    for body in (CLASSIFY, SPEAK, FILL, SPEAK | {"objective": {"kind": "sequence"}}, CLASSIFY | {"teacher": SOFT}):
        DistillationJob.model_validate(body)
    file = {"source": "text_file", "file": "file_1", "task": "classification"}
    job = DistillationJob.model_validate(CLASSIFY | {"dataset": file})
    assert referenced_files(job) == [("/dataset/file", "file_1", "dataset")]


@pytest.mark.parametrize(
    ("body", "place", "code"),
    [
        (CLASSIFY | {"student": MLP}, "student/architecture/kind", "architecture_mismatch"),
        (CLASSIFY | {"teacher": SPEAK["teacher"]}, "teacher/architecture/kind", "architecture_mismatch"),
        (SPEAK | {"student": CLASSIFY["student"]}, "student/architecture/kind", "architecture_mismatch"),
        (SPEAK | {"student": FILL["student"]}, "student/architecture/kind", "architecture_mismatch"),
        (FILL | {"student": SPEAK["student"]}, "student/architecture/kind", "architecture_mismatch"),
        (CLASSIFY | {"teacher": FILL["teacher"]}, "teacher/architecture/kind", "architecture_mismatch"),
        (FILL | {"teacher": SOFT}, "teacher/source", "teacher_mismatch"),
        (FILL | {"objective": {"kind": "sequence"}}, "objective/kind", "objective_mismatch"),
        (FILL | {"objective": {"kind": "rkd"}}, "training/batch_size", "batch_too_large"),
        (FILL | {"training": {"class_weights": "balanced"}}, "training/class_weights", "only_for_classification"),
        (FILL | {"dataset": FILL["dataset"] | {"label_noise": 0.1}}, "dataset/label_noise", "only_for_classification"),
        (
            CLASSIFY | {"dataset": DIGITS, "teacher": {"source": "train", **MLP}},
            "student/architecture/kind",
            "architecture_mismatch",
        ),
        (SPEAK | {"teacher": SOFT}, "teacher/source", "teacher_mismatch"),
        (
            CLASSIFY | {"teacher": {"source": "http", "url": "https://a.example/x"}},
            "teacher/source",
            "teacher_mismatch",
        ),
        (
            CLASSIFY | {"teacher": {"source": "file", "file": "file_1", "format": "onnx"}},
            "teacher/source",
            "teacher_mismatch",
        ),
        (
            CLASSIFY | {"dataset": CLASSIFY["dataset"] | {"tokenizer": {"kind": "teacher"}}},
            "dataset/tokenizer/kind",
            "tokenizer_unavailable",
        ),
        (CLASSIFY | {"objective": {"kind": "sequence"}}, "objective/kind", "objective_mismatch"),
        (SPEAK | {"objective": {"kind": "sequence", "prompt": 64}}, "objective/prompt", "prompt_too_long"),
        (SPEAK | {"objective": {"kind": "rkd"}}, "training/batch_size", "batch_too_large"),
        (
            SPEAK | {"objective": {"kind": "sp"}, "training": {"batch_size": 128}},
            "training/batch_size",
            "batch_too_large",
        ),
        (SPEAK | {"training": {"class_weights": "balanced"}}, "training/class_weights", "only_for_classification"),
        (SPEAK | {"training": {"balanced_batches": True}}, "training/balanced_batches", "only_for_classification"),
        (SPEAK | {"training": {"batch_size": 2048}}, "training/batch_size", "batch_too_large"),
        (
            CLASSIFY | {"training": {"augmentation": {"flip": True}}},
            "training/augmentation",
            "augmentation_needs_images",
        ),
        (
            SPEAK | {"dataset": SPEAK["dataset"] | {"label_noise": 0.1}},
            "dataset/label_noise",
            "only_for_classification",
        ),
        (SPEAK | {"dataset": SPEAK["dataset"] | {"leave_out": ["a"]}}, "dataset/leave_out", "only_for_classification"),
        (
            CLASSIFY
            | {"dataset": {"source": "text_file", "file": "file_1", "task": "classification", "text": "label"}},
            "dataset/label",
            "same_column",
        ),
        (CLASSIFY | {"dataset": CLASSIFY["dataset"] | {"max_length": 1}}, "dataset/max_length", "greater_than_equal"),
        (
            CLASSIFY | {"dataset": CLASSIFY["dataset"] | {"tokenizer": {"kind": "word", "vocabulary": 1}}},
            "dataset/tokenizer/vocabulary",
            "greater_than_equal",
        ),
        (
            {
                "dataset": DIGITS,
                "teacher": {"source": "train", **MLP},
                "student": MLP,
                "objective": {"kind": "sequence"},
            },
            "objective/kind",
            "objective_mismatch",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused_where_it_stands(body: dict[str, Any], place: str, code: str) -> None:
    ((found, kind),) = errors(body)
    tags = {"builtin_text", "text_file", "word", "bpe", "train", "bag_of_embeddings", "sequence", "rkd"}
    assert ("/".join(step for step in found.split("/") if step not in tags), kind) == (place, code)
