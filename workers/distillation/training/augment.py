"""Training rows as an epoch shows them: images flipped, shifted, noisy, blended; texts with tokens hidden.

It is a function of seed, epoch and rows alone.

So a student that resumes sees what it would have seen, and a teacher can be asked about the very same images.
"""

import hashlib

import torch
from torch import Tensor
from torch.nn.functional import pad

from qstill.contract.distillations.training import Augmentation
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.networks.seeds import seed_of
from workers.distillation.rows import Rows
from workers.distillation.stored.rows import StoredRows
from workers.distillation.training.plan import Stage


def rows_of_epoch(data: Data, stage: Stage, epoch: int) -> tuple[Rows, str] | None:
    """All training rows as the epoch, counted from 0, shows them, and the view's name; None: as they are.

    Student and baseline of a seed see the same.
    """
    seed = seed_of("masks", stage.weights_from, stage.seed, epoch)
    if (hidden := data.task.hidden(data.train, seed=seed)) is not None:
        return hidden, f"masks/{seed}"
    how = stage.training.augmentation
    if how is None:
        return None
    rows = augmented(data, how, seed=stage.seed, epoch=epoch)
    return rows, name_of_augmented(data, how, seed=stage.seed, epoch=epoch)


def augmented(data: Data, how: Augmentation, *, seed: int, epoch: int) -> Rows:
    """All training rows as the epoch, counted from 0, shows them to networks of this seed."""
    draw = torch.Generator().manual_seed(seed_of("view", seed, epoch))
    raw = data.train.raw
    mirrored = torch.rand(len(raw), generator=draw) < 0.5
    shifts = torch.randint(-how.crop, how.crop + 1, (2, len(raw)), generator=draw)
    changed = _moved(raw, shifts, mirrored & how.flip, how.crop)
    if how.noise:
        changed = changed + how.noise * data.standardisation.std.float() * torch.randn(raw.shape, generator=draw)
    if how.mix:
        changed = _blended(changed, data.learned, how.mix, draw)
    return Rows(changed, data.standardisation(changed), data.train.y, data.train.index)


def name_of_augmented(data: Data, how: Augmentation, *, seed: int, epoch: int) -> str:
    """Names a view: two of one name are the same, for the same training rows."""
    name = f"{how.model_dump_json(exclude={'consistent'})}/{seed}/{epoch}"
    return f"{name}/{hashlib.sha256(data.learned.numpy().tobytes()).hexdigest()}" if how.mix else name


def _moved(images: Tensor, shifts: Tensor, mirrored: Tensor, most: int) -> Tensor:
    """Each image shifted by its own (down, right), with zeros from outside, and mirrored or not."""
    count, channels, height, width = images.shape
    columns = torch.arange(width).expand(count, width)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns) + shifts[1][:, None] + most
    rows = torch.arange(height) + shifts[0][:, None] + most
    image, channel = torch.arange(count), torch.arange(channels)
    padded = pad(images, (most,) * 4)
    return padded[image[:, None, None, None], channel[:, None, None], rows[:, None, :, None], columns[:, None, None]]


def _blended(images: Tensor, partners: Tensor, most: float, draw: torch.Generator) -> Tensor:
    """Each image with a share, at most `most`, of another; partners: which rows may be that other."""
    others = partners[torch.randint(len(partners), (len(images),), generator=draw)]
    shares = most * torch.rand(len(images), generator=draw)[:, None, None, None]
    return torch.lerp(images, images[others], shares)


def refuse_augmentation(how: Augmentation | None, data: Data, pointer: str) -> None:
    """Raise Problem augmentation_needs_images for anything else, out_of_memory for more than is held at once.

    pointer: of the training.
    """
    if how is not None and len(data.input_shape) != 3:
        title = f"Only images are augmented; one row of this data has shape {data.input_shape}."
        raise Problem("augmentation_needs_images", title, pointer=f"{pointer}/augmentation")
    if how is not None and isinstance(data.train.raw, StoredRows):
        data.train.raw.refuse_large("An epoch of augmented images", f"{pointer}/augmentation")
