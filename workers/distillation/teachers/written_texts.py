"""Sequence-level distillation (Kim and Rush 2016, arXiv:1606.07947): the student learns texts that the teacher writes.

The teacher goes on after the first tokens of training rows; what it wrote is the label, the prompt is not.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from qstill.contract.distillations.objectives import Sequence
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.networks.answers import rows_at_once
from workers.distillation.networks.seeds import seed_of
from workers.distillation.networks.texts.decoder import DecoderNetwork
from workers.distillation.networks.texts.tokens import PAD
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.signals.answers_on_disk import Block, Entry, Layout
from workers.distillation.signals.signals import signal_digest
from workers.distillation.teachers import Teacher, Use
from workers.distillation.teachers.ask import kept
from workers.distillation.teachers.generate import continued
from workers.distillation.training.plan import Lesson
from workers.run import Run, Stopped

MAX_SEED = 1 << 31  # some servers know seeds of 32 bits


def sequence_lesson(spec: Sequence, data: Data, teacher: Teacher, run: Run, *, seed: int) -> tuple[Lesson, Use]:
    """What the student learns from, and what it cost. Raises Problem teacher_mismatch, and Stopped."""
    network = teacher.network
    if teacher.writes is None and not isinstance(network, DecoderNetwork):
        title = "To write texts the teacher must be one language model, not an ensemble."
        raise Problem("teacher_mismatch", title, pointer="/teacher")
    x, labels = data.train.x, data.seen
    draw = torch.Generator().manual_seed(seed_of("sequence", seed))
    whole = (x != PAD).all(1)
    own = torch.rand(len(x), generator=draw) >= spec.alpha
    written = torch.nonzero(whole & ~(own & (labels != UNKNOWN).any(1))).flatten()
    if teacher.writes is not None:
        texts, entry = heard_texts(teacher, x[written], spec, data, run, seed=seed)
    else:
        assert isinstance(network, DecoderNetwork)
        texts, entry = continued(network, x[written], spec, run, draw), None
    # The label of a row's last token is the token after it, which the teacher writes too.
    answers = texts[:, 1:].clone()
    answers[:, : spec.prompt - 1] = UNKNOWN
    answers[answers == PAD] = UNKNOWN  # behind the end of a text
    lesson = Lesson(
        data.learned,
        len(data.learned),
        labels.index_copy(0, written, answers),
        x=x.index_copy(0, written, texts[:, :-1]),
    )
    digest = hashlib.sha256(texts.numpy().tobytes()).hexdigest()
    found = 0 if entry is None or not entry.reused else len(written)
    size = texts.numel() * texts.element_size()
    return lesson, Use(digest, len(written) - found, found, size, "int64", None, None, 0.0)


def heard_texts(
    teacher: Teacher, x: Tensor, spec: Sequence, data: Data, run: Run, *, seed: int
) -> tuple[Tensor, Entry | None]:
    """What `continued` gives, of a teacher that is asked once, and kept as any answers are."""
    if not len(x):
        return x.new_empty(0, x.shape[1] + 1), None
    assert teacher.writes is not None
    writes = teacher.writes
    at_once = teacher.rows_at_once or rows_at_once(x)

    def compute(done: int) -> Iterator[Block]:
        for first in range(done * at_once, len(x), at_once):
            if run.stop_requested():
                raise Stopped
            texts = writes(x[first : first + at_once], spec, seed=seed_of("texts", seed, first) % MAX_SEED)
            yield Block(texts.numpy().astype(np.float32))  # whole numbers to 16 million are exact
            run.progress(phase="teacher's texts", done=min(first + at_once, len(x)), total=len(x), unit="rows")

    rows = hashlib.sha256(x.numpy().tobytes()).hexdigest()
    told = f"{spec.model_dump_json(exclude={'alpha'})}/{seed}/{teacher.scope}"
    digest = signal_digest(
        data=data.digest,
        preprocessing=data.inputs.digest,
        teacher=teacher.digest,
        rows=rows,
        view="texts",
        storage=told,
    )
    entry = kept(digest, Layout(len(x), x.shape[1] + 1), compute, run)
    return torch.from_numpy(entry.records).long(), entry
