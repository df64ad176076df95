"""What is larger than memory is written once, found again, and leaves nothing behind."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qstill.contract.distillations.datasets import Images, UploadedData
from qstill.contract.tables.bounds import Unreadable
from tests.testing.refusals import problem_of
from tests.workers.distillation.flowers import flowers, packed
from workers.distillation.data.files import images
from workers.distillation.data.files.arrays import read_table
from workers.distillation.data.files.images import read_images
from workers.distillation.signals.answers_on_disk import Cache
from workers.distillation.stored import shelf as shelves
from workers.distillation.stored.shelf import ArrayLayout, Shelf

LAYOUT = ArrayLayout((6, 2), np.dtype(np.float32))
SPEC = UploadedData(source="file", file="file_0195f3a0-7c1e-7d9a-b3c8-5d4e3f2a1b0c")


def halves(count: list[int]) -> Any:
    def blocks() -> Iterator[Any]:
        count.append(1)
        yield np.ones((4, 2))
        yield np.zeros((2, 2), np.float32)

    return blocks


def test_an_array_is_written_once_for_all_jobs_of_a_machine(tmp_path: Path) -> None:
    count: list[int] = []
    for _ in range(3):
        found = Shelf(tmp_path, Cache(tmp_path / "cache", 1 << 20)).array("key", LAYOUT, halves(count))
        assert (found.tolist(), found.dtype) == ([[1.0, 1.0]] * 4 + [[0.0, 0.0]] * 2, np.float32)
    assert len(count) == 1
    Shelf(tmp_path, Cache(tmp_path / "cache", 1 << 20)).array("another", LAYOUT, halves(count))
    assert len(count) == 2


@pytest.mark.parametrize("cache_bytes", [None, 47])
def test_without_room_among_jobs_it_is_a_file_of_the_job_without_a_name(
    tmp_path: Path, cache_bytes: int | None
) -> None:
    (scratch := tmp_path / "job").mkdir()
    cache = None if cache_bytes is None else Cache(tmp_path / "cache", cache_bytes)
    found = Shelf(scratch, cache).array("key", LAYOUT, halves([]))
    assert [*scratch.iterdir()] == []
    assert found.sum() == 8


def test_what_no_disk_holds_is_refused_before_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count: list[int] = []
    monkeypatch.setattr(shelves, "MOST_BYTES", 47)
    found = problem_of(Shelf(tmp_path).array, "key", LAYOUT, halves(count))
    assert (found.code, found.pointer, count) == ("dataset_too_large", "/dataset", [])


def npz(path: Path, *, compressed: bool, **arrays: Any) -> Path:
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_an_archive_of_arrays_is_mapped_as_it_is_read(tmp_path: Path, compressed: bool) -> None:
    x = np.random.default_rng(0).integers(0, 255, (60, 3, 4, 5)).astype(np.uint8)
    path = npz(tmp_path / "data.npz", compressed=compressed, x=x, y=np.arange(60) % 2)
    found, held = (read_table(path, SPEC, Shelf(tmp_path, held=most)) for most in (100, 10**6))
    assert isinstance(found.x, np.memmap)
    assert not isinstance(held.x, np.memmap)
    assert (found.x == x).all()
    assert (held.x == x).all()
    assert [*tmp_path.iterdir()] == [path]


def test_an_archive_in_parts_is_mapped_with_their_rows_after_one_another(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 255, (60, 8, 9, 3)).astype(np.uint8)
    y = np.arange(60) % 2
    parts = {"x_train": x[:40], "y_train": y[:40], "x_test": x[40:], "y_test": y[40:]}
    found = read_table(npz(tmp_path / "data.npz", compressed=False, **parts), SPEC, Shelf(tmp_path, held=100))
    assert (found.x == x.transpose(0, 3, 1, 2)).all()


def test_values_that_are_no_numbers_are_found_in_any_block(tmp_path: Path) -> None:
    x = np.zeros((60, 5))
    x[57, 3] = np.nan
    path = npz(tmp_path / "data.npz", compressed=False, x=x, y=np.arange(60) % 2)
    with pytest.raises(Unreadable, match="Row 57, feature 3: nan"):
        read_table(path, SPEC, Shelf(tmp_path, held=100))


def test_columns_after_one_another_are_not_read_row_by_row(tmp_path: Path) -> None:
    x = np.asfortranarray(np.zeros((60, 5)))
    path = npz(tmp_path / "data.npz", compressed=False, x=x, y=np.arange(60) % 2)
    with pytest.raises(Unreadable, match="ascontiguousarray"):
        read_table(path, SPEC, Shelf(tmp_path, held=100))


@pytest.mark.parametrize("kept", [8, 50, 127])
def test_an_archive_that_ends_early_is_refused(tmp_path: Path, kept: int) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        array = io.BytesIO()
        np.save(array, np.zeros((60, 5)))
        archive.writestr("x.npy", array.getvalue()[:-kept])
        archive.writestr("y.npy", array.getvalue())
    (tmp_path / "data.npz").write_bytes(content.getvalue())
    with pytest.raises(Unreadable, match="does not fit"):
        read_table(tmp_path / "data.npz", SPEC, Shelf(tmp_path, held=100))


def test_images_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path, flowers())
    shelf = Shelf(tmp_path, Cache(tmp_path / "cache", 1 << 20), held=0)
    first, held = read_images(path, Images(), shelf), read_images(path, Images())
    assert isinstance(first.x, np.memmap)
    assert (first.x == held.x).all()
    decoded: list[str] = []
    whole = images._decoded
    monkeypatch.setattr(images, "_decoded", lambda name, *rest: decoded.append(name) or whole(name, *rest))
    assert (read_images(path, Images(), shelf).x == held.x).all()
    assert len(decoded) == 1, "the first, which tells how large all are"
    assert read_images(path, Images(size=[2, 2]), shelf).x.shape == (6, 3, 2, 2)
