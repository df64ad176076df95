"""Recommenders when somebody tries them: the order of their scores, by the names of the data."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qstill.contract.distillations.recommenders.architectures import AnyScorer, MatrixFactorisation, MlpScorer, TwoTower
from qstill.contract.distillations.recommenders.data import SyntheticInteractions
from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.errors import Problem
from qstill.contract.models.answers import Recommendations
from qstill.contract.models.questions import AskRows, AskTexts, AskUsers, Question
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.predict.rows import predict
from workers.distillation.recommenders.checkpoints import to_bytes
from workers.distillation.recommenders.data.dataset import Data, Pairs, load
from workers.distillation.recommenders.networks import ScorerNetwork, build
from workers.distillation.teachers.files.weights import from_weights

Make = Callable[..., Any]
NAME = "model_" + "0" * 32
SCORERS: list[AnyScorer] = [
    MatrixFactorisation(kind="matrix_factorisation", dimensions=3),
    TwoTower(kind="two_tower", dimensions=3, tower=[5, 4]),
    MlpScorer(kind="mlp_scorer", dimensions=3, hidden=[5]),
]


@cache
def data() -> Data:
    return load(SyntheticInteractions(source="synthetic_interactions", users=40, items=30, per_user=6), {})


@cache
def model(which: int) -> tuple[ScorerNetwork, bytes]:
    network = build(SCORERS[which], users=data().users, items=data().items, seed=5)
    return network, to_bytes(network.state_dict(), SCORERS[which], data())


def ask(house: Make, content: bytes, question: Any) -> Recommendations:
    run = house(models={NAME: {}})
    path = run.scratch / "model"
    path.write_bytes(content)
    run.files = {NAME: path}
    return Recommendations.model_validate(predict(Question(model=NAME, rows=question), run))


@given(
    which=st.integers(0, 2),
    users=st.lists(st.integers(0, 39), min_size=1, max_size=5),
    k=st.integers(1, 40),
    excluded=st.sets(st.integers(0, 29), max_size=30),
)
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_best_items_come_first_and_the_excluded_never(
    house: Make, which: int, users: list[int], k: int, excluded: set[int]
) -> None:
    network, content = model(which)
    names = data().item_names
    lists = [[names[item] for item in excluded]] + [[] for _ in users[1:]]
    asked = AskUsers(users=[data().user_names[user] for user in users], k=k, exclude=lists)
    found = ask(house, content, asked)
    with torch.no_grad():
        scores = network(torch.tensor(users)).tolist()
    for number, (row, items) in enumerate(zip(scores, found.recommendations, strict=True)):
        left = [item for item in range(len(names)) if number or item not in excluded]
        expected = sorted(left, key=lambda item: (-row[item], item))[:k]
        assert [each.item for each in items] == [names[item] for item in expected]
        assert [each.score for each in items] == pytest.approx([row[item] for item in expected], abs=1e-5)
    assert found.notes == []


def test_names_that_the_model_does_not_know_are_said(house: Make) -> None:
    content = model(0)[1]
    found = ask(house, content, AskUsers(users=["3", "4"], exclude=[["nothing", "7"], ["else"]]))
    assert found.notes == ["2 of the items to exclude are unknown to the model."]
    caught = problem_of(ask, house, content, AskUsers(users=["3", "nobody"]))
    assert (caught.code, caught.pointer) == ("user_unknown", "/users/1")


def test_users_of_whom_training_saw_nothing_are_named(house: Make) -> None:
    kept = data().train.users != 7
    without = replace(data(), train=Pairs(data().train.users[kept], data().train.items[kept]))
    content = to_bytes(model(0)[0].state_dict(), SCORERS[0], without)
    assert ask(house, content, AskUsers(users=["7", "8"])).notes == [
        "Training saw nothing of 1 of these users ('7'): their lists mean nothing."
    ]
    assert ask(house, content, AskUsers(users=["8"])).notes == []


@pytest.mark.parametrize("question", [AskRows(inputs=[[1.0]]), AskTexts(texts=["a"])])
def test_a_recommender_answers_users_only(house: Make, question: Any) -> None:
    caught = problem_of(ask, house, model(0)[1], question)
    assert (caught.code, caught.ways_out) == ("another_question", [{"field": "users"}])


def test_a_recommender_cannot_teach_rows_and_says_why(house: Make) -> None:
    path = house().scratch / "m.safetensors"
    path.write_bytes(model(0)[1])
    with pytest.raises(Problem, match="recommender") as caught:
        from_weights(ModelFormat(), path, None)  # type: ignore[arg-type]
    assert caught.value.code == "teacher_invalid"


def test_weights_that_are_not_the_cards_are_refused(house: Make) -> None:
    network = model(0)[0]
    content = to_bytes(network.state_dict(), SCORERS[1], data())
    caught = problem_of(ask, house, content, AskUsers(users=["3"]))
    assert (caught.code, caught.pointer) == ("teacher_mismatch", None)
