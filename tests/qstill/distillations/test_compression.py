"""What a comparison with pruning and quantisation may ask: what cannot work is refused at the door, with its place."""

from typing import Any

import pytest
from pydantic import ValidationError

from qstill.contract.distillations.compression import MAX_FINE_TUNED, Compression
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.sweeps.sweep import Sweep
from tests.testing.refusals import errors_of

MLP = {"kind": "mlp", "hidden": [16]}
BODY: dict[str, Any] = {
    "dataset": {"source": "builtin", "name": "digits"},
    "teacher": {"source": "train", "architecture": MLP},
    "student": {"architecture": MLP},
    "compression": {},
}
FILE = "file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e"


def test_nothing_said_compares_all_kinds() -> None:
    asked = DistillationJob.model_validate(BODY).compression
    assert asked is not None
    assert asked.kinds() == ["magnitude", "structured"]
    assert len(asked.quantisation) == 3
    assert asked.learning_rate(0.01) == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"compression": {"pruning": [], "quantisation": []}}, ("compression", "pruning"), "nothing_to_compare"),
        ({"compression": {"quantisation": ["int8_static"] * 2}}, ("compression", "quantisation"), "named_twice"),
        ({"compression": {"seeds": 4}}, ("compression", "seeds"), "too_many_seeds"),
        (
            {"compression": {"pruning": [{"kind": "magnitude", "sparsity": 0.1 * i} for i in range(1, 9)]}}
            | {"evaluation": {"seeds": 20}},
            ("compression", "pruning"),
            "too_many_networks",
        ),
        (
            {"teacher": {"source": "file", "file": FILE, "format": "onnx"}},
            ("teacher", "source"),
            "compression_needs_network",
        ),
        (
            {"teacher": {"source": "soft_labels", "file": FILE, "kind": "logits"}},
            ("teacher", "source"),
            "compression_needs_network",
        ),
        (
            {"teacher": {"source": "ensemble", "members": [BODY["teacher"]] * 2}},
            ("teacher", "source"),
            "compression_needs_network",
        ),
        (
            {"student": {"architecture": {"kind": "vit", "patch": 4}}},
            ("compression", "pruning", 1, "kind"),
            "no_structure",
        ),
        (
            {"teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": []}}},
            ("compression", "pruning", 1, "kind"),
            "no_structure",
        ),
        (
            {
                "dataset": {"source": "builtin_text", "name": "python_topics", "task": "classification"},
                "teacher": {"source": "train", "architecture": {"kind": "text_cnn"}},
                "student": {"architecture": {"kind": "text_cnn"}},
            },
            ("compression",),
            "compression_unavailable",
        ),
        (
            {
                "dataset": {"source": "builtin", "name": "diabetes", "task": "regression"},
                "objective": {"kind": "logit_mse"},
            },
            ("compression",),
            "compression_unavailable",
        ),
    ],
)
def test_what_cannot_work_is_refused_where_it_stands(
    changes: dict[str, Any], place: tuple[str | int, ...], code: str
) -> None:
    (error,) = errors_of(DistillationJob.model_validate, BODY | changes)
    assert (error["loc"], error["type"]) == (place, code)


def test_a_student_that_is_not_pruned_need_not_have_units() -> None:
    vit = {"architecture": {"kind": "vit", "patch": 4}}
    assert DistillationJob.model_validate(BODY | {"student": vit, "compression": {"combine": False}})


def test_how_many_networks_are_fine_tuned_is_bounded() -> None:
    asked = Compression.model_validate({})
    assert asked.fine_tuned(3) == 3 * (2 * 2 + 2 * 4)
    assert asked.fine_tuned(20) > MAX_FINE_TUNED


def test_a_sweep_does_not_prune() -> None:
    with pytest.raises(ValidationError, match="a sweep does not prune"):
        Sweep.model_validate({"base": BODY, "space": {"/objective/alpha": [0.5]}})
