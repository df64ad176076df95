"""The networks that teachers and students may be, and what is known of each family of them."""

from typing import Annotated, Any

from pydantic import Field

from qstill.contract.distillations.architectures.circuit import OWN_CIRCUIT, OwnCircuit
from qstill.contract.distillations.architectures.cnn import CNN, Cnn
from qstill.contract.distillations.architectures.family import Family
from qstill.contract.distillations.architectures.fourier import FOURIER, Fourier
from qstill.contract.distillations.architectures.mlp import MLP, Mlp
from qstill.contract.distillations.architectures.pretrained import PRETRAINED, Pretrained
from qstill.contract.distillations.architectures.quantum import QUANTUM, Quantum
from qstill.contract.distillations.architectures.resnet import RESNET, WIDE_RESNET, ResNet, WideResNet
from qstill.contract.distillations.architectures.texts import (
    BAG_OF_EMBEDDINGS,
    LSTM,
    TEXT_CNN,
    BagOfEmbeddings,
    Lstm,
    TextCnn,
)
from qstill.contract.distillations.architectures.transformers import (
    DECODER,
    ENCODER,
    TEXT_TRANSFORMER,
    Decoder,
    Encoder,
    TextTransformer,
)
from qstill.contract.distillations.architectures.vit import VIT, Vit

AnyArchitecture = (Mlp | Cnn | ResNet | WideResNet | Vit | Quantum | OwnCircuit | Fourier) | (
    BagOfEmbeddings | TextCnn | Lstm | TextTransformer | Decoder | Encoder | Pretrained
)
Architecture = Annotated[AnyArchitecture, Field(discriminator="kind")]

FAMILIES: tuple[Family[Any], ...] = (
    *(MLP, CNN, RESNET, WIDE_RESNET, VIT, QUANTUM, OWN_CIRCUIT, FOURIER),
    *(BAG_OF_EMBEDDINGS, TEXT_CNN, LSTM, TEXT_TRANSFORMER, DECODER, ENCODER, PRETRAINED),
)
BY_KIND = {family.kind: family for family in FAMILIES}


def family_of(architecture: AnyArchitecture) -> Family[Any]:
    """What is known of its family."""
    return BY_KIND[architecture.kind]
