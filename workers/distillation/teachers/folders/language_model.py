"""The folder of a language model as a teacher: it answers each token of a row, on its own tokens."""

import torch
from torch import Tensor

from qstill.contract.distillations.objectives import Sequence
from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.inputs.text import Text
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.pretrained.archive import Folder
from workers.distillation.networks.pretrained.language import language_model
from workers.distillation.rows import Rows
from workers.distillation.teachers.base import Teacher, digest_of
from workers.distillation.teachers.generate import continued


def from_language_model(
    spec: ModelFormat, folder: Folder, content: bytes, data: Data, text: Text, *, memory: int
) -> Teacher:
    """content: the bytes of its zip. memory: bytes that a job may take. Raises Problem, also tokenizer_mismatch."""
    length = data.input_shape[0]
    found = language_model(folder, causal=not data.task.hides, memory=memory, length=length)
    if found.known.tokenizer.digest != text.tokenizer_digest:
        title = "The model answers its own tokens, and this job's are of another tokenizer."
        ways_out = [{"dataset": {"tokenizer": {"kind": "teacher"}}}]
        raise Problem("tokenizer_mismatch", title, pointer="/file", ways_out=ways_out)
    network = found.network

    def logits(rows: Rows) -> Tensor:
        return logits_of(network, rows.x, rows.answered)

    def writes(x: Tensor, how: Sequence, *, seed: int) -> Tensor:
        return continued(network, x, how, None, torch.Generator().manual_seed(seed))

    return Teacher(
        logits,
        digest_of(spec, content),
        bytes=len(content),
        parameters=parameters(network),
        multiply_adds=found.multiply_adds(length),
        by="transformers",
        writes=writes if network.causal else None,
        notes=(
            f"The teacher is a {found.sizes.kind} that came in a folder; student and baseline read and write its "
            f"{len(found.known.ours):,} tokens.",
            *found.notes,
        ),
    )
