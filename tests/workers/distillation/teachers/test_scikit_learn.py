"""Tables: what a forest of scikit-learn knows is handed over as soft labels, in the order of the data's rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

from qstill.contract.distillations.datasets import BuiltinData
from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job

pytestmark = pytest.mark.training

FILE = "file_1"
Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("breast_cancer", GradientBoostingClassifier(n_estimators=40, random_state=0)),
        ("wine", RandomForestClassifier(n_estimators=80, random_state=0)),
    ],
)
def test_a_perceptron_learns_from_a_model_that_no_network_is(
    tmp_path: Path, job: Make, house: Make, name: Any, model: Any
) -> None:
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    data = load(BuiltinData(source="builtin", name=name), {})
    rows = data.train.index.numpy()  # the same splits as the job's: the model has not seen what judges it
    model.fit(x[rows], y[rows])
    np.save(tmp_path / "soft.npy", model.predict_proba(x))
    spec = job(
        dataset={"source": "builtin", "name": name, "labelled": 8},
        teacher={"source": "soft_labels", "file": FILE, "kind": "probabilities"},
        student={"architecture": {"kind": "mlp", "hidden": [8]}},
        training={"epochs": 20},
        evaluation={"seeds": 2},
    )
    result = distil_job(spec, house(files={FILE: tmp_path / "soft.npy"}))
    assert result["teacher"]["mean"] == pytest.approx(model.score(x[data.test.index], y[data.test.index]))
    assert result["student"]["mean"] > 0.9
    assert result["student"]["mean"] >= result["baseline"]["mean"]
