"""Whoever reads which rows were for the test can measure on the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from qstill.contract.answers.artifacts import SplitView
from qstill.contract.distillations.datasets import BuiltinData, BuiltinText, TextFile
from workers.distillation.data.dataset import load
from workers.distillation.data.membership import membership
from workers.distillation.data.texts import load_text
from workers.distillation.jobs import distil_job


def told(document: dict[str, Any]) -> SplitView:
    """As the front door describes it, and every row of it in one split."""
    view = SplitView.model_validate(json.loads(json.dumps(document)))
    assert sorted(view.train + view.validation + view.test) == list(range(view.rows))
    return view


def test_the_rows_are_those_of_the_data_set_as_it_came() -> None:
    data = load(BuiltinData(source="builtin", name="iris", labelled=9), {})
    view, iris = told(membership(data)), load_iris()
    assert np.allclose(iris.data[view.test], data.test.raw.numpy())
    assert iris.target[view.test].tolist() == data.test.y.tolist()
    assert view.labelled is not None
    assert len(view.labelled) == 9
    assert set(view.labelled) <= set(view.train)
    assert view.learned == view.train


def test_without_the_pool_and_of_regression_rows_with_a_label_are_learned_from() -> None:
    data = load(
        BuiltinData(source="builtin", name="diabetes", task="regression", labelled=40, unlabelled_pool=False), {}
    )
    view = told(membership(data))
    assert view.labelled == view.learned
    assert len(view.labelled or []) == 40


def test_rows_of_texts_are_numbered_as_the_file_has_them(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    rows = [{"text": f"{'abc' if i % 2 else 'xyz'} {i}", "label": "ab"[i % 2]} for i in range(40)]
    path.write_text("\n".join(map(json.dumps, rows)))
    tokenizer = {"kind": "character", "vocabulary": 40}
    spec = TextFile.model_validate(
        {"source": "text_file", "file": "file_1", "task": "classification", "tokenizer": tokenizer}
    )
    data = load_text(spec, {"file_1": path})
    view = told(membership(data))
    assert [rows[i]["label"] for i in view.test] == [data.classes[code] for code in data.test.y.tolist()]


def test_a_language_model_names_its_texts() -> None:
    data = load_text(BuiltinText(source="builtin_text", name="python_topics", task="language_modelling"), {})
    view = told(membership(data))
    assert (view.unit, view.labelled, view.learned) == ("texts", None, None)
    assert len(view.test) == pytest.approx(0.2 * view.rows, abs=1)


def test_a_job_publishes_it(job: Callable[..., Any], house: Callable[..., Any]) -> None:
    spec, here = job(), house()
    distil_job(spec, here)
    view = told(json.loads(here.published["split.json"]))
    assert view.test == load(spec.dataset, {}).test.index.tolist()
    assert view.digest == json.loads(here.published["report.json"])["digests"]["data"]
