"""Every family of networks; a new one is a file and a name here. Initial weights depend on nothing but a seed."""

from typing import Any

import torch

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures import family_of as what_is_known_of
from qstill.contract.errors import Problem
from workers.distillation.networks.circuits.own import OWN_CIRCUIT
from workers.distillation.networks.circuits.variational import QUANTUM
from workers.distillation.networks.cnn import CNN
from workers.distillation.networks.family import Ends, Family, Source
from workers.distillation.networks.fourier import FOURIER
from workers.distillation.networks.mlp import MLP
from workers.distillation.networks.network import Network
from workers.distillation.networks.pretrained.family import PRETRAINED
from workers.distillation.networks.resnet import RESNET, WIDE_RESNET
from workers.distillation.networks.texts.bag_of_embeddings import BAG_OF_EMBEDDINGS
from workers.distillation.networks.texts.decoder import DECODER
from workers.distillation.networks.texts.encoder import ENCODER
from workers.distillation.networks.texts.lstm import LSTM
from workers.distillation.networks.texts.text_cnn import TEXT_CNN
from workers.distillation.networks.texts.text_transformer import TEXT_TRANSFORMER
from workers.distillation.networks.texts.tokens import PAD
from workers.distillation.networks.vit import VIT
from workers.distillation.rows import Standardisation

FAMILIES: tuple[Family[Any], ...] = (
    *(MLP, CNN, RESNET, WIDE_RESNET, VIT, QUANTUM, OWN_CIRCUIT, FOURIER),
    *(BAG_OF_EMBEDDINGS, TEXT_CNN, LSTM, TEXT_TRANSFORMER, DECODER, ENCODER, PRETRAINED),
)
BY_DEFINITION = {family.definition: family for family in FAMILIES}


def family_of(architecture: AnyArchitecture) -> Family[Any]:
    """The record of its family."""
    return BY_DEFINITION[type(architecture)]


def build(
    architecture: AnyArchitecture,
    input_shape: tuple[int, ...],
    classes: int,
    *,
    seed: int,
    pointer: str,
    vocabulary: int | None = None,
    standardisation: Standardisation | None = None,
    source: Source | None = None,
    padding: int = PAD,
) -> Network:
    """A network in train mode. pointer: of the architecture, for the Problem when it does not fit the data.

    vocabulary: how many tokens there are, for text, whose input_shape is (tokens,). standardisation: of its inputs, for
    what reads raw ones; None: its weights will say. source: the folder whose tokens rows are. padding: their number of
    a token that is not there.
    """
    reads = what_is_known_of(architecture).reads
    if (reads == "text") != (vocabulary is not None):
        has = "numbers" if vocabulary is None else "text"
        title = f"A {architecture.kind} does not read {has}."
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/kind")
    if reads == "images" and len(input_shape) != 3:
        title = f"A {architecture.kind} needs images; one row of this data has shape {input_shape}."
        way_out = {"kind": "mlp", "hidden": [16]}  # in place of the whole architecture
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/kind", ways_out=[way_out])
    own = what_is_known_of(architecture).ending == ".zip"
    if own != (source is not None) and own | (padding != PAD):
        title = f"A {architecture.kind} does not read these tokens, which are those of another tokenizer."
        raise Problem("tokenizer_mismatch", title, pointer=f"{pointer}/kind")
    ends = Ends(input_shape, classes, vocabulary or 0, pointer, standardisation, source)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return family_of(architecture).build(architecture, ends)
