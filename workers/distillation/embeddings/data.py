"""Sentences: read, divided, and which of them belong together."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from qstill.contract.distillations.datasets import TextFile
from qstill.contract.distillations.embeddings.data import AnySentences, SentenceFile
from qstill.contract.errors import Problem
from workers.distillation.data import topics
from workers.distillation.data.files.texts import read_texts

LEAST = 8  # sentences of a split: of fewer there are too few pairs to be ordered

Group = list[str]  # sentences that stay in one split, each of which belongs to the next


@dataclass(frozen=True)
class SentenceData:
    """texts: all of them. train, validation, test: their positions. belonging: (pairs, 2), positions of sentences and
    of what belongs to them, in the test split; empty where nothing is known of that.
    """

    texts: list[str]
    train: Tensor
    validation: Tensor
    test: Tensor
    belonging: Tensor
    digest: str


def load_sentences(spec: AnySentences, files: Mapping[str, Path]) -> SentenceData:
    """Raises Problem: dataset_invalid, too_few_texts."""
    groups = _from_file(spec, files[spec.file]) if isinstance(spec, SentenceFile) else topics.sentences()
    draw = torch.Generator().manual_seed(spec.split_seed)
    order = torch.randperm(len(groups), generator=draw).tolist()
    test, validation = (round(len(groups) * share) for share in (spec.test, spec.validation))
    split = dict.fromkeys(order[:test], "test") | dict.fromkeys(order[test : test + validation], "validation")
    texts: list[str] = []
    places: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    belonging: list[tuple[int, int]] = []
    for number, group in enumerate(groups):
        first = len(texts)
        texts += group
        places[split.get(number, "train")] += range(first, len(texts))
        if split.get(number) == "test":
            belonging += [(place, place + 1) for place in range(first, len(texts) - 1)]
    for name, found in places.items():
        if len(found) < LEAST:
            title = f"The {name} split has {len(found)} sentences; {LEAST} at least are needed."
            raise Problem("too_few_texts", title, pointer="/dataset")
    return SentenceData(
        texts=texts,
        train=torch.tensor(places["train"]),
        validation=torch.tensor(places["validation"]),
        test=torch.tensor(places["test"]),
        belonging=torch.tensor(belonging, dtype=torch.int64).reshape(-1, 2),
        digest=hashlib.sha256(json.dumps(groups).encode()).hexdigest(),
    )


def _from_file(spec: SentenceFile, path: Path) -> list[Group]:
    """A group for each row; a sentence that stood before is left out, so that none is both learned and tested."""
    columns = [_column(spec, path, "text", spec.text)]
    if spec.pair is not None:
        columns.append(_column(spec, path, "pair", spec.pair))
    seen: set[str] = set()
    groups = []
    for row in zip(*columns, strict=True):
        fresh = [text for text in dict.fromkeys(row) if text not in seen]
        seen.update(fresh)
        if len(fresh) == len(row):
            groups.append(fresh)
    return groups


def _column(spec: SentenceFile, path: Path, field: str, name: str) -> list[str]:
    asked = TextFile(source="text_file", file=spec.file, task="language_modelling", text=name)
    try:
        return read_texts(path, asked).texts
    except Problem as problem:
        problem.pointer = f"/dataset/{field}" if problem.pointer == "/dataset/text" else problem.pointer
        raise
