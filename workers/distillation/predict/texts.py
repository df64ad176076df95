"""What models of text say when somebody tries them."""

from dataclasses import replace
from pathlib import Path

import torch

from qstill.contract.distillations.datasets import MAX_LENGTH
from qstill.contract.distillations.teachers import ModelFormat, ModelTeacher
from qstill.contract.errors import Problem
from qstill.contract.models.answers import Candidate, Continuation, Continuations, Filling, Fillings, NewToken
from qstill.contract.models.questions import AskMasked, AskPrompts, AskTexts
from workers.distillation import teachers
from workers.distillation.artifacts import checkpoints
from workers.distillation.data.dataset import Data
from workers.distillation.data.texts import AS_THEY_ARE, filled
from workers.distillation.data.tokenizer import MASK_TOKEN, Tokenizer, uploaded
from workers.distillation.inputs.text import Text
from workers.distillation.networks.pretrained.archive import CONFIG
from workers.distillation.networks.pretrained.classifier import has_head, names_of
from workers.distillation.networks.pretrained.config import document, labels_of
from workers.distillation.networks.texts.decoder import DecoderNetwork
from workers.distillation.networks.texts.tokens import AFTER_MASK, END, MASK, UNKNOWN_TOKEN
from workers.distillation.rows import Rows
from workers.distillation.tasks.classes import Classes
from workers.distillation.tasks.labels import Labels
from workers.distillation.teachers.folders.classifier import opened
from workers.distillation.teachers.generate import generated
from workers.run import Run

Tokens = list[list[int]]


def classified(asked: AskTexts, card: checkpoints.Card, spec: ModelTeacher, run: Run) -> tuple[torch.Tensor, list[str]]:
    """(logits (texts, classes), what a reader must know). Raises Problem."""
    tokenizer, length = _reader(card)
    rows = tokenizer.encode(asked.texts)
    data = _only([row[:length] for row in rows], tokenizer, card.classes, length)
    data = data if card.labels is None else replace(data, task=Labels(card.labels))
    logits = teachers.loaded(spec, data, run).logits(data.test)
    return logits, _notes("text", rows, length, "were cut off after")


def classified_by_folder(
    asked: AskTexts, path: Path, stored_as: ModelFormat, spec: ModelTeacher, run: Run
) -> tuple[list[str], torch.Tensor, list[str]] | None:
    """(classes, logits (texts, classes), what a reader must know) of a folder; None of one without a head.

    Raises Problem, also classes_unknown.
    """
    folder = opened(path, run, "asked")
    if folder.weights and not has_head(folder):
        return None
    config = document(folder, CONFIG) if folder.has(CONFIG) else {}
    if stored_as.classes is None and labels_of(config) is None:
        title = "The folder does not say what its classes are called; promote it again with its `classes`."
        raise Problem("classes_unknown", title)
    names = stored_as.classes or names_of(config)
    count = torch.arange(len(asked.texts))
    rows = Rows(torch.zeros(len(count), 1), torch.zeros(len(count), 1), torch.zeros_like(count), count)
    nothing = Text("teacher", "", "", "", 0, truncated=0, unknown=0.0, texts=asked.texts)
    data = Data(rows, rows, rows, rows.y, count[:0], AS_THEY_ARE, len(count), "", Classes(names), text=nothing)
    teacher = teachers.loaded(spec, data, run)
    return names, teacher.logits(data.test), list(teacher.notes)


def continued(asked: AskPrompts, card: checkpoints.Card, spec: ModelTeacher, run: Run) -> Continuations:
    """How a language model goes on. Raises Problem."""
    tokenizer, length = _reader(card)
    vocabulary = tokenizer.vocabulary
    network = teachers.loaded(spec, _only([[END]], tokenizer, vocabulary, length), run).network
    assert isinstance(network, DecoderNetwork)
    prompts, said = tokenizer.encode(asked.prompts), []
    for prompt in prompts:
        added = list(generated(network, prompt, asked, length=length, stop=run.stop_requested))
        said.append(
            Continuation(
                text=tokenizer.decode([token for token, _ in added]),
                tokens=[NewToken(token=vocabulary[token], log_probability=log_p) for token, log_p in added],
                ended="end_of_text" if added[-1][0] == END else "max_tokens",
            )
        )
    notes = _notes("prompt", prompts, length - 1, "are longer than what the model sees at once, their last")
    return Continuations(model=spec.model, notes=notes, continuations=said)


def filled_in(asked: AskMasked, card: checkpoints.Card, spec: ModelTeacher, run: Run) -> Fillings:
    """What a masked language model finds where masks are. Raises Problem."""
    tokenizer, length = _reader(card)
    vocabulary = tokenizer.vocabulary
    if vocabulary[MASK : MASK + 1] != [MASK_TOKEN]:
        raise checkpoints.invalid(f"The tokenizer in the model's card has no {MASK_TOKEN}.")
    rows = [_with_masks(text, tokenizer) for text in asked.masked]
    data = _only([[END, *row, END][:length] for row in rows], tokenizer, vocabulary, length)
    data = replace(data, test=replace(data.test, answered=data.test.x == MASK))
    logits = teachers.loaded(spec, data, run).logits(data.test).double()
    if not logits.isfinite().all():
        raise Problem("not_finite", "The model answers with something that is no number.", pointer="/masked")
    logits[:, :AFTER_MASK] = -torch.inf  # no text holds a special token
    best = logits.softmax(1).topk(min(asked.top_k, len(vocabulary) - AFTER_MASK), dim=1)
    found = iter(zip(best.values.tolist(), best.indices.tolist(), strict=True))
    fillings = []
    for row, shown in zip(rows, data.test.x, strict=True):
        masks = [list(zip(*next(found), strict=True)) for _ in range(int((shown == MASK).sum()))]
        likeliest = iter(each[0][1] for each in masks)
        filled_row = [next(likeliest, MASK) if token == MASK else token for token in row]
        candidates = [[Candidate(token=vocabulary[code], probability=p) for p, code in each] for each in masks]
        fillings.append(Filling(text=tokenizer.decode(filled_row), masks=candidates))
    notes = _notes("text", rows, length - 1, "were cut off after")
    if unseen := sum(text.count(MASK_TOKEN) for text in asked.masked) - len(logits):
        notes.append(f"{unseen} masks were cut off with them, and are not filled in.")
    return Fillings(model=spec.model, notes=notes, fillings=fillings)


def _with_masks(text: str, tokenizer: Tokenizer) -> list[int]:
    """The tokens of a text in which `<mask>` is a mask; elsewhere it would be six letters."""
    first, *others = tokenizer.encode(text.split(MASK_TOKEN))
    return first + [token for part in others for token in (MASK, *part)]


def _reader(card: checkpoints.Card) -> tuple[Tokenizer, int]:
    """The tokenizer of a card, and how many tokens its network sees. Raises Problem."""
    tokenizer = uploaded(card.tokenizer or "")
    if len(card.input_shape) != 1 or not 1 <= card.input_shape[0] <= MAX_LENGTH:
        raise checkpoints.invalid("The card in the file's metadata does not say how many tokens the network sees.")
    return tokenizer, card.input_shape[0]


def _only(tokens: Tokens, tokenizer: Tokenizer, classes: list[str], length: int) -> Data:
    """A data set of nothing but these rows, as it is all that reading a teacher asks for."""
    x = filled(tokens, length)
    count = torch.arange(len(x))
    rows = Rows(x, x, torch.zeros_like(count), count)
    text = Text(
        kind="teacher",
        tokenizer=tokenizer.json,
        tokenizer_digest=tokenizer.digest,
        rows_digest="",
        vocabulary=len(tokenizer.vocabulary),
        truncated=0,
        unknown=0.0,
    )
    return Data(rows, rows, rows, rows.y, count[:0], AS_THEY_ARE, len(x), "", Classes(classes), text=text)


def _notes(what: str, rows: Tokens, length: int, cut: str) -> list[str]:
    """Of what was not read as it was written."""
    notes = []
    if long := sum(len(row) > length for row in rows):
        notes.append(f"{long} of {len(rows)} {what}s {cut} {length} tokens.")
    tokens = sum(map(len, rows))
    if unknown := sum(token == UNKNOWN_TOKEN for row in rows for token in row):
        notes.append(f"{unknown} of {tokens} tokens are unknown to the tokenizer.")
    return notes
