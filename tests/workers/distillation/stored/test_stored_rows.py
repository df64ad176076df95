"""Rows that are read when they are picked are the rows that a tensor in memory holds, bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of
from workers.distillation.networks.answers import logits_of
from workers.distillation.rows import Standardisation
from workers.distillation.stored import moments as moments_of
from workers.distillation.stored import rows as stored_rows
from workers.distillation.stored.moments import moments
from workers.distillation.stored.pages import mapped, row_blocks
from workers.distillation.stored.rows import StoredRows, blocks_of, picked, scaled

KINDS = ["uint8", "float32", "float64", "int16", ">f4"]


def in_file(folder: Path, array: Any) -> Any:
    """The array, mapped from a file in which other bytes stand before it."""
    path = folder / "array"
    path.write_bytes(b"x" * 37 + np.ascontiguousarray(array).tobytes())
    return mapped(path, array.shape, array.dtype, offset=37)


def images(rows: int, kind: str, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (rows, 3, 4, 5)).astype(kind)


def both(source: Any, *, pixels: bool = False) -> tuple[StoredRows, Tensor]:
    """Some rows, stored and in memory, standardised."""
    chosen = torch.randperm(len(source), generator=torch.Generator().manual_seed(1))[: max(1, len(source) - 2)]
    standardise = Standardisation(torch.rand(3, 1, 1).double(), torch.rand(3, 1, 1).double() + 0.5)
    plain = torch.from_numpy(source.astype(np.float32))[chosen]
    stored = standardise(StoredRows(source, chosen.numpy(), (scaled,) if pixels else ()))
    assert isinstance(stored, StoredRows)
    return stored, standardise(plain / 255 if pixels else plain)


@pytest.mark.parametrize("kind", KINDS)
@given(rows=st.integers(1, 40), seed=st.integers(0, 99), pixels=st.booleans())
def test_rows_that_are_picked_are_those_of_a_tensor(
    kind: str, rows: int, seed: int, pixels: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stored, plain = both(in_file(tmp_path_factory.mktemp("rows"), images(rows, kind, seed)), pixels=pixels)
    positions = torch.from_numpy(np.random.default_rng(seed).integers(0, len(plain), 9))
    assert (stored.shape, stored.dtype, len(stored)) == (plain.shape, plain.dtype, len(plain))
    assert torch.equal(stored.index_select(0, positions), plain.index_select(0, positions))
    assert torch.equal(stored[positions], plain[positions])
    assert torch.equal(stored[1:7:2], plain[1:7:2])
    assert torch.equal(stored[:2, 1, :, 0], plain[:2, 1, :, 0])
    assert torch.equal(stored[0], plain[0])
    assert torch.equal(stored[0, 1], plain[0, 1])
    assert torch.equal(picked(stored, positions)[3:], plain[positions][3:])
    assert torch.equal(stored.flatten(1)[positions], plain.flatten(1)[positions])
    assert stored.flatten(1).shape == plain.flatten(1).shape
    assert torch.equal(torch.cat([*blocks_of(stored, 4)]), plain)


def test_what_is_done_to_all_rows_is_done_to_all_of_them(tmp_path: Path) -> None:
    stored, plain = both(in_file(tmp_path, images(12, "uint8")))
    assert torch.equal(stored + 1, plain + 1)
    assert torch.equal(1 - stored, 1 - plain)
    assert torch.equal(torch.cat([stored[:1], stored]), torch.cat([plain[:1], plain]))
    assert (stored.numpy() == plain.numpy()).all()
    assert stored.tolist() == plain.tolist()
    assert torch.equal(stored.flatten(), plain.flatten())
    network = nn.Sequential(nn.Conv2d(3, 2, 2), nn.Flatten(), nn.Linear(24, 2))
    assert torch.equal(logits_of(network, stored), logits_of(network, plain))


def test_rows_that_do_not_fit_are_not_read_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, plain = both(in_file(tmp_path, images(12, "uint8")))
    monkeypatch.setattr(stored_rows, "MOST_AT_ONCE", 4 * plain.numel() - 1)
    found = problem_of(lambda: stored + 1)
    assert (found.code, found.pointer) == ("out_of_memory", "/dataset")
    assert torch.equal(stored[:3], plain[:3])
    with pytest.raises(Problem):
        stored.whole()


def test_an_array_whose_sides_were_turned_is_read_as_it_was_turned(tmp_path: Path) -> None:
    source = in_file(tmp_path, images(12, "uint8")).transpose(0, 2, 3, 1)
    stored = StoredRows(source, np.arange(12))
    assert torch.equal(stored[[3, 1, 3]], torch.from_numpy(source.astype(np.float32))[[3, 1, 3]])


@given(st.integers(1, 50), st.sampled_from([(0,), (0, 2, 3)]), st.integers(1, 9), st.floats(-1e3, 1e3))
def test_moments_of_blocks_are_those_of_all_rows(rows: int, over: tuple[int, ...], block: int, shift: float) -> None:
    x = torch.randn(rows, 2, 3, 2, generator=torch.Generator().manual_seed(rows)) + shift
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments_of, "BLOCK_VALUES", block * 12)
        mean, std = moments(x, over)
    values = x.double()
    torch.testing.assert_close(mean, values.mean(over), atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(std, values.std(over, correction=0), atol=1e-9, rtol=1e-9)


def test_blocks_of_an_array_are_all_of_it(tmp_path: Path) -> None:
    source = in_file(tmp_path, images(11, "int16"))
    found = [*row_blocks(source, 3 * source[0].nbytes)]
    assert [first for first, _ in found] == [0, 3, 6, 9]
    assert (np.concatenate([block for _, block in found]) == source).all()
