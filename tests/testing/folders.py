"""Small encoders with random weights, in folders as `transformers` and sentence-transformers write them, zipped."""

import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tokenizers
import torch
from safetensors.torch import load, save
from tokenizers import models, normalizers, pre_tokenizers, processors

from workers.distillation.networks.pretrained.library import transformers

NOUNS = ["cat", "dog", "bird", "tree", "house", "garden", "river", "mountain"]
NOUNS += ["road", "sun", "moon", "rain", "snow", "wind", "fire", "stone"]
KINDS = ["red", "blue", "green", "old", "new", "small", "large", "quick", "slow"]
VERBS = ["runs", "sleeps", "sings", "falls", "grows", "shines"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "a", "of", *NOUNS, *KINDS, *VERBS]
MODULES = "sentence_transformers.models."


def sentences(count: int = 60) -> list[str]:
    """Of words that the tokenizer knows, all of them different."""
    return [
        f"the {NOUNS[n % 16]} of a {KINDS[n % 9]} {NOUNS[n // 16 % 16]} {VERBS[n // 3 % 6]} {KINDS[n // 9 % 9]}"
        for n in range(count)
    ]


def plain() -> dict[str, bytes]:
    """What is refused before anything is loaded: made without the library, of weights that are those of nothing."""
    config = {"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config |= {"intermediate_size": 64, "vocab_size": len(WORDS), "max_position_embeddings": 64, "pad_token_id": 0}
    return {
        "config.json": json.dumps(config).encode(),
        "model.safetensors": save({"nothing": torch.zeros(1)}),
        "tokenizer.json": _tokenizer().to_str().encode(),
    }


NAMED = {"bert": "Bert", "roberta": "Roberta", "mpnet": "MPNet", "distilbert": "DistilBert"}


def plain_head(*classes: str) -> dict[str, bytes]:
    """The same of a head for classes."""
    weights = {"model.safetensors": save({"classifier.weight": torch.zeros(len(classes), 32)})}
    return changed(plain() | weights, id2label={str(number): name for number, name in enumerate(classes)})


@cache
def files(kind: str = "bert") -> Mapping[str, bytes]:
    """The files of an encoder's folder, by their names: two layers, 32 wide."""
    found = _saved(f"{NAMED[kind]}Model", _config(kind))
    found["1_Pooling/config.json"] = json.dumps({"embedding_dimension": 32, "pooling_mode": "mean"}).encode()
    listed = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [{"idx": n, "name": str(n), "path": p, "type": MODULES + t} for n, (p, t) in enumerate(listed)]
    found["modules.json"] = json.dumps(modules).encode()
    return found


@cache
def classifier(kind: str = "bert", classes: tuple[str, ...] = ("moves", "rests")) -> Mapping[str, bytes]:
    """The files of the folder of the same with a head for classes."""
    names = dict(enumerate(classes))
    config = _config(kind, id2label=names, label2id={name: number for number, name in names.items()})
    return _saved(f"{NAMED[kind]}ForSequenceClassification", config)


def _config(kind: str, **fields: Any) -> Any:
    fields |= {"vocab_size": len(WORDS), "max_position_embeddings": 64, "pad_token_id": 0, "initializer_range": 0.3}
    if kind == "distilbert":
        fields |= {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
    else:
        fields |= {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    return getattr(transformers(), f"{NAMED[kind]}Config")(**fields)


def _saved(name: str, config: Any) -> dict[str, bytes]:
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(7)
    model = getattr(transformers(), name)(config)
    torch.random.set_rng_state(torch_state)
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        found = {each: (Path(folder) / each).read_bytes() for each in ("config.json", "model.safetensors")}
    found["tokenizer.json"] = _tokenizer().to_str().encode()
    found["tokenizer_config.json"] = b'{"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}'
    return found


def _tokenizer() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.add_special_tokens(WORDS[:5])
    return made


def zipped(content: Mapping[str, bytes], *, below: str = "my-model") -> bytes:
    """An archive of files. below: a folder around them."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in content.items():
            info = zipfile.ZipInfo(f"{below}/{name}" if below else name)  # of no date: equal files, equal bytes
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, each)
    return written.getvalue()


def sharded(content: Mapping[str, bytes], count: int = 2) -> dict[str, bytes]:
    """The files, with their weights in several of them, as `save_pretrained` writes what is large."""
    tensors = load(content["model.safetensors"])
    names = [f"model-{number + 1:05}-of-{count:05}.safetensors" for number in range(count)]
    places = {name: names[number % count] for number, name in enumerate(sorted(tensors))}
    found = {name: each for name, each in content.items() if name != "model.safetensors"}
    for shard in names:
        found[shard] = save({name: tensors[name] for name in tensors if places[name] == shard}, {"format": "pt"})
    total = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": places}
    return found | {"model.safetensors.index.json": json.dumps(index).encode()}


def changed(content: Mapping[str, bytes], **fields: Any) -> dict[str, bytes]:
    """The files, with fields of config.json set otherwise."""
    config = json.loads(content["config.json"]) | fields
    return {**content, "config.json": json.dumps(config).encode()}
