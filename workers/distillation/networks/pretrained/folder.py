"""A model's folder as a network and its tokenizer, and both as a folder again."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from workers.distillation.artifacts.checkpoints import invalid
from workers.distillation.data.files.wording import in_words
from workers.distillation.networks.pretrained.archive import (
    CONFIG,
    LENGTHS,
    MODULES,
    TOKENIZER,
    WEIGHTS,
    Folder,
    unpacked,
)
from workers.distillation.networks.pretrained.config import KINDS, document, refuse_too_large, sizes_of
from workers.distillation.networks.pretrained.encoder import (
    ACTIVATIONS,
    Dense,
    Form,
    Pooling,
    TextEncoder,
    Transformer,
    WordVectors,
)
from workers.distillation.networks.pretrained.lengths import MAX_LENGTH, lengths_of
from workers.distillation.networks.pretrained.model import loaded
from workers.distillation.networks.pretrained.tokenizer import FolderTokenizer, tokenizer_of

POOLINGS: dict[str, Pooling] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
}  # as sentence-transformers wrote it before it had one field for it
BEFORE = "sentence_transformers.models."  # the names of its modules that every version of it reads
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of a zip: equal models have equal bytes


@dataclass(frozen=True)
class Pretrained:
    """An encoder that somebody made. digest: of its file. notes: what a reader must know of how it was read."""

    encoder: TextEncoder
    tokenizer: FolderTokenizer
    digest: str
    bytes: int
    notes: tuple[str, ...] = ()


def opened(path: Path, scratch: Path, *, memory: int) -> Pretrained:
    """The model in a zip. scratch: a folder of this process. memory: bytes that a job may take.

    Raises Problem: what archive.py, config.py and tokenizer.py say, and teacher_invalid.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    folder = unpacked(path, scratch / f"folder-{digest[:16]}")
    modules = list(_modules(folder))
    first = modules[0][0] if modules else "Transformer"
    body, tokenizer = _static(folder) if first == "StaticEmbedding" else _transformer(folder, memory)
    notes = folder.notes
    if not modules:
        notes += ("The folder does not say how tokens become one vector: it is their mean.",)
    encoder = _with_head(folder, modules[1:], body, tokenizer.pad)
    return Pretrained(encoder.eval(), tokenizer, digest, path.stat().st_size, notes)


def _modules(folder: Folder) -> Iterator[tuple[str, str]]:
    """(kind, folder) of each module of sentence-transformers; none where the folder is of `transformers` alone."""
    if not folder.has(MODULES):
        return
    try:
        listed = json.loads(folder.text(MODULES))
        for module in listed:
            kind, place = str(module["type"]).rpartition(".")[2], str(module["path"])
            if place.count("/") or ".." in place:
                raise ValueError
            yield kind, place
    except (ValueError, TypeError, KeyError, RecursionError):
        raise invalid(f"{MODULES} does not list modules as sentence-transformers does.") from None


def _transformer(folder: Folder, memory: int) -> tuple[Transformer, FolderTokenizer]:
    sizes = sizes_of(folder)
    refuse_too_large(sizes, memory)
    length = min(sizes.positions, MAX_LENGTH, *lengths_of(folder))
    tokenizer = tokenizer_of(folder, vocabulary=sizes.vocabulary, pad=sizes.pad, length=length)
    model, _ = loaded(folder, "AutoModel", may_lack=lambda name: name.startswith("pooler."))
    model.pooler = None  # nothing here reads it
    return Transformer(model, KINDS[sizes.kind].blocks), tokenizer


def _static(folder: Folder) -> tuple[WordVectors, FolderTokenizer]:
    weights = _tensors(folder, WEIGHTS)
    table = weights.get("embedding.weight")
    if table is None or table.ndim != 2:
        raise invalid(f"{WEIGHTS} has no `embedding.weight`, a vector for each token.")
    body = WordVectors(*table.shape)
    body.load_state_dict({"embedding.weight": table.float()})
    return body, tokenizer_of(folder, vocabulary=len(table), pad=0, length=MAX_LENGTH, special=False)


def _with_head(
    folder: Folder, modules: list[tuple[str, str]], body: Transformer | WordVectors, pad: int
) -> TextEncoder:
    pooling: Pooling = "mean"
    normalises = False
    dense: list[Dense] = []
    for kind, place in modules:
        if kind == "Pooling" and not dense and not normalises:
            pooling = _pooling(document(folder, f"{place}/{CONFIG}"))
        elif kind == "Dense" and not normalises:
            dense.append(_dense(folder, place, dense[-1].linear.out_features if dense else body.width))
        elif kind == "Normalize":
            normalises = True
        else:
            known = "a transformer or static vectors, pooling, dense layers and normalising, in this order"
            raise invalid(f"{MODULES} has a {kind[:40]!r} where none is read; read are {known}.")
    return TextEncoder(body, Form(pooling, normalises, pad), dense)


def _pooling(said: Mapping[str, Any]) -> Pooling:
    chosen = [pooling for field, pooling in POOLINGS.items() if said.get(field)]
    if isinstance(named := said.get("pooling_mode"), str) and named in POOLINGS.values():
        chosen = [cast(Pooling, named)]
    if len(chosen) != 1:
        raise invalid(f"Tokens are pooled by one of {', '.join(POOLINGS.values())}; the folder says another way.")
    return chosen[0]


def _dense(folder: Folder, place: str, inputs: int) -> Dense:
    said, weights = document(folder, f"{place}/{CONFIG}"), _tensors(folder, f"{place}/{WEIGHTS}")
    activation = str(said.get("activation_function", "Identity")).rpartition(".")[2]
    weight, bias = weights.get("linear.weight"), weights.get("linear.bias")
    if activation not in ACTIVATIONS or weight is None or weight.ndim != 2 or weight.shape[1] != inputs:
        raise invalid(f"{place} is no dense layer of {inputs} inputs with one of {', '.join(ACTIVATIONS)} after it.")
    layer = Dense(inputs, len(weight), bias=bias is not None, activation=activation)
    layer.linear.load_state_dict({name.removeprefix("linear."): tensor.float() for name, tensor in weights.items()})
    return layer


def _tensors(folder: Folder, name: str) -> dict[str, Tensor]:
    try:
        return load_file(folder.path / name)
    except (SafetensorError, OSError, ValueError) as error:
        raise invalid(f"{name} is no whole safetensors file: {in_words(error)}.") from error


def zipped(encoder: TextEncoder, tokenizer: FolderTokenizer) -> bytes:
    """A zip of a folder that SentenceTransformer opens, and AutoModel where there are layers; equal ones are equal."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, content in _files(encoder, tokenizer):
            archive.writestr(zipfile.ZipInfo(name, FIRST_DAY), content)
    return written.getvalue()


def _files(encoder: TextEncoder, tokenizer: FolderTokenizer) -> Iterator[tuple[str, bytes]]:
    body, form = encoder.body, encoder.form
    kinds = ["Transformer", "Pooling"] if isinstance(body, Transformer) else ["StaticEmbedding"]
    kinds += ["Dense"] * len(encoder.dense) + ["Normalize"] * form.normalises
    places = ["" if number == 0 else f"{number}_{kind}" for number, kind in enumerate(kinds)]
    if isinstance(body, Transformer):
        yield CONFIG, body.model.config.to_json_string().encode()
        yield WEIGHTS, saved(body.model.state_dict())
        yield LENGTHS[0], _json({"max_seq_length": tokenizer.length, "do_lower_case": False})
        yield LENGTHS[1], _json(how_to_use(tokenizer))
        pools = {field: pooling == form.pooling for field, pooling in POOLINGS.items()}
        yield f"1_Pooling/{CONFIG}", _json({"word_embedding_dimension": body.width} | pools)
    else:
        yield WEIGHTS, saved(body.state_dict())
    yield TOKENIZER, tokenizer.json.encode()
    for layer, place in zip(encoder.dense, [each for each in places if each.endswith("_Dense")], strict=True):
        assert isinstance(layer, Dense)
        linear = layer.linear
        about = {"in_features": linear.in_features, "out_features": linear.out_features}
        about |= {"bias": linear.bias is not None}
        module = "activation" if layer.activation != "Identity" else "linear"
        yield (
            f"{place}/{CONFIG}",
            _json(about | {"activation_function": f"torch.nn.modules.{module}.{layer.activation}"}),
        )
        yield f"{place}/{WEIGHTS}", saved({f"linear.{name}": each for name, each in linear.state_dict().items()})
    listed = [
        {"idx": number, "name": str(number), "path": place, "type": f"{BEFORE}{kind}"}
        for number, (kind, place) in enumerate(zip(kinds, places, strict=True))
    ]
    yield MODULES, _json(listed)


def how_to_use(tokenizer: FolderTokenizer) -> dict[str, Any]:
    """What a folder says of its tokenizer."""
    tokens = tokenizer.tokens
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": tokenizer.length,
        "pad_token": tokens[tokenizer.pad],
    }


def saved(weights: Mapping[str, Tensor]) -> bytes:
    """A safetensors file as the library reads it."""
    tensors = {name: weights[name].detach().cpu().clone().contiguous() for name in sorted(weights)}
    return save(tensors, metadata={"format": "pt"})


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=2).encode()
