"""A checkpoint is usable alone: its card says all that its weights need, to whoever has torch and safetensors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job
from workers.distillation.quality import LEAST_PROBABILITY_LOG

Make = Callable[..., Any]


def by_hand(path: Path, rows: torch.Tensor) -> tuple[list[str], torch.Tensor]:
    """(classes, logits) of raw rows, by what the file says and what the documentation says of an mlp."""
    with safe_open(path, "pt") as file:
        card = json.loads(file.metadata()["qstill"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    architecture = card["architecture"]
    assert architecture["kind"] == "mlp"
    assert rows.shape[1:] == tuple(card["input_shape"])
    mean, std = (torch.tensor(card[name], dtype=torch.float64) for name in ("mean", "std"))
    x = ((rows.double() - mean) / std).float().flatten(1)
    for number in range(len(architecture["hidden"])):
        x = x @ weights[f"hidden.{number}.weight"].T + weights[f"hidden.{number}.bias"]
        x = {"relu": torch.relu, "tanh": torch.tanh, "gelu": torch.nn.functional.gelu}[architecture["activation"]](x)
    return card["classes"], x @ weights["head.weight"].T + weights["head.bias"]


@pytest.mark.parametrize(
    ("data", "standardise", "student"),
    [
        ("iris", "feature", {"kind": "mlp", "hidden": [5, 4], "activation": "tanh", "dropout": 0.1}),
        ("digits", "channel", {"kind": "mlp", "hidden": [8], "activation": "gelu"}),
        ("wine", "none", {"kind": "mlp", "hidden": []}),
    ],
)
def test_a_perceptron_computed_by_hand_is_as_good_as_the_report_says(
    house: Make, job: Make, tmp_path: Path, data: str, standardise: str, student: dict[str, Any]
) -> None:
    told = house()
    spec = job(
        dataset={"name": data, "labelled": 30, "standardise": standardise},
        student={"architecture": student},
        evaluation={"seeds": 1},
    )
    distil_job(spec, told)
    report, test = json.loads(told.published["report.json"]), load(spec.dataset, {}).test
    for role, name in (("student", "student-seed-0"), ("baseline", "baseline-seed-0"), ("teacher", "teacher")):
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(told.published[path.name])
        classes, logits = by_hand(path, test.raw)
        assert classes == report["classes"]
        measured = report[role]["runs"][0]
        assert float((logits.argmax(1) == test.y).double().mean()) == pytest.approx(measured["accuracy"])
        log_p = logits.double().log_softmax(1).clamp(min=LEAST_PROBABILITY_LOG)
        loss = -float(log_p.gather(1, test.y[:, None]).mean())
        assert loss == pytest.approx(measured["negative_log_likelihood"], rel=1e-4)
