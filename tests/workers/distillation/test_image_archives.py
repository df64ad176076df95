"""Images in a zip become rows; what an archive must not do is refused by the name of its member."""

import io
import json
import random
import stat
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

from qstill.contract.distillations.datasets import Images, UploadedData
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import Data, load
from workers.distillation.data.files import images
from workers.distillation.jobs import distil_job

FILE = "file_1"
Members = dict[str, bytes]
Make = Callable[..., Any]


def picture(value: int = 0, *, size: tuple[int, int] = (6, 5), mode: str = "RGB", format: str = "PNG") -> bytes:
    """size: (width, height), as Pillow has it."""
    content = io.BytesIO()
    Image.new(mode, size, value if mode in ("L", "I;16") else (value,) * len(mode)).save(content, format)
    return content.getvalue()


def noise(format: str) -> bytes:
    """What does not compress, in 60x50 pixels."""
    content = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(content, format)
    return content.getvalue()


def flowers(each: int = 3) -> Members:
    """Two classes with `each` images, which are dark and bright."""
    classes = (("daisy", 40), ("rose", 200))
    return {f"{name}/{i}.png": picture(value + i) for name, value in classes for i in range(each)}


def packed(folder: Path, members: Members, *, name: str = "flowers.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


def uploaded(path: Path, **given: Any) -> Data:
    return load(UploadedData(source="file", file=FILE, **given), {FILE: path})


def refusal(path: Path, pointer: str = "/dataset/file", **given: Any) -> str:
    refused = problem_of(uploaded, path, **given)
    assert (refused.code, refused.pointer) == ("dataset_invalid", pointer)
    return refused.title


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
    expected = np.asarray(upright, np.float32).reshape(upright.height, upright.width, -1).transpose(2, 0, 1) / 255
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
    ramped = table.x[-1, 0, 0] * 255
    assert bool((np.diff(ramped) > 0).all())  # the width went from 24 to 12: neighbours are averaged
    assert ramped[5] == pytest.approx((ramp[0, 10] + ramp[0, 11]) / 2, abs=1.5)


def test_jpeg_and_transparent_images_are_read(tmp_path: Path) -> None:
    more = {f"rose/{i}.JPG": picture(220, format="JPEG") for i in (7, 8)} | {"daisy/clear.png": picture(9, mode="RGBA")}
    assert uploaded(packed(tmp_path, flowers() | more)).total == 9


@pytest.mark.parametrize(
    "name",
    [
        "../1.png",
        "rose/../../1.png",
        "/rose/1.png",
        "rose\\..\\1.png",
        "C:/rose/1.png",
        "//1.png",
        "..",
        "rose/..\\1.png",
    ],
)
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    assert "leads out of the archive" in refusal(packed(tmp_path, flowers() | {name: picture()}))


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, flowers())
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("rose/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert "'rose/link.png' is a link" in refusal(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rose/more.zip", b"PK\x03\x04", "is no image"),
        ("rose/notes.txt", b"red", "is no image"),
        ("rose/x.gif", b"GIF89a", "is no image"),
        ("1.png", picture(), "does not lie in the folder of a class"),
        ("rose/red/1.png", picture(), "does not lie in the folder of a class"),
        ("rose/empty.png", b"", "is neither a PNG nor a JPEG image"),
        ("rose/half.png", noise("PNG")[:2000], "is no whole image"),
        ("rose/half.jpg", noise("JPEG")[:2000], "is no whole image"),
        ("rose/other.png", b"GIF89a" + bytes(100), "is neither a PNG nor a JPEG image"),
        ("rose/program.png", b"%!PS-Adobe-3.0 EPSF-3.0\n", "is neither a PNG nor a JPEG image"),
        ("rose/deep.png", picture(7, mode="I;16"), "more than 8 bits"),
    ],
)
def test_a_member_that_cannot_be_a_row_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    title = refusal(packed(tmp_path, flowers() | {name: content}))
    assert name in title
    assert said in title
    assert "0x" not in title


def test_images_of_several_sizes_lead_to_one(tmp_path: Path) -> None:
    path = packed(tmp_path, flowers() | {"rose/wide.png": picture(size=(9, 5))})
    caught = problem_of(uploaded, path)
    assert "'rose/wide.png' has 5x9 pixels and the first image" in caught.title
    assert caught.pointer == "/dataset/image"
    (way,) = caught.ways_out
    assert uploaded(path, **way).total == 7


def test_the_folder_of_a_class_without_an_image_is_refused(tmp_path: Path) -> None:
    assert "'tulip/' holds no image" in refusal(packed(tmp_path, flowers() | {"tulip/": b""}))
    around = {f"all/{name}": content for name, content in flowers().items()}
    empty = {"all/": b"", "all/daisy/": b"", "__MACOSX/all/": b"", "all/_unlabelled/": b""}
    assert uploaded(packed(tmp_path, around | empty)).total == 6


def test_a_bomb_of_pixels_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: Any) -> None:
        raise AssertionError("it was decoded")

    bomb = picture(0, size=(5000, 4000), mode="L")
    assert len(bomb) < 100_000
    monkeypatch.setattr(Image.Image, "convert", decoded)
    assert "5000x4000 pixels" in refusal(packed(tmp_path, {"a/bomb.png": bomb} | flowers()))


def test_bytes_are_counted_as_they_come_and_not_as_they_are_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_IMAGE_BYTES", 1000)
    title = refusal(packed(tmp_path, flowers() | {"rose/zeros.png": bytes(1001)}))
    assert "'rose/zeros.png' goes beyond" in title
    monkeypatch.setattr(images, "MAX_BYTES", 200)
    assert "goes beyond" in refusal(packed(tmp_path, flowers()))


def test_a_member_that_is_longer_than_its_header_says_is_damaged(tmp_path: Path) -> None:
    path = packed(tmp_path, flowers())
    content = path.read_bytes()
    first = content.index(b"PK\x01\x02")  # its entry in the directory: the size is at 24
    path.write_bytes(content[: first + 24] + (9).to_bytes(4, "little") + content[first + 28 :])
    title = refusal(path)
    assert "daisy/0.png" in title


def test_limits_of_members_and_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path, flowers())
    monkeypatch.setattr(images, "MAX_VALUES", 6 * 90 - 1)
    assert "Give a smaller size" in refusal(path)
    assert uploaded(path, image=Images(size=[2, 2])).input_shape == (3, 2, 2)
    monkeypatch.setattr(images, "MAX_MEMBERS", 5)
    assert "at most 5 are read" in refusal(path)


def test_a_name_that_comes_twice_and_what_is_encrypted_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, flowers())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("rose/1.png", picture())
    assert "two members 'rose/1.png'" in refusal(path)
    content = bytearray(packed(tmp_path, flowers()).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))
    assert "encrypted" in refusal(path)


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, flowers() | {"rose/é.png": picture()})
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))
    assert "not a readable" in refusal(path)


def test_one_class_or_too_few_images_are_no_data(tmp_path: Path) -> None:
    assert "1 classes" in refusal(packed(tmp_path, {f"rose/{i}.png": picture() for i in range(5)}))
    assert "needed in each" in refusal(packed(tmp_path, flowers(2)))
    assert "neither images in folders" in refusal(packed(tmp_path, {"__MACOSX/x.png": b""}))


@pytest.mark.parametrize(
    ("given", "pointer"),
    [({"label": "kind"}, "/dataset/label"), ({"task": "regression"}, "/dataset/task")],
)
def test_options_of_tables_are_refused_for_images(tmp_path: Path, given: dict[str, Any], pointer: str) -> None:
    refusal(packed(tmp_path, flowers()), pointer, **given)


def test_options_of_images_are_refused_for_tables(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((9, 2)), y=np.arange(9) % 2)
    refusal(tmp_path / "a.npz", "/dataset/image", image=Images())
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    refusal(tmp_path / "a.csv", "/dataset/image", image=Images())


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
