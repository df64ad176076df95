"""What an encoder says of texts when somebody tries it."""

from pathlib import Path

import torch
from torch.nn.functional import normalize

from qstill.contract.errors import Problem
from qstill.contract.models.answers import Vectors
from qstill.contract.models.questions import AskTexts
from workers.distillation.networks.pretrained.folder import opened
from workers.run import Run


def vectors_of(asked: AskTexts, path: Path, model: str, run: Run) -> Vectors:
    """A vector for each text, and how alike they are. Raises Problem."""
    found = opened(path, run.scratch, memory=run.memory)
    tokens = found.tokenizer.encode(asked.texts)
    vectors = found.encoder.vectors(tokens)
    if not vectors.isfinite().all():
        raise Problem("not_finite", "The model answers with something that is no number.", pointer="/texts")
    directions = normalize(vectors.double(), dim=1)
    full = int((tokens != found.tokenizer.pad).sum(1).eq(found.tokenizer.length).sum())
    notes = [*found.notes]
    if full:
        notes.append(f"{full} of {len(tokens)} texts fill all {found.tokenizer.length} tokens, and may be cut off.")
    return Vectors(
        model=model,
        notes=notes,
        vectors=vectors.tolist(),
        cosines=torch.clamp(directions @ directions.T, -1, 1).tolist(),
    )
