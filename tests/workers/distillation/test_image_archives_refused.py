"""Archives that are no images in folders of classes, or bombs, are refused, each with the member at fault."""

import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from qstill.contract.distillations.datasets import Images
from tests.testing.refusals import problem_of
from tests.workers.distillation.flowers import flowers, noise, packed, picture, uploaded
from workers.distillation.data.files import images


def refusal(path: Path, pointer: str = "/dataset/file", **given: Any) -> str:
    refused = problem_of(uploaded, path, **given)
    assert (refused.code, refused.pointer) == ("dataset_invalid", pointer)
    return refused.title


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
    monkeypatch.setattr(images, "MOST_BYTES", 6 * 90 - 1)
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
