"""How many tokens of a text the maker of a model reads, where that is said."""

from collections.abc import Iterator

from workers.distillation.networks.pretrained.archive import LENGTHS, Folder
from workers.distillation.networks.pretrained.config import document

MAX_LENGTH = 512  # tokens of a text


def lengths_of(folder: Folder) -> Iterator[int]:
    """What each of its files says. Raises Problem teacher_invalid."""
    for name, field in zip(LENGTHS, ("max_seq_length", "model_max_length"), strict=True):
        found = document(folder, name).get(field) if folder.has(name) else None
        if isinstance(found, int) and found > 0:
            yield found
