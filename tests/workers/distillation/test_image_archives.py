"""Images in a zip become rows; what an archive must not do is refused by the name of its member."""

import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from qstill.contract.distillations.datasets import Images
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from tests.workers.distillation.flowers import FILE, flowers, noise, packed, picture, uploaded
from workers.distillation.data.files import images
from workers.distillation.jobs import distil_job

Make = Callable[..., Any]


def test_folders_name_the_classes_and_pixels_are_from_0_to_1(tmp_path: Path) -> None:
    data = uploaded(packed(tmp_path, flowers() | {"_unlabelled/x.png": picture(255)}), standardise="channel")
    assert (data.classes, data.total, data.input_shape) == (["daisy", "rose"], 7, (3, 5, 6))
    unknown = data.train.index == 0
    assert torch.equal(data.train.raw[unknown], torch.ones(1, 3, 5, 6))
    assert data.train.y[unknown].tolist() == [-1]
    assert data.test.raw[data.test.y == 0].max() <= 42 / 255


def test_an_archive_packed_in_another_order_or_below_a_folder_is_the_same_data(tmp_path: Path) -> None:
    members = flowers()
    backwards = dict(reversed(members.items()))
    below = {f"flowers/{name}": content for name, content in members.items()}
    litter = {"__MACOSX/daisy/._0.png": b"?", "daisy/.DS_Store": b"?", "daisy/Thumbs.db": b"?"}
    archives = (members, backwards, below, members | litter)
    digests = {uploaded(packed(tmp_path, each)).digest for each in archives}
    assert len(digests) == 1
    assert uploaded(packed(tmp_path, members | {"rose/3.png": picture()})).digest not in digests


LITTER = st.sampled_from(
    [
        ".DS_Store",
        "Thumbs.db",
        "thumbs.DB",
        "desktop.ini",
        "._0.png",
        ".hidden/1.png",
        "@eaDir/1.png",
        "__MACOSX/._1.png",
    ]
)


@given(
    st.sets(st.tuples(st.sampled_from(["", "daisy/", "daisy/red/", "_unlabelled/"]), LITTER)),
    st.randoms(),
    st.booleans(),
)
@settings(max_examples=examples(30), deadline=None)
def test_litter_slashes_and_order_never_change_the_data(
    litter: set[tuple[str, str]], shuffle: random.Random, windows: bool
) -> None:
    members = [*flowers(), *(folder + name for folder, name in litter)]
    shuffle.shuffle(members)
    with TemporaryDirectory() as made:
        plain = uploaded(packed(Path(made), flowers()))
        path = Path(made) / "other.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in members:
                archive.writestr(name.replace("/", "\\") if windows else name, flowers().get(name, b"litter"))
            if windows:
                archive.writestr("daisy\\", b"")
        assert uploaded(path).digest == plain.digest


def test_litter_in_an_archive_of_arrays_is_passed_over(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.random.default_rng(0).random((30, 2)), y=np.arange(30) % 2)
    plain = uploaded(tmp_path / "a.npz").digest
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        for name in ("__MACOSX/._x.npy", ".DS_Store", "._y.npy", "Thumbs.db"):
            archive.writestr(name, b"litter")
    assert uploaded(tmp_path / "a.npz").digest == plain


@pytest.mark.parametrize("name", ["rose/photo.jpg", "rose/photo.PNG"])
@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_an_image_is_read_by_its_content_whatever_its_name_says(tmp_path: Path, name: str, format: str) -> None:
    assert uploaded(packed(tmp_path, flowers() | {name: noise(format)}), image=Images(size=[5, 6])).total == 7


def turned(orientation: int, format: str, *, seed: int = 0) -> bytes:
    """An image of 24x16 pixels whose file says how the camera was held."""
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 3, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    exif, content = Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(pixels).save(content, format, exif=exif)
    return content.getvalue()


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_images_stand_upright_as_their_files_say(tmp_path: Path, orientation: int, format: str, mode: Any) -> None:
    content = turned(orientation, format)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert(mode)
    members = {f"{name}/{i}.jpg": content for name in ("a", "b") for i in range(3)}
    table = images.read_images(packed(tmp_path, members), Images(mode=mode))
    assert table.x.shape[2:] == (upright.height, upright.width)
    expected = np.asarray(upright, np.float32).reshape(upright.height, upright.width, -1).transpose(2, 0, 1)
    assert np.allclose(table.x, expected)


def test_sizes_are_those_of_upright_images(tmp_path: Path) -> None:
    upright = {f"a/{i}.jpg": turned(1, "JPEG", seed=i) for i in range(3)}
    lying = {f"b/{i}.jpg": turned(6, "JPEG", seed=i) for i in range(3)}
    caught = problem_of(uploaded, packed(tmp_path, upright | lying))
    assert "'b/0.jpg' has 24x16 pixels and the first image 16x24" in caught.title
    both = lying | {name.replace("b", "a"): content for name, content in lying.items()}
    assert uploaded(packed(tmp_path, both)).input_shape == (3, 24, 16)


def test_notes_of_a_camera_that_nobody_can_read_turn_no_image(tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.new("RGB", (6, 5), (9, 9, 9)).save(content, "JPEG", exif=b"Exif\0\0" + b"no notes at all")
    assert uploaded(packed(tmp_path, flowers() | {"rose/9.jpg": content.getvalue()})).total == 7


def test_images_are_resized_and_made_grey(tmp_path: Path) -> None:
    content = io.BytesIO()
    ramp = np.tile(np.arange(0, 240, 10, dtype=np.uint8), (8, 1))
    Image.fromarray(ramp).save(content, "PNG")
    table = images.read_images(
        packed(tmp_path, flowers() | {"rose/ramp.png": content.getvalue()}), Images(size=[8, 12], mode="L")
    )
    assert table.x.shape == (7, 1, 8, 12)
    ramped = table.x[-1, 0, 0].astype(float)
    assert bool((np.diff(ramped) > 0).all())  # the width went from 24 to 12: neighbours are averaged
    assert ramped[5] == pytest.approx((ramp[0, 10] + ramp[0, 11]) / 2, abs=1.5)


def test_jpeg_and_transparent_images_are_read(tmp_path: Path) -> None:
    more = {f"rose/{i}.JPG": picture(220, format="JPEG") for i in (7, 8)} | {"daisy/clear.png": picture(9, mode="RGBA")}
    assert uploaded(packed(tmp_path, flowers() | more)).total == 9


def test_a_small_network_learns_from_a_zip(tmp_path: Path, job: Make, house: Make) -> None:
    draw = np.random.default_rng(0)
    members = {}
    for name, low in (("dark", 0), ("bright", 60)):
        for i in range(30):
            content = io.BytesIO()
            pixels = draw.integers(low, low + 150, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(content, "PNG")
            members[f"{name}/{i}.png"] = content.getvalue()
    told = house(files={FILE: packed(tmp_path, members)})
    spec = job(
        dataset={"source": "file", "file": FILE, "image": {"size": [6, 6], "mode": "L"}, "standardise": "channel"},
        teacher={"source": "train", "architecture": {"kind": "mlp", "hidden": [16]}},
        student={"architecture": {"kind": "mlp", "hidden": [4]}},
        training={"epochs": 20},
    )
    result = distil_job(spec, told)
    assert result["student"]["mean"] > 0.8
    assert json.loads(told.published["report.json"])["classes"] == ["bright", "dark"]


@pytest.mark.parametrize("around", ["", "flowers/"])
def test_folders_of_splits_keep_their_rows(tmp_path: Path, around: str) -> None:
    names = [f"{split}/{name}/{i}.png" for split in ("Train", "test", "val") for name in "xy" for i in range(4)]
    data = uploaded(packed(tmp_path, {around + name: picture(row) for row, name in enumerate(names)}))
    assert data.classes == ["x", "y"]
    assert [sorted(rows.index.tolist()) for rows in (data.train, data.test, data.validation)] == [
        [*range(8)],
        [*range(8, 16)],
        [*range(16, 24)],
    ]
    said = "The rows were divided as their folders say: 8 for training, 8 for validation, 8 for the test."
    assert [note.said for note in data.reading_notes] == [said]


def test_one_folder_that_is_called_as_a_split_is_a_folder_around_all(tmp_path: Path) -> None:
    data = uploaded(packed(tmp_path, {f"train/{name}/{i}.png": picture(i) for name in "xy" for i in range(6)}))
    assert (data.classes, data.total, data.reading_notes) == (["x", "y"], 12, ())
