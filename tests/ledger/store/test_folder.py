"""Bytes in a folder: whole or not there, and never outside."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.store.folder import FolderStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    return FolderStore(tmp_path_factory.mktemp("store"))


@given(content=st.binary(max_size=3000))
def test_what_is_put_is_there_whole(store: FolderStore, content: bytes) -> None:
    source = store.root / "source"
    source.write_bytes(content)
    stored = store.put(source, "a/b")
    assert (stored.bytes, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert store.locate("a/b").read_bytes() == content
    assert [place.name for place in store.locate("a/b").parent.iterdir()] == ["b"]


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../outside", "", "."])
def test_no_path_leaves_the_store(store: FolderStore, path: str) -> None:
    with pytest.raises(ValueError, match="not a path of the store"):
        store.locate(path)


def test_a_link_out_of_the_store_is_not_followed(store: FolderStore, tmp_path: Path) -> None:
    (store.root / "way-out").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="not a path of the store"):
        store.locate("way-out/secret")


def test_deleting_twice_is_no_error(store: FolderStore) -> None:
    source = store.root / "source"
    source.write_bytes(b"x")
    store.put(source, "gone/file")
    for path in ("gone/file", "gone/file", "gone", "gone"):
        store.delete(path)
    assert not (store.root / "gone").exists()
