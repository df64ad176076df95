"""Students of an encoder: what they are before anything is learned, and the tokens that they read."""

import copy
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from qstill.contract.distillations.embeddings.students import AnyEncoder, FewerLayers, OwnEncoder, WordVectors
from qstill.contract.errors import Problem
from workers.distillation.embeddings.ask import Answers
from workers.distillation.embeddings.data import SentenceData
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.pretrained import encoder as networks
from workers.distillation.networks.pretrained.config import BYTES, Sizes
from workers.distillation.networks.pretrained.folder import Pretrained
from workers.distillation.networks.pretrained.library import transformers
from workers.distillation.networks.pretrained.tokenizer import FolderTokenizer

FREQUENT = 1e-3  # a token's share of all, at which its vector is half as long (Arora and others 2017)
COPIES = 4  # of a student's weights: their gradients, two moments, the best epoch
POINTER = "/student/architecture"


@dataclass(frozen=True)
class Material:
    """What students are made of and learn from. answers: the teacher's, to every sentence."""

    data: SentenceData
    teacher: Pretrained
    answers: Answers

    def tokenizer(self, architecture: AnyEncoder) -> FolderTokenizer:
        """Of a student: the teacher's, without its marks around a text where no layer would read them."""
        return replace(self.teacher.tokenizer, special=not isinstance(architecture, WordVectors))

    def tokens(self, architecture: AnyEncoder, length: int) -> Tensor:
        """What a student reads of all sentences, (sentences, tokens), at most `length` of each."""
        return self.tokenizer(architecture).within(length).encode(self.data.texts)

    @cached_property
    def words(self) -> Tensor:
        """The teacher's answer to each token alone, (tokens, width)."""
        return self.teacher.encoder.vectors(self.teacher.tokenizer.alone())

    @cached_property
    def shares(self) -> Tensor:
        """Of each token among those of the training sentences, none of them 0."""
        tokens = replace(self.teacher.tokenizer, special=False)
        numbers = tokens.encode([self.data.texts[place] for place in self.data.train.tolist()])
        counts = numbers[numbers != tokens.pad].bincount(minlength=len(self.teacher.encoder.body.words)).double() + 0.1
        return counts / counts.sum()


def refuse_too_large(architecture: AnyEncoder, teacher: Pretrained, limit: int) -> None:
    """Raise Problem needs_more_memory, before anything is built. limit: bytes that the job may take."""
    needed = BYTES * (parameters(teacher.encoder) + (1 + COPIES) * _parameters(architecture, teacher))
    if needed > limit:
        title = (
            f"With its gradients, what the optimizer keeps, and its teacher beside it, the student takes some "
            f"{needed >> 20:,} MiB in training; a job may take {limit >> 20:,} MiB."
        )
        way = {"note": "make the student smaller, or raise QSTILL_DISTILLATION_MEMORY_BYTES"}
        raise Problem("needs_more_memory", title, pointer=POINTER, ways_out=[way])


def _parameters(architecture: AnyEncoder, teacher: Pretrained) -> int:
    """Of a student, to a per cent or so."""
    body, width = teacher.encoder.body, teacher.encoder.width
    tokens = len(body.words)
    match architecture:
        case FewerLayers():
            kept = architecture.layers if isinstance(architecture.layers, int) else len(architecture.layers)
            layers = list(body.layers) if isinstance(body, networks.Transformer) else []
            return parameters(teacher.encoder) - sum(map(parameters, layers[kept:]))
        case WordVectors():
            return (tokens + width) * architecture.width
        case OwnEncoder():
            of = architecture
            sizes = Sizes("bert", of.layers, of.width, of.heads, of.inner, tokens, teacher.tokenizer.length, 0)
            return sizes.parameters + of.width * width


def begun(architecture: AnyEncoder, material: Material, seed: int, *, blank: bool = False) -> networks.TextEncoder:
    """A student before its first step. blank: its weights will be loaded; do not make any.

    Raises Problem: no_such_layer, too_wide.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match architecture:
            case FewerLayers():
                return _fewer_layers(architecture, material)
            case WordVectors():
                return _word_vectors(architecture, material, blank=blank)
            case OwnEncoder():
                return _own(architecture, material)


def _fewer_layers(architecture: FewerLayers, material: Material) -> networks.TextEncoder:
    body = material.teacher.encoder.body
    if not isinstance(body, networks.Transformer):
        title = "The teacher is a table of word vectors: it has no layers of which a student could have some."
        way = {"architecture": {"kind": "word_vectors"}}
        raise Problem("no_such_layer", title, pointer=f"{POINTER}/kind", ways_out=[way])
    chosen = layers_of(architecture, len(body.layers))
    student = copy.deepcopy(material.teacher.encoder)
    assert isinstance(student.body, networks.Transformer)
    student.body.keep(chosen)
    return student


def layers_of(architecture: FewerLayers, depth: int) -> list[int]:
    """Which of so many layers. Raises Problem no_such_layer."""
    asked = architecture.layers
    highest = asked - 1 if isinstance(asked, int) else max(asked)
    if highest >= depth:
        title = f"The teacher has {depth} layers, numbered from 0."
        raise Problem("no_such_layer", title, pointer=f"{POINTER}/layers", ways_out=[{"layers": max(1, depth // 2)}])
    if not isinstance(asked, int):
        return asked
    return [0] if asked == 1 else [round(place * (depth - 1) / (asked - 1)) for place in range(asked)]


def _word_vectors(architecture: WordVectors, material: Material, *, blank: bool) -> networks.TextEncoder:
    theirs = material.teacher.encoder
    tokens, width = len(theirs.body.words), theirs.width
    of_words = theirs.body.width if architecture.begin == "embeddings" else width
    if architecture.width > min(width, of_words, tokens):
        title = f"The teacher's vectors have {min(width, of_words)} numbers; principal components are no more."
        raise Problem("too_wide", title, pointer=f"{POINTER}/width", ways_out=[{"width": min(width, of_words) // 2}])
    body, dense = networks.WordVectors(tokens, architecture.width), networks.Dense(architecture.width, width)
    if not blank and architecture.begin != "random":
        words = material.words if architecture.begin == "answers" else theirs.body.words
        table, directions = reduced(words, architecture.width)
        scaled = table * (FREQUENT / (FREQUENT + material.shares))[:, None]
        body.embedding.load_state_dict({"weight": scaled.float()})
        if architecture.begin == "answers" or width == theirs.body.width:
            dense.linear.load_state_dict({"weight": directions.float(), "bias": torch.zeros(width)})
    form = networks.Form("mean", normalises=theirs.form.normalises, pad=theirs.form.pad)
    return networks.TextEncoder(body, form, [dense]).eval()


def reduced(vectors: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """(rows, width) and (numbers, width): the principal components of vectors, and the directions that they are along.

    Signs are those that make the largest number of each direction positive, whatever computed them.
    """
    centred = vectors.double() - vectors.double().mean(0)
    directions = torch.linalg.eigh(centred.T @ centred).eigenvectors.flip(1)[:, :width]
    largest = directions.gather(0, directions.abs().argmax(0, keepdim=True))
    directions = directions * largest.sign()
    return centred @ directions, directions


def _own(architecture: OwnEncoder, material: Material) -> networks.TextEncoder:
    theirs, tokenizer = material.teacher.encoder, material.teacher.tokenizer
    config = transformers().BertConfig(
        vocab_size=len(theirs.body.words),
        hidden_size=architecture.width,
        num_hidden_layers=architecture.layers,
        num_attention_heads=architecture.heads,
        intermediate_size=architecture.inner,
        max_position_embeddings=tokenizer.length,
        pad_token_id=theirs.form.pad,
    )
    model = transformers().BertModel(config, add_pooling_layer=False)
    dense = [networks.Dense(architecture.width, theirs.width)] if architecture.width != theirs.width else []
    body = networks.Transformer(model, "encoder.layer")
    return networks.TextEncoder(body, networks.Form("mean", theirs.form.normalises, theirs.form.pad), dense).eval()
