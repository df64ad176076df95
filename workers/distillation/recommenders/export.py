"""A recommender as ONNX. What is said of a file was measured by running that file.

session = onnxruntime.InferenceSession("student-seed-0.onnx")
scores = session.run(["scores"], {"users": users})[0]  # int64 (batch,) to (batch, items); the names are in its metadata
"""

from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import onnxruntime as ort
import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures.family import OnnxFormat
from qstill.contract.distillations.recommenders.architectures import AnyScorer
from workers.distillation.artifacts.clock import timed
from workers.distillation.artifacts.onnx_file import Form, quantised_dynamically, written
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.recommenders.checkpoints import card_for
from workers.distillation.recommenders.data.dataset import Data
from workers.distillation.recommenders.metrics import overlap, quality, rank
from workers.distillation.recommenders.networks import ScorerNetwork

USERS, SCORES = "users", "scores"


class EveryItem(nn.Module):
    """Users (batch,) to the scores of every item; what depends on the item alone is computed once, here."""

    items_side: Tensor

    def __init__(self, network: ScorerNetwork) -> None:
        super().__init__()
        self.network = network
        with torch.no_grad():
            self.register_buffer("items_side", network.items_side())

    def forward(self, users: Tensor) -> Tensor:
        """Scores."""
        return self.network.scores(users, self.items_side)


def to_onnx(network: ScorerNetwork, architecture: AnyScorer, data: Data) -> bytes:
    """float32, any number of users; architecture and names stand in its metadata, as in a checkpoint's card."""
    card = {
        "inputs": "users (batch,), int64: places in the list of users, from 0",
        "outputs": "scores (batch, items): a column for each of the list of items; the higher, the sooner recommended",
        **card_for(architecture, data).model_dump(mode="json"),
    }
    return written(Form(EveryItem(network), torch.tensor([0, 1]), USERS, SCORES, card, {}))


def to_int8(content: bytes) -> bytes:
    """The same with tables and matrices of 8 bits."""
    return quantised_dynamically(content, ["MatMul", "Gather"])


def described(content: bytes, network: ScorerNetwork, data: Data, k: int, threads: int) -> dict[str, Any]:
    """What running a file shows, beside the network that it came from: on the test interactions, as JSON."""
    session, furthest = open_session(content, threads), [0.0]

    def in_pytorch(users: Tensor) -> Tensor:
        with torch.no_grad():
            return network(users)  # type: ignore[no-any-return]

    def in_file(users: Tensor) -> Tensor:
        found = _scores(session, users)
        furthest.append(float((found - in_pytorch(users)).abs().max()))
        return found

    mine, theirs = (rank(scores, data.test, data.untested, k) for scores in (in_file, in_pytorch))
    one = data.test.users[:1]
    return {
        "bytes": len(content),
        "k": k,
        **asdict(quality(mine, k)),
        "pytorch": asdict(quality(theirs, k)),
        "max_score_difference": max(furthest),
        "overlap": overlap(mine, theirs),
        "rows": len(data.test),
        "latency": asdict(timed(lambda: _scores(session, one))),
        "onnxruntime": version("onnxruntime"),
    }


def _scores(session: ort.InferenceSession, users: Tensor) -> Tensor:
    return torch.from_numpy(session.run([SCORES], {USERS: users.numpy()})[0])


def exported(
    wanted: list[OnnxFormat], network: ScorerNetwork, architecture: AnyScorer, data: Data, k: int, threads: int
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(ending of the name, file, what is known of it) of each format that is wanted."""
    if not wanted:
        return
    content = to_onnx(network, architecture, data)
    takes = {"input": USERS, "output": SCORES, "users": data.users, "items": data.items}
    if "onnx" in wanted:
        yield ".onnx", content, {"format": "onnx", **takes, **described(content, network, data, k, threads)}
    if "onnx_int8" in wanted:
        small = to_int8(content)
        how = {"quantisation": "dynamic", **described(small, network, data, k, threads)}
        yield ".int8.onnx", small, {"format": "onnx_int8", **takes, **how}
