"""Recommenders that are there already teach others: users and items are found by name, and strangers are told."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from qstill.contract.distillations.recommenders.architectures import AnyScorer, MatrixFactorisation, MlpScorer, TwoTower
from qstill.contract.distillations.recommenders.data import UploadedInteractions
from tests.testing.refusals import problem_of
from tests.workers.distillation.recommenders.test_recommender_jobs import DE, RRD, done, job
from workers.distillation.recommenders.checkpoints import to_bytes
from workers.distillation.recommenders.data.dataset import Data, load
from workers.distillation.recommenders.known_model import from_model
from workers.distillation.recommenders.networks import build

House = Callable[..., Any]

FILE, MODEL = "file_1", "model_" + "0" * 32
CPU = torch.device("cpu")
SCORERS: list[AnyScorer] = [
    MatrixFactorisation(kind="matrix_factorisation", dimensions=3),
    TwoTower(kind="two_tower", dimensions=3, tower=[5, 4]),
    MlpScorer(kind="mlp_scorer", dimensions=3, hidden=[5]),
]


def interactions(path: Path, users: list[str], items: int = 12) -> Data:
    rows = [f"{user},item {(3 * place + n) % items}" for place, user in enumerate(users) for n in range(5)]
    path.write_text("user,item\n" + "\n".join(rows), encoding="utf-8")
    return load(UploadedInteractions(source="interactions", file=FILE), {FILE: path})


@pytest.fixture
def old(tmp_path: Path) -> Data:
    return interactions(tmp_path / "old.csv", [f"user {n}" for n in range(9)])


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda scorer: scorer.kind)
def test_scores_are_those_of_the_model_by_name(tmp_path: Path, old: Data, scorer: AnyScorer) -> None:
    network = build(scorer, users=old.users, items=old.items, seed=4)
    (tmp_path / "m").write_bytes(to_bytes(network.state_dict(), scorer, old))
    new = interactions(tmp_path / "new.csv", ["user 7", "a stranger", "user 2", "user 5"])
    signal, found = from_model(tmp_path / "m", new, 3, CPU)
    assert dict(zip(new.user_names, signal.speaks.tolist(), strict=True)) == {
        name: name != "a stranger" for name in new.user_names
    }
    for name in ("user 2", "user 5", "user 7"):
        theirs = network(torch.tensor([old.user_names.index(name)]))[0]
        mine = signal.scores(torch.tensor([new.user_names.index(name)]))[0]
        expected = torch.stack([theirs[old.item_names.index(item)] for item in new.item_names])
        torch.testing.assert_close(mine, expected)
    assert signal.file_bytes == (tmp_path / "m").stat().st_size
    assert found.user.num_embeddings == new.users


def test_a_user_of_whom_its_training_saw_nothing_is_a_stranger(tmp_path: Path, old: Data) -> None:
    unseen = old.train.users != 3
    train = replace(old.train, users=old.train.users[unseen], items=old.train.items[unseen])
    network = build(SCORERS[0], users=old.users, items=old.items, seed=4)
    (tmp_path / "m").write_bytes(to_bytes(network.state_dict(), SCORERS[0], replace(old, train=train)))
    signal, _ = from_model(tmp_path / "m", old, 3, CPU)
    assert torch.nonzero(~signal.speaks).flatten().tolist() == [3]


@pytest.mark.parametrize("objective", [RRD, DE, {"kind": "softmax_kl"}], ids=lambda objective: str(objective["kind"]))
def test_a_checkpoint_teaches_as_it_did_in_its_own_job(house: House, tmp_path: Path, objective: dict[str, Any]) -> None:
    first, result, _ = done(house, job(objective=objective))
    (tmp_path / "teacher").write_bytes(first.published["teacher.safetensors"])
    again, same, report = done(
        house,
        job(objective=objective, teacher={"source": "model", "model": MODEL}),
        files={MODEL: tmp_path / "teacher"},
        models={MODEL: {}},
    )
    assert same["teacher"] == result["teacher"]
    assert same["student_sha256"] == result["student_sha256"]
    assert "teacher.safetensors" not in again.published
    assert report["teacher"]["cost"]["size"]["bytes"] == len(first.published["teacher.safetensors"])
    assert any(MODEL in note for note in report["notes"])


def test_what_cannot_teach_here_is_refused_with_the_reason(tmp_path: Path, old: Data) -> None:
    network = build(SCORERS[0], users=old.users, items=old.items, seed=4)
    (tmp_path / "m").write_bytes(to_bytes(network.state_dict(), SCORERS[0], old))
    (tmp_path / "none").write_bytes(b"not a model")
    more = interactions(tmp_path / "more.csv", ["user 1", "user 2", "user 3", "user 4", "user 5"], items=15)
    nobody = interactions(tmp_path / "nobody.csv", ["a", "b", "c", "d"])
    for path, data, code, said in (
        (None, old, "file_gone", "deleted"),
        (tmp_path / "none", old, "teacher_invalid", "safetensors"),
        (tmp_path / "m", more, "teacher_mismatch", "item 'item 12'"),
        (tmp_path / "m", nobody, "teacher_mismatch", "none of the users"),
    ):
        caught = problem_of(from_model, path, data, 3, CPU)
        assert (caught.code, caught.pointer) == (code, "/teacher/model")
        assert said in caught.title
