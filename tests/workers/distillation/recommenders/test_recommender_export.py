"""Recommenders as ONNX: the same scores as PyTorch, and figures that running the file gives again."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from pydantic import TypeAdapter

from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.distillations.recommenders.architectures import AnyScorer, MatrixFactorisation, MlpScorer, TwoTower
from qstill.contract.distillations.recommenders.data import SyntheticInteractions
from workers.distillation.jobs import distil_job
from workers.distillation.recommenders.data.dataset import Data, load
from workers.distillation.recommenders.export import described, to_int8, to_onnx
from workers.distillation.recommenders.metrics import quality, rank
from workers.distillation.recommenders.networks import ScorerNetwork, build

pytestmark = pytest.mark.training

Make = Callable[..., Any]
JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)
SCORERS: list[AnyScorer] = [
    MatrixFactorisation(kind="matrix_factorisation", dimensions=4),
    TwoTower(kind="two_tower", dimensions=4, tower=[6, 5], activation="tanh"),
    MlpScorer(kind="mlp_scorer", dimensions=4, hidden=[6, 5]),
]


@cache
def data() -> Data:
    return load(SyntheticInteractions(source="synthetic_interactions", users=60, items=50, per_user=6), {})


def network_of(architecture: AnyScorer) -> ScorerNetwork:
    """Untrained, with opinions that are far apart, biases too."""
    network = build(architecture, users=data().users, items=data().items, seed=2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return network


@pytest.mark.parametrize("architecture", SCORERS, ids=lambda each: str(each.kind))
def test_a_file_scores_every_item_for_any_users(architecture: AnyScorer) -> None:
    network = network_of(architecture)
    content = to_onnx(network, architecture, data())
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = ort.InferenceSession(content)
    with torch.no_grad():
        expected = network(torch.arange(60))
    for users in ([0], [3, 3], list(range(60))):
        found = session.run(["scores"], {"users": np.array(users)})[0]
        np.testing.assert_allclose(found, expected[users], atol=1e-5, rtol=1e-4)
    card = json.loads(session.get_modelmeta().custom_metadata_map["qstill"])
    assert (card["users"], card["items"]) == (data().user_names, data().item_names)
    facts = described(content, network, data(), 5, 1)
    assert facts["max_score_difference"] < 1e-4
    assert (facts["overlap"], facts["pytorch"]["ndcg"]) == (1.0, facts["ndcg"])

    small = to_int8(content)
    kinds = {tensor.data_type for tensor in onnx.load_from_string(small).graph.initializer if np.prod(tensor.dims) > 16}
    assert onnx.TensorProto.UINT8 in kinds
    facts, smaller = described(small, network, data(), 5, 1), ort.InferenceSession(small)
    scores = torch.from_numpy(smaller.run(["scores"], {"users": np.arange(60)})[0])
    again = quality(rank(lambda users: scores[users].clone(), data().test, data().untested, 5), 5)
    assert facts["ndcg"] == pytest.approx(again.ndcg, abs=0.02)  # of other batches the activations' scales are others
    assert 1e-5 < facts["max_score_difference"] < 1


WITHOUT_US = """
import json, sys
import numpy, onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1])
card = json.loads(session.get_modelmeta().custom_metadata_map["qstill"])
user = card["users"].index("7")
(scores,) = session.run(["scores"], {"users": numpy.array([user])})[0]
print(json.dumps([card["items"][place] for place in numpy.argsort(-scores)[:5]]))
assert not {"torch", "app", "workers"} & set(sys.modules)
"""


def test_a_job_publishes_files_that_onnxruntime_alone_recommends_with(house: Make) -> None:
    told = house()
    body = {
        "dataset": {"source": "synthetic_interactions", "users": 60, "items": 50, "per_user": 8},
        "teacher": {"source": "train", "architecture": {"kind": "matrix_factorisation", "dimensions": 8}},
        "student": {"architecture": {"kind": "matrix_factorisation", "dimensions": 2}},
        "training": {"epochs": 3, "batch_size": 128},
        "evaluation": {"seeds": 1, "k": 5},
        "export": ["onnx", "onnx_int8"],
    }
    distil_job(JOBS.validate_json(json.dumps(body)), told)
    report = json.loads(told.published["report.json"])
    exact, small = report["exports"]
    assert (exact["name"], small["name"]) == ("student-seed-0.onnx", "student-seed-0.int8.onnx")
    student = report["student"]["runs"][0]
    assert [exact[name] for name in ("ndcg", "hit", "mrr")] == [student[name] for name in ("ndcg", "hit", "mrr")]
    for each in (exact, small):
        assert told.metas[each["name"]] == {name: fact for name, fact in each.items() if name != "name"}
        assert each["bytes"] == len(told.published[each["name"]])
    path = told.scratch / "student-seed-0.onnx"
    done = subprocess.run([sys.executable, "-I", "-c", WITHOUT_US, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    scores = ort.InferenceSession(told.published["student-seed-0.onnx"]).run(["scores"], {"users": np.array([7])})[0]
    assert json.loads(done.stdout) == [str(item) for item in np.argsort(-scores[0])[:5]]
