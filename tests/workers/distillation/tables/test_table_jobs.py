"""A job on a table with words and gaps: its checkpoint, its file and its predictions take rows as they stand there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
import torch
from skl2onnx import to_onnx as from_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from app.distillations.card import card
from app.distillations.loading import program
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.report.document import read_report
from qstill.contract.models.answers import Prediction, Values
from qstill.contract.models.questions import AskRows, AskTable, Question
from tests.testing.refusals import problem_of
from tests.workers.distillation.programs import Case, answers_of
from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job
from workers.distillation.predict.rows import predict
from workers.distillation.preflight.look import preflight
from workers.distillation.teachers import loaded

pytestmark = [pytest.mark.training, pytest.mark.timeout(300)]

Make = Callable[..., Any]
FILE, MODEL = "file_1", "model_" + "0" * 32
ROWS = 400


def people(rows: int = ROWS) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    age = draw.integers(18, 90, rows).astype(float)
    job = draw.choice(["nurse", "baker", "sailor"], rows)
    since = pd.to_datetime("2015-01-01") + pd.to_timedelta(draw.integers(0, 3000, rows), "D")
    table = pd.DataFrame(
        {"age": age, "job": job, "since": since.strftime("%d.%m.%Y"), "member": draw.random(rows) < 0.5}
    )
    table["bought"] = np.where((age > 50) ^ (job == "nurse"), "yes", "no")
    table["price"] = age / 7 + (job == "baker")
    table.loc[draw.random(rows) < 0.1, "age"] = np.nan
    table.loc[draw.random(rows) < 0.1, "job"] = None
    return table


def job_of(**changes: Any) -> DistillationJob:
    return DistillationJob.model_validate(
        {
            "dataset": {"source": "file", "file": FILE, "label": "bought", "ignore": ["price"]},
            "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [16]}},
            "student": {"architecture": {"kind": "mlp", "hidden": [6]}},
            "objective": {"kind": "kd"},
            "training": {"epochs": 3},
            "evaluation": {"seeds": 1},
            "export": ["onnx", "onnx_int8"],
            **changes,
        }
    )


@pytest.fixture
def table(house: Make) -> Any:
    """A run with the table in its files."""
    run = house()
    people().to_csv(run.scratch / "people.csv", index=False)
    run.files = {FILE: run.scratch / "people.csv"}
    return run


def objects(some: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {name: None if value is None or value != value else value for name, value in row.items()}
        for row in json.loads(some.to_json(orient="records"))
    ]


def given(session: ort.InferenceSession, some: pd.DataFrame) -> dict[str, Any]:
    """Raw rows as the file takes them."""
    return {
        each.name: some[[each.name]].to_numpy(np.float32)
        if each.type == "tensor(float)"
        else some[[each.name]].fillna("").astype(str).to_numpy(object)
        for each in session.get_inputs()
    }


def asked(run: Any, path: Path, stored_as: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    run.files, run.models = {MODEL: path}, {MODEL: stored_as}
    return predict(Question(model=MODEL, rows=AskTable(rows=rows)), run)


def test_raw_rows_go_into_checkpoint_file_and_program_and_all_say_the_same(table: Any) -> None:
    distil_job(job_of(), table)
    some = people()[:40]
    file, checkpoint = table.scratch / "student-seed-0.onnx", table.scratch / "student-seed-0.safetensors"
    session = ort.InferenceSession(file.read_bytes())
    logits = session.run(["logits"], given(session, some))[0]
    report = read_report(json.loads((table.scratch / "report.json").read_text()))
    assert report.models[0].max_difference < 1e-4
    for path, stored_as in ((checkpoint, {}), (file, {"format": "onnx"})):
        found = Prediction.model_validate(asked(table, path, stored_as, objects(some)))
        torch.testing.assert_close(torch.tensor(found.logits), torch.from_numpy(logits), atol=1e-5, rtol=1e-5)
        assert found.classes == ["no", "yes"]
        assert found.notes == []
    code = program("file.safetensors", "mlp", columns=True)
    case = Case(code, ("file.safetensors", checkpoint.read_bytes()), [objects(some)])
    ((alone,),) = answers_of([case], table.scratch / "alone")
    torch.testing.assert_close(torch.tensor(alone), torch.from_numpy(logits).softmax(1), atol=1e-5, rtol=0)
    said = card(report)
    assert "| job | categorical |" in said
    assert '"since": numpy.array([[row["since"]] for row in rows], object)' in said
    assert [each.kind for each in report.columns or []] == [
        *("numeric", "categorical", "date", "boolean", "label", "ignored")
    ]


def test_what_a_model_is_asked_is_read_kindly_and_refused_by_name(table: Any) -> None:
    distil_job(job_of(export=[]), table)
    path = table.scratch / "student-seed-0.safetensors"
    row = {"age": "41", "job": "astronaut", "member": "TRUE", "bought": "no", "price": 3}
    found = Prediction.model_validate(asked(table, path, {}, [row]))
    assert found.notes == [
        "1 of 1 rows have no 'since': it counts as a gap.",
        "1 of 1 rows have in 'job' what the model does not tell from other rare words: 'astronaut'.",
    ]
    wrong = problem_of(asked, table, path, {}, [row, {"aeg": 41}])
    assert (wrong.code, wrong.pointer) == ("no_such_column", "/rows/1/aeg")
    wrong = problem_of(asked, table, path, {}, [{"age": "old"}])
    assert (wrong.code, wrong.pointer) == ("not_a_number", "/rows/0/age")
    numbers = problem_of(predict, Question(model=MODEL, rows=AskRows(inputs=[[1.0]])), table)
    assert (numbers.code, numbers.document()["try"]) == ("another_question", [{"field": "rows"}])


def test_a_regression_on_a_table_answers_in_units(table: Any) -> None:
    dataset = {"source": "file", "file": FILE, "task": "regression", "target": "price", "ignore": ["bought"]}
    distil_job(job_of(dataset=dataset, objective={"kind": "logit_mse"}), table)
    some, file = people()[:20], table.scratch / "student-seed-0.onnx"
    session = ort.InferenceSession(file.read_bytes())
    values = session.run(["values"], given(session, some))[0]
    for path, stored_as in ((table.scratch / "student-seed-0.safetensors", {}), (file, {"format": "onnx"})):
        found = Values.model_validate(asked(table, path, stored_as, objects(some)))
        assert found.targets == ["price"]
        np.testing.assert_allclose(found.values, values, atol=1e-3)


def test_teachers_read_the_table_in_their_own_way(table: Any, house: Make) -> None:
    """A checkpoint of another split, and a pipeline of scikit-learn with an input for each column."""
    distil_job(job_of(export=[]), table)
    teacher = table.scratch / "teacher.safetensors"
    frame = people()
    words, numbers = SimpleImputer(strategy="constant", fill_value="", missing_values=""), SimpleImputer()
    encoders = [("n", numbers, ["age"]), ("w", make_pipeline(words, OneHotEncoder(handle_unknown="ignore")), ["job"])]
    pipeline = make_pipeline(ColumnTransformer(encoders), LogisticRegression())
    pipeline.fit(frame.fillna({"job": ""})[["age", "job"]], frame["bought"])
    types = [("age", FloatTensorType([None, 1])), ("job", StringTensorType([None, 1]))]
    pipe = table.scratch / "pipeline.onnx"
    pipe.write_bytes(
        from_sklearn(pipeline, initial_types=types, options={"zipmap": False}, target_opset=20).SerializeToString()
    )
    for path, format_ in ((teacher, "safetensors"), (pipe, "onnx")):
        run = house()
        run.files = {FILE: table.files[FILE], "file_2": path}
        spec: dict[str, Any] = {"source": "file", "file": "file_2", "format": format_}
        dataset = {"source": "file", "file": FILE, "label": "bought", "ignore": ["price"], "split_seed": 5}
        job = job_of(dataset=dataset, teacher=spec, export=[])
        data = load(job.dataset, run.files)
        said = loaded(job.teacher, data, run).logits(data.test)
        some = frame.iloc[data.test.index.tolist()]
        rows = objects(some if format_ == "safetensors" else some[["age", "job"]])
        asked_alone = Prediction.model_validate(asked(house(), path, {"format": format_}, rows))
        torch.testing.assert_close(torch.tensor(asked_alone.logits), said, atol=1e-5, rtol=1e-5)
    expected = pipeline.predict_proba(some.fillna({"job": ""}))
    torch.testing.assert_close(said.softmax(1).double(), torch.from_numpy(expected), atol=1e-5, rtol=0)
    distil_job(job, run)
    report = read_report(json.loads((run.scratch / "report.json").read_text()))
    assert "The teacher was given 2 columns by their names, as they stand in the table." in report.notes


def test_what_is_pruned_and_quantised_takes_raw_rows_too(table: Any) -> None:
    asked_for = {"pruning": [{"kind": "magnitude", "sparsity": 0.5}], "quantisation": ["int8_dynamic"]}
    distil_job(job_of(compression=asked_for, export=[]), table)
    files = [content for name, content in table.published.items() if name.endswith(".onnx")]
    assert files
    for content in files:
        session = ort.InferenceSession(content)
        assert session.run(["logits"], given(session, people()[:3]))[0].shape == (3, 2)


def test_a_preflight_shows_what_columns_were_taken_for(table: Any) -> None:
    asked_of = PreflightQuestion(job=job_of(), seconds_limit=1e6)
    found = preflight(job_of(), asked_of, table)
    shown = {each["name"]: (each["kind"], each["gaps"]) for each in found["columns"]}
    assert shown["job"][0] == "categorical"
    assert shown["since"] == ("date", 0)
    assert found["shapes"]["inputs"] == [sum(len(each["inputs"] or []) for each in found["columns"])]
