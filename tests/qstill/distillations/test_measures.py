"""Which measures a job may name, and what is said of the others."""

from typing import Any

import pytest
from pydantic import ValidationError

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.measures.measure import NAMED, SPEARMAN, measure_of, top
from qstill.contract.distillations.measures.usual import OF_CLASSES, OF_NUMBERS

MLP = {"kind": "mlp", "hidden": [4]}


def job(evaluation: dict[str, Any], **data: Any) -> DistillationJob:
    body = {
        "dataset": {"source": "builtin", "name": "iris"} | data,
        "teacher": {"source": "train", "architecture": MLP},
        "student": {"architecture": MLP},
        "evaluation": evaluation,
        "objective": {"kind": "logit_mse"},
    }
    return DistillationJob.model_validate(body)


@pytest.mark.parametrize(
    ("evaluation", "data", "place", "said"),
    [
        ({"measures": ["auc", "top_5"]}, {}, ("evaluation", "measures", 1), "top_2 at most"),
        ({"verdict": "top_1"}, {}, ("evaluation", "verdict"), "top_1 is accuracy"),
        ({"verdict": "top_2"}, {"name": "breast_cancer"}, ("evaluation", "verdict"), "choose accuracy"),
        ({"verdict": "rmse"}, {}, ("evaluation", "verdict"), "choose accuracy, f1_macro"),
        (
            {"measures": ["auc"]},
            {"name": "diabetes", "task": "regression"},
            ("evaluation", "measures", 0),
            "choose rmse, mae, r2",
        ),
        ({"measures": ["auc", "auc"]}, {}, ("evaluation", "measures", 1), "named once"),
        ({"verdict": "spearman"}, {}, ("evaluation", "verdict"), "pattern"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    evaluation: dict[str, Any], data: dict[str, Any], place: tuple[str | int, ...], said: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        job(evaluation, **data)
    (error,) = refused.value.errors()
    assert error["loc"] == place
    assert said in error["msg"]


def test_the_usual_measures_may_be_named() -> None:
    assert job({"verdict": "accuracy", "measures": ["f1_macro", "top_2"]}).evaluation.verdict == "accuracy"
    numbers = job({"verdict": "r2", "measures": ["mae"]}, name="diabetes", task="regression")
    assert numbers.evaluation.verdict == "r2"


def test_every_name_leads_to_its_record() -> None:
    assert all(measure_of(each.name) is each for each in (*NAMED, SPEARMAN))
    assert measure_of("top_12") == top(12)
    assert measure_of("ndcg@10").validation == "ndcg"


def test_a_table_has_each_measure_once_and_that_of_the_verdict_first() -> None:
    for usual in (OF_CLASSES, OF_NUMBERS):
        for verdict in NAMED:
            names = [name for name, _, _ in usual.table(verdict, NAMED)]
            assert names[0] == verdict.name
            assert usual.verdict.name in names
            assert len(set(names)) == len(names)
