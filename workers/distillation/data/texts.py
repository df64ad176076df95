"""Texts as rows of tokens: split first, so that the tokenizer learns from the training texts alone."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qstill.contract.distillations.datasets import AnyTextData, BuiltinText
from qstill.contract.distillations.rules.text import OF_TEXTS
from qstill.contract.distillations.tokenizers import StudentsTokenizer, TeachersTokenizer
from qstill.contract.errors import Problem
from workers.distillation.data import topics
from workers.distillation.data.dataset import Data, data_of_labels, labelled_data
from workers.distillation.data.files.several_labels import kinds_of_rows
from workers.distillation.data.files.table import MAX_VALUES
from workers.distillation.data.files.texts import Texts, read_texts
from workers.distillation.data.splits import split
from workers.distillation.data.tokenizer import MASK_TOKEN, Tokenizer, trained
from workers.distillation.inputs.folder_text import in_tokens_of
from workers.distillation.inputs.text import Text
from workers.distillation.networks.pretrained.source import Source
from workers.distillation.networks.seeds import seed_of
from workers.distillation.networks.texts.tokens import END, MASK, PAD, UNKNOWN_TOKEN
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.rows import Rows, Standardisation
from workers.distillation.tasks.masked_token import MaskedToken
from workers.distillation.tasks.masks import masked
from workers.distillation.tasks.next_token import NextToken

Splits = tuple[Tensor, Tensor, Tensor]  # positions of training, validation and test rows

MAX_HELD_OUT = 1 << 30  # bytes of logits of the validation or test rows of a language model
AS_THEY_ARE = Standardisation(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))


def load_text(
    spec: AnyTextData, files: Mapping[str, Path], teachers: Tokenizer | None = None, source: Source | None = None
) -> Data:
    """Read, split and tokenise. teachers: the tokenizer of one, where the data asks for it. source: the student's
    folder, where it asks for that.

    Raises Problem: dataset_invalid, too_few_texts, vocabulary_too_small, tokenizer_mismatch, too_few_labels,
    too_many_labels.
    """
    if not isinstance(spec, BuiltinText):
        corpus = read_texts(files[spec.file], spec)
    else:
        corpus = topics.paragraphs_of_parts() if spec.task == "classification" else topics.passages()
    if spec.task in OF_TEXTS:
        return _classification(corpus, spec, teachers) if source is None else _in_tokens_of(source, corpus, spec)
    return _tokens(corpus, spec, teachers)


def _tokenizer(spec: AnyTextData, teachers: Tokenizer | None, texts: Sequence[str]) -> Tokenizer:
    """The teacher's, or one of the training texts."""
    masks = spec.task == "masked_language_modelling"
    assert not isinstance(spec.tokenizer, StudentsTokenizer)  # of which no other network learns
    if not isinstance(spec.tokenizer, TeachersTokenizer):
        return trained(spec.tokenizer, texts, masks=masks)
    assert teachers is not None
    if masks != (teachers.vocabulary[MASK : MASK + 1] == [MASK_TOKEN]):
        has = "no token for a mask" if masks else "a token for a mask"
        title = f"The teacher's tokenizer has {has}: it was trained for another task than {spec.task}."
        raise Problem("tokenizer_mismatch", title, pointer="/dataset/task")
    return teachers


def _classification(corpus: Texts, spec: AnyTextData, teachers: Tokenizer | None) -> Data:
    labels, indices = _divided(corpus, spec)
    tokenizer = _tokenizer(spec, teachers, [corpus.texts[i] for i in indices[0].tolist()])
    encoded = tokenizer.encode(corpus.texts)
    tokens = filled([row[: spec.max_length] for row in encoded], spec.max_length)
    data = _labelled(tokens, labels, indices, corpus, spec)
    text = _text(
        spec.tokenizer.kind,
        tokenizer,
        (data.train, data.validation, data.test),
        truncated=sum(len(row) > spec.max_length for row in encoded),
        test_tokens=[token for i in indices[2].tolist() for token in encoded[i]],
        texts=corpus.texts,
    )
    return replace(data, text=text)


def _in_tokens_of(source: Source, corpus: Texts, spec: AnyTextData) -> Data:
    """The same in the tokens of a folder."""
    labels, indices = _divided(corpus, spec)
    unread = torch.zeros(len(labels), 1, dtype=torch.int64)
    return in_tokens_of(source, _labelled(unread, labels, indices, corpus, spec), corpus.texts, spec.max_length)


def _divided(corpus: Texts, spec: AnyTextData) -> tuple[Tensor, Splits]:
    """Labels of all texts, and which of them are of which split."""
    _refuse_too_many(len(corpus.texts), spec)
    if corpus.so is not None:
        kinds, names = kinds_of_rows(corpus.so)
        return torch.from_numpy(corpus.so).float(), split(kinds, names, spec)
    code = {name: number for number, name in enumerate(corpus.classes)} | {"": UNKNOWN}
    labels = torch.tensor([code[label] for label in corpus.labels])
    return labels, split(labels.numpy(), corpus.classes, spec)


def _labelled(tokens: Tensor, labels: Tensor, indices: Splits, corpus: Texts, spec: AnyTextData) -> Data:
    """tokens: of all texts."""
    splits = [Rows(tokens[i], tokens[i], labels[i], i) for i in indices]
    digest = _digest(corpus.texts, corpus.labels)
    parts = (splits[0], splits[1], splits[2])
    of = labelled_data if corpus.so is None else data_of_labels
    data = of(parts, corpus.classes, AS_THEY_ARE, spec, len(labels), digest)
    return replace(data, reading_notes=corpus.notes)


def _tokens(corpus: Texts, spec: AnyTextData, teachers: Tokenizer | None) -> Data:
    """Of both kinds of language modelling."""
    hidden = spec.task == "masked_language_modelling"
    order = np.random.default_rng([spec.split_seed, 0]).permutation(len(corpus.texts))
    test_count, validation_count = (max(1, round(len(order) * share)) for share in (spec.test, spec.validation))
    if len(order) < test_count + validation_count + 1:
        title = (
            f"There are {len(order)} texts; training, validation and test need one each. Cut long ones into several."
        )
        raise Problem("too_few_texts", title, pointer="/dataset/file")
    bounds = (test_count, test_count + validation_count)
    parts = [np.sort(part).tolist() for part in np.split(order, bounds)]
    test, validation, train = ([corpus.texts[i] for i in part] for part in parts)
    tokenizer = _tokenizer(spec, teachers, train)
    streams = [_stream(tokenizer, texts) for texts in (train, validation, test)]
    _refuse_too_many(sum(map(len, streams)) // spec.max_length + 3, spec)
    splits, first = [], 0
    for name, stream in zip(("training", "validation", "test"), streams, strict=True):
        if len(stream) < 2:
            raise Problem("too_few_texts", f"The {name} texts have fewer than two tokens.", pointer="/dataset")
        part = _whole(stream, spec.max_length, first) if hidden else _chunks(stream, spec.max_length, first)
        if hidden and name != "training":
            part = _held_out(part, tokenizer, name, spec)
        splits.append(part)
        first += len(splits[-1].x)
    _refuse_large(max(len(rows.labels) for rows in splits[1:]), tokenizer)
    rows = (splits[0], splits[1], splits[2])
    seen, learned = _seen_rows(rows[0], spec)
    members = (parts[2], parts[1], parts[0])
    names = tokenizer.vocabulary
    task = MaskedToken(names, members) if hidden else NextToken(names, members, sum(map(len, test)))
    return Data(
        train=rows[0],
        validation=rows[1],
        test=rows[2],
        seen=seen,
        learned=learned,
        standardisation=AS_THEY_ARE,
        total=first,
        digest=_digest(corpus.texts, corpus.labels),
        task=task,
        text=_text(
            spec.tokenizer.kind,
            tokenizer,
            rows,
            truncated=0,
            test_tokens=streams[2],
        ),
    )


def _stream(tokenizer: Tokenizer, texts: Sequence[str]) -> list[int]:
    """All tokens of some texts, an end mark before and after each."""
    stream = [END]
    for row in tokenizer.encode(texts):
        stream += [*row, END]
    return stream


def _chunks(stream: list[int], length: int, first: int) -> Rows:
    """Rows of `length` tokens, the last one filled up; every token but the stream's first is a label once."""
    starts = range(0, len(stream) - 1, length)
    x = filled([stream[start : min(start + length, len(stream) - 1)] for start in starts], length)
    y = filled([stream[start + 1 : start + 1 + length] for start in starts], length, UNKNOWN)
    return Rows(x, x, y, torch.arange(first, first + len(x)))


def _whole(stream: list[int], length: int, first: int) -> Rows:
    """Rows of `length` tokens, the last one filled up; each token is its own label."""
    x = filled([stream[start : start + length] for start in range(0, len(stream), length)], length)
    return Rows(x, x, torch.where(x == PAD, UNKNOWN, x), torch.arange(first, first + len(x)))


def _held_out(rows: Rows, tokenizer: Tokenizer, name: str, spec: AnyTextData) -> Rows:
    """Validation or test rows, masked once for all. Raises Problem too_few_texts."""
    seed = seed_of("masks", name, spec.split_seed)
    rows = masked(rows, len(tokenizer.vocabulary), seed=seed)
    if not len(rows.labels):
        raise Problem("too_few_texts", f"The {name} texts have no token that training knows.", pointer="/dataset")
    return rows


def _seen_rows(train: Rows, spec: AnyTextData) -> tuple[Tensor, Tensor]:
    """The labels that the student sees, of `labelled` whole rows, and the rows that it learns from."""
    count = len(train.x)
    if spec.labelled is not None and spec.labelled > count:
        title = f"The training texts make {count} rows of {spec.max_length} tokens; {spec.labelled} are asked for."
        raise Problem("too_many_labels", title, pointer="/dataset/labelled", ways_out=[{"labelled": None}])
    draw = torch.Generator().manual_seed(spec.split_seed)
    kept = torch.randperm(count, generator=draw)[: spec.labelled].sort().values
    seen = torch.full_like(train.y, UNKNOWN).index_copy(0, kept, train.y.index_select(0, kept))
    return seen, torch.arange(count) if spec.unlabelled_pool else kept


def filled(rows: Sequence[Sequence[int]], length: int, filling: int = PAD) -> Tensor:
    """(rows, length), int64, short rows filled up at their end."""
    tokens = np.full((len(rows), length), filling, dtype=np.int64)
    for number, row in enumerate(rows):
        tokens[number, : len(row)] = row
    return torch.from_numpy(tokens)


def _text(
    kind: str,
    tokenizer: Tokenizer,
    splits: tuple[Rows, Rows, Rows],
    *,
    truncated: int,
    test_tokens: list[int],
    texts: Sequence[str] = (),
) -> Text:
    return Text(
        kind=kind,
        tokenizer=tokenizer.json,
        tokenizer_digest=tokenizer.digest,
        vocabulary=len(tokenizer.vocabulary),
        truncated=truncated,
        unknown=sum(token == UNKNOWN_TOKEN for token in test_tokens) / max(1, len(test_tokens)),
        rows_digest=_rows_digest(splits),
        texts=texts,
    )


def _rows_digest(splits: tuple[Rows, Rows, Rows]) -> str:
    digest = hashlib.sha256()
    for rows in splits:
        digest.update(json.dumps(list(rows.x.shape)).encode() + rows.x.numpy().tobytes())
    return digest.hexdigest()


def _refuse_too_many(rows: int, spec: AnyTextData) -> None:
    if rows * spec.max_length > MAX_VALUES:
        title = f"{rows} rows of {spec.max_length} tokens are more than {MAX_VALUES:,} tokens."
        raise Problem("dataset_invalid", title, pointer="/dataset/max_length")


def _refuse_large(tokens: int, tokenizer: Tokenizer) -> None:
    """Raise Problem where the answers to held-out tokens do not fit in memory."""
    size = 4 * tokens * len(tokenizer.vocabulary)
    if size > MAX_HELD_OUT:
        held = f"at most {MAX_HELD_OUT >> 20:,} are held."
        title = f"The answers to {tokens:,} held-out tokens take {size >> 20:,} MiB; {held}"
        ways_out: list[dict[str, Any]] = [{"validation": 0.05, "test": 0.05}, {"tokenizer": {"kind": "character"}}]
        raise Problem("answers_too_large", title, pointer="/dataset/tokenizer/vocabulary", ways_out=ways_out)


def _digest(texts: list[str], labels: list[str]) -> str:
    return hashlib.sha256(json.dumps([texts, labels]).encode()).hexdigest()
