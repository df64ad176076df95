"""What a model's own configuration says: which encoder it is, and what it takes, before anything of it is built."""

import json
from dataclasses import dataclass
from typing import Any

from qstill.contract.errors import Problem
from workers.distillation.artifacts.checkpoints import invalid
from workers.distillation.networks.pretrained.archive import CONFIG, Folder, remote_code

MOST = 10_000_000  # of any size in a configuration; beyond, a product of two is no memory of this world
MAX_LAYERS = 256  # each is some objects of Python, even where it is small
MAX_SEGMENTS = 1_000  # kinds of tokens; BERT has two
MAX_LABELS = 1_000  # classes, as many as a data set may have; the library makes a name for each
BYTES = 4  # of a weight in single precision


@dataclass(frozen=True)
class Kind:
    """Encoders that `transformers` knows by one name. The first five: fields of its configuration.

    blocks: where its layers are in the network. offset: positions that its tokens never take.
    """

    layers: str = "num_hidden_layers"
    width: str = "hidden_size"
    heads: str = "num_attention_heads"
    inner: str = "intermediate_size"
    positions: str = "max_position_embeddings"
    blocks: str = "encoder.layer"
    offset: int = 0


KINDS = {
    "bert": Kind(),
    "roberta": Kind(offset=2),
    "xlm-roberta": Kind(offset=2),
    "camembert": Kind(offset=2),
    "mpnet": Kind(offset=2),
    "distilbert": Kind(layers="n_layers", width="dim", heads="n_heads", inner="hidden_dim", blocks="transformer.layer"),
}


@dataclass(frozen=True)
class Sizes:
    """Of an encoder. parameters: of its embeddings and layers, to a per cent or so."""

    kind: str
    layers: int
    width: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    pad: int
    segments: int = 2

    @property
    def parameters(self) -> int:
        square, wide = self.width * self.width, self.width * self.inner
        layer = 4 * square + 2 * wide + 9 * self.width + self.inner
        return (self.vocabulary + self.positions + self.segments + 2) * self.width + self.layers * layer

    @property
    def bytes(self) -> int:
        """Of its weights in memory."""
        return BYTES * self.parameters


def sizes_of(folder: Folder) -> Sizes:
    """Raises Problem: teacher_invalid, remote_code, encoder_unknown."""
    config = document(folder, CONFIG)
    if "auto_map" in config:
        raise remote_code("config.json names programs that make the model (`auto_map`).")
    name = config.get("model_type")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        title = f"config.json says that this is a {str(name)[:60]!r}; read are {', '.join(KINDS)}."
        way = {"note": "choose a model of these kinds, or upload the answers to your sentences"}
        raise Problem("encoder_unknown", title, pointer="/file", ways_out=[way])
    pad = config.get("pad_token_id", 0)
    found = Sizes(
        kind=str(name),
        layers=number_in(config, kind.layers, most=MAX_LAYERS),
        width=number_in(config, kind.width),
        heads=number_in(config, kind.heads),
        inner=number_in(config, kind.inner),
        vocabulary=number_in(config, "vocab_size"),
        positions=number_in(config, kind.positions) - kind.offset,
        pad=pad if isinstance(pad, int) and not isinstance(pad, bool) else 0,
        segments=number_in(config, "type_vocab_size", most=MAX_SEGMENTS) if "type_vocab_size" in config else 2,
    )
    if config.get("num_labels") is not None:
        number_in(config, "num_labels", most=MAX_LABELS)
    if found.width % found.heads:
        raise invalid(f"config.json: {found.heads} heads cannot share a width of {found.width} evenly.")
    if found.positions < 2 or not 0 <= found.pad < found.vocabulary:
        raise invalid("config.json: there is no room for a token, or the padding's number is none of the vocabulary.")
    return found


def labels_of(config: dict[str, Any]) -> list[str] | None:
    """The names of a head's classes in the order of its answers; None where none are said. Raises Problem
    teacher_invalid.
    """
    said = config.get("id2label")
    if said is None:
        return None
    if (
        not isinstance(said, dict)
        or not 0 < len(said) <= MAX_LABELS
        or not all(isinstance(v, str) for v in said.values())
    ):
        raise invalid(f"config.json: id2label is no object of 1 to {MAX_LABELS:,} names.")
    if {*said} != {str(number) for number in range(len(said))}:
        raise invalid("config.json: id2label does not number its classes from 0.")
    names = [str(said[str(number)]) for number in range(len(said))]
    if len({*names}) < len(names):
        raise invalid("config.json: id2label calls two classes the same.")
    return names


def refuse_too_large(sizes: Sizes, limit: int) -> None:
    """Raise Problem needs_more_memory. limit: bytes that the job may take."""
    if sizes.bytes > limit:
        title = (
            f"As config.json describes it the model has {sizes.parameters:,} weights, which take "
            f"{sizes.bytes >> 20:,} MiB; a job may take {limit >> 20:,} MiB."
        )
        way = {"note": "take a smaller model, or raise QSTILL_DISTILLATION_MEMORY_BYTES"}
        raise Problem("needs_more_memory", title, pointer="/file", ways_out=[way])


def document(folder: Folder, name: str) -> dict[str, Any]:
    """A JSON object of a folder. Raises Problem teacher_invalid."""
    try:
        found = json.loads(folder.text(name))
    except (ValueError, RecursionError):
        raise invalid(f"{name} is no JSON.") from None
    if not isinstance(found, dict):
        raise invalid(f"{name} is no JSON object.")
    return found


def number_in(config: dict[str, Any], field: str, *, most: int = MOST) -> int:
    """A size that a configuration says. Raises Problem teacher_invalid."""
    found = config.get(field)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= most:
        raise invalid(f"config.json: {field} is {str(found)[:30]!r}; a number from 1 to {most:,} is read.")
    return found
