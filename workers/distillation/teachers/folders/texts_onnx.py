"""An ONNX of text beside its tokenizer, as optimum writes it: numbers of tokens in, logits of classes out."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import onnxruntime as ort
from onnx import ModelProto

from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.data.files.table import Array
from workers.distillation.inputs.text import Text
from workers.distillation.networks.pretrained.archive import CONFIG, ONNX, TOKENIZER, Folder
from workers.distillation.networks.pretrained.classifier import names_of
from workers.distillation.networks.pretrained.config import KINDS, document
from workers.distillation.networks.pretrained.lengths import MAX_LENGTH, lengths_of
from workers.distillation.networks.pretrained.tokenizer import FolderTokenizer, tokenizer_of
from workers.distillation.rows import Rows
from workers.distillation.teachers.base import Teacher
from workers.distillation.teachers.onnx.model import teacher_of_graph
from workers.run import Run

TOKENS, MASK, SEGMENTS = "input_ids", "attention_mask", "token_type_ids"
WHOLE = {"tensor(int64)": "int64", "tensor(int32)": "int32"}
PADDING = ("[PAD]", "<pad>")
MAX_TOKENS = 1 << 31  # that a tokenizer may number where the graph does not show how many its table has


def from_texts_onnx(spec: ModelFormat, folder: Folder, content: bytes, data: Data, text: Text, run: Run) -> Teacher:
    """content: of the file that was uploaded, which names it. Raises Problem: what ONNX files and tokenizers raise."""
    config = document(folder, CONFIG) if folder.has(CONFIG) else {}
    named = spec.classes or (names_of(config) if "id2label" in config else None)
    graph = (folder.path / ONNX).read_bytes()

    def feed(session: ort.InferenceSession, model: ModelProto) -> TextFeed:
        return _feed(session, model, folder, text)

    as_classes = spec.model_copy(update={"classes": named})
    return teacher_of_graph(as_classes, graph, data, run.threads, feed, names_it=content)


@dataclass(frozen=True)
class TextFeed:
    """As `Feed`, of texts. types: of the inputs, by their names. length: tokens of a row where the model fixes them."""

    rows_at_once: ClassVar[int] = 32
    text: Text
    tokenizer: FolderTokenizer
    types: dict[str, str]
    batch: int | None
    length: int | None
    said: tuple[str, ...]

    def given(self, rows: Rows) -> dict[str, Array]:
        """Rows by the names of inputs."""
        tokens = self.tokenizer.encode(self.text.of(rows)).numpy()
        if self.length is not None:
            filled = np.full((len(tokens), self.length), self.tokenizer.pad, dtype=np.int64)
            filled[:, : tokens.shape[1]] = tokens
            tokens = filled
        parts = {MASK: tokens != self.tokenizer.pad, SEGMENTS: np.zeros_like(tokens)}
        return {name: parts.get(name, tokens).astype(kind) for name, kind in self.types.items()}


def _feed(session: ort.InferenceSession, model: ModelProto, folder: Folder, text: Text) -> TextFeed:
    """Raises Problem: teacher_mismatch, tokenizer_invalid, tokenizer_mismatch."""
    inputs = {each.name: each for each in session.get_inputs()}
    known = inputs.keys() <= {TOKENS, MASK, SEGMENTS} and TOKENS in inputs
    if not (known or len(inputs) == 1) or any(
        each.type not in WHOLE or len(each.shape) != 2 for each in inputs.values()
    ):
        told = ", ".join(f"{each.name}: {each.type} {list(each.shape or ())}" for each in list(inputs.values())[:6])
        title = (
            f"An ONNX of text takes {TOKENS}, {MASK} and {SEGMENTS}, or numbers of tokens alone; this one takes {told}."
        )
        raise Problem("teacher_mismatch", title, pointer="/file")
    ids = TOKENS if TOKENS in inputs else next(iter(inputs))
    batch, length = (side if isinstance(side, int) else None for side in inputs[ids].shape)
    rows = _table(model, ids)
    tokenizer = tokenizer_of(
        folder,
        vocabulary=rows or MAX_TOKENS,
        pad=_padding(folder),
        length=min(length or MAX_LENGTH, *_lengths(folder)),
    )
    types = {name: WHOLE[each.type] for name, each in inputs.items()}
    return TextFeed(text, tokenizer, types, batch, length, (tokenizer.said, *folder.notes))


def _lengths(folder: Folder) -> list[int]:
    """Of texts, by all that says it."""
    config = document(folder, CONFIG) if folder.has(CONFIG) else {}
    positions, kind = config.get("max_position_embeddings"), KINDS.get(str(config.get("model_type")))
    offset = 0 if kind is None else kind.offset
    known = [positions - offset] if isinstance(positions, int) and positions > offset else []
    return [MAX_LENGTH, *known, *lengths_of(folder)]


def _padding(folder: Folder) -> int:
    """The number that fills rows up, by the configuration or the tokenizer; 0 where neither says it."""
    config = document(folder, CONFIG) if folder.has(CONFIG) else {}
    said = document(folder, TOKENIZER) if folder.has(TOKENIZER) else {}
    filling, added = said.get("padding"), said.get("added_tokens")
    numbers = [config.get("pad_token_id"), filling.get("pad_id") if isinstance(filling, dict) else None]
    named = [each for each in added if isinstance(each, dict)] if isinstance(added, list) else []
    numbers += [each.get("id") for each in named if each.get("content") in PADDING]
    return next((each for each in numbers if isinstance(each, int) and not isinstance(each, bool) and each >= 0), 0)


def _table(model: ModelProto, ids: str) -> int | None:
    """How many tokens the table has in which a graph looks up its first input; None where that does not show."""
    held = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Gather" and node.input[1] == ids and len(held.get(node.input[0], ())) == 2:
            return int(held[node.input[0]][0])
    return None
