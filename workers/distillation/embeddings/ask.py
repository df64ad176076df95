"""Asking the teacher once for the vector of every sentence, and keeping what it said for later jobs."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from qstill.contract.errors import Problem
from workers.distillation.embeddings.data import SentenceData
from workers.distillation.networks.pretrained.folder import Pretrained
from workers.distillation.signals.answers_on_disk import Block, Cache, Layout, in_memory
from workers.run import Run, Stopped

SENTENCES_AT_ONCE = 512  # before anybody is told how far it is, and whether to stop is asked


@dataclass(frozen=True)
class Answers:
    """vectors: (sentences, numbers). computed: how many the teacher was asked for; 0: they were there."""

    vectors: Tensor
    computed: int


def answers_of(teacher: Pretrained, tokens: Tensor, data: SentenceData, run: Run) -> Answers:
    """tokens: of every sentence. Raises Problem teacher_invalid, signal_too_large; Stopped."""
    layout = Layout(len(tokens), teacher.encoder.width)

    def pause() -> None:
        if run.stop_requested():
            raise Stopped

    def compute(blocks: int) -> Iterator[Block]:
        done = blocks * SENTENCES_AT_ONCE
        for some in torch.split(tokens, SENTENCES_AT_ONCE)[blocks:]:
            pause()
            vectors = teacher.encoder.vectors(some)
            if not bool(vectors.isfinite().all()):
                title = "The teacher answers with something that is no number."
                raise Problem("teacher_invalid", title, pointer="/teacher")
            yield Block(vectors.numpy())
            done += len(some)
            run.progress(phase="teacher's answers", done=done, total=len(tokens), unit="rows")

    key = f"{data.digest}/{teacher.digest}/{teacher.tokenizer.digest}/{tokens.shape[1]}"
    if run.cache is None:
        entry = in_memory(layout, compute)
    else:
        cache = Cache(run.cache, run.cache_bytes)
        entry = cache.entry(hashlib.sha256(key.encode()).hexdigest(), layout, compute, pause)
    return Answers(torch.from_numpy(entry.records), 0 if entry.reused else len(tokens))
