"""A student that learns with the tokens that are read alone is, to the bit, the one that learns with all of them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.distillations.training import Optimisation
from tests.testing import folders
from workers.distillation.embeddings.vocabulary import narrowed
from workers.distillation.networks.pretrained.encoder import Form, TextEncoder, WordVectors
from workers.distillation.networks.pretrained.folder import opened
from workers.distillation.training.optimise import optimizer_of

STEPS = 3


def taught(network: TextEncoder, tokens: torch.Tensor, training: Optimisation) -> dict[str, torch.Tensor]:
    """Its weights after some steps towards drawn vectors."""
    draw = torch.Generator().manual_seed(1)
    optimizer = optimizer_of(network.parameters(), training)
    for _ in range(STEPS):
        wanted = torch.randn(len(tokens), network.width, generator=draw)
        optimizer.zero_grad()
        (network(tokens) - wanted).square().mean().backward()
        optimizer.step()
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def must_be_alike(make: Any, tokens: torch.Tensor, optimizer: str) -> None:
    training = Optimisation.model_validate({"optimizer": optimizer, "learning_rate": 0.01})
    whole = taught(make(), tokens, training)
    network = make()
    vocabulary = narrowed(network, tokens)
    narrow = taught(network, vocabulary.numbers[tokens], training)
    assert narrow[vocabulary.name].shape[0] < whole[vocabulary.name].shape[0]
    for name, tensor in vocabulary.widened(narrow).items():
        assert torch.equal(tensor, whole[name]), name


@settings(max_examples=25)
@given(seed=st.integers(0, 999), pad=st.integers(0, 3), optimizer=st.sampled_from(["adam", "adamw", "sgd"]))
def test_word_vectors_learn_alike(seed: int, pad: int, optimizer: str) -> None:
    def make() -> TextEncoder:
        torch.manual_seed(seed)
        return TextEncoder(WordVectors(40, 6), Form("mean", normalises=True, pad=pad))

    tokens = torch.randint(0, 30, (4, 5), generator=torch.Generator().manual_seed(seed))
    must_be_alike(make, tokens, optimizer)


@pytest.mark.training
@pytest.mark.parametrize("kind", ["bert", "roberta", "mpnet", "distilbert"])
def test_transformers_learn_alike(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(folders.zipped(folders.files(kind)))
    tokens = opened(path, tmp_path, memory=1 << 30).tokenizer.encode(["the cat of a red house", "a river", "of of"])
    must_be_alike(lambda: opened(path, tmp_path, memory=1 << 30).encoder.eval(), tokens, "adam")
