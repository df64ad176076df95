"""The folder of cached answers: bounded, never believed when it is damaged, and computed by one process of several."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qstill.contract.errors import Problem
from workers.distillation.signals.answers_on_disk import Block, Cache, Entry, Layout
from workers.run import Stopped

KEY = "0123456789abcdef" * 4
LAYOUT = Layout(10, 3)


def records(value: float = 1.0) -> Any:
    return np.full((10, 3), value, np.float32)


def kept(cache: Cache, key: str = KEY, value: float = 1.0, layout: Layout = LAYOUT) -> Entry:
    return cache.entry(key, layout, lambda done: [Block(records(value))], lambda: None)


def numbered(number: int) -> str:
    return f"{number:064x}"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:7], id="within the magic"),
        pytest.param(lambda content: content[:30], id="within the header"),
        pytest.param(lambda content: content[:-1], id="a byte short"),
        pytest.param(lambda content: content + b"x", id="a byte long"),
        pytest.param(lambda content: b"X" + content[1:], id="other magic"),
        pytest.param(lambda content: content[:8] + b"\xff\xff\xff\xff" + content[12:], id="a huge header"),
        pytest.param(lambda content: content[:12] + b"!" + content[13:], id="no JSON"),
        pytest.param(lambda content: content[:-20] + bytes([content[-20] ^ 1]) + content[-19:], id="one bit"),
        pytest.param(lambda content: content[:-1] + bytes([content[-1] ^ 1]), id="the checksum"),
    ],
)
def test_a_damaged_entry_is_computed_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    cache = Cache(tmp_path, 10_000)
    kept(cache)
    (path,) = tmp_path.glob("*.signal")
    path.write_bytes(damage(path.read_bytes()))
    again = kept(cache, value=2.0)
    assert (again.reused, float(again.records[0, 0])) == (False, 2.0)
    assert kept(cache).reused


def test_an_entry_of_another_layout_is_not_taken_for_this_one(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10_000)
    kept(cache)
    other = cache.entry(KEY, Layout(3, 10), lambda done: [Block(np.zeros((3, 10), np.float32))], lambda: None)
    assert (other.reused, other.records.shape) == (False, (3, 10))


def test_what_was_not_used_for_longest_gives_way_and_whoever_has_it_keeps_it(tmp_path: Path) -> None:
    size = kept(Cache(tmp_path / "probe", 10_000)).records.nbytes
    one = Cache(tmp_path / "probe", 0).bytes()
    assert size < one < size + 300
    cache = Cache(tmp_path / "cache", 3 * one + 10)
    mapped = [kept(cache, numbered(number), number) for number in range(3)]
    for number in range(3):
        os.utime(cache._path(numbered(number)), (1000 + number, 1000 + number))
    kept(cache, numbered(0))  # now the newest
    kept(cache, numbered(3))
    there = {int(path.stem, 16) for path in cache.folder.glob("*.signal")}
    assert there == {0, 2, 3}
    assert cache.bytes() <= cache.limit
    assert [float(entry.records.mean()) for entry in mapped] == [0, 1, 2]


def test_of_many_small_entries_little_more_than_the_limit_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = kept(Cache(tmp_path / "probe", 10_000)).records.nbytes
    cache, looked = Cache(tmp_path / "cache", 20 * one), []
    monkeypatch.setattr("workers.distillation.signals.answers_on_disk.SLACK", 0.2)
    make_room = cache._make_room
    monkeypatch.setattr(cache, "_make_room", lambda needed: (looked.append(needed), make_room(needed)))
    for number in range(100):
        kept(cache, hashlib.sha256(str(number).encode()).hexdigest())
    files = len(list(cache.folder.glob("*.signal")))
    assert 10 < len(looked) < 50, "a quarter of a hundred"
    assert files * one <= 1.6 * cache.limit


@pytest.mark.parametrize("limit", [0, 100])
def test_what_is_larger_than_the_cache_is_not_kept(tmp_path: Path, limit: int) -> None:
    cache = Cache(tmp_path, limit)
    assert not kept(cache).reused
    assert not kept(cache).reused
    assert cache.bytes() == 0


def test_a_full_disk_costs_time_and_no_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workers.distillation.signals.answers_on_disk._write", full)
    assert float(kept(Cache(tmp_path, 10_000), value=5.0).records.mean()) == 5.0
    assert [path.name for path in tmp_path.iterdir()] == ["turns"]


def test_who_comes_after_a_failure_goes_on_behind_what_was_written(tmp_path: Path) -> None:
    def half(done: int) -> Iterator[Block]:
        yield Block(records()[:5])
        raise Problem("teacher_invalid", "It fell silent.")

    cache = Cache(tmp_path, 10_000)
    with pytest.raises(Problem):
        cache.entry(KEY, LAYOUT, half, lambda: None)
    assert not list(tmp_path.glob("*.signal"))

    begun = list[int]()

    def rest(done: int) -> Iterator[Block]:
        begun.append(done)
        yield Block(records(2.0)[5:], 0.5)

    entry = cache.entry(KEY, LAYOUT, rest, lambda: None)
    assert begun == [1]
    assert (entry.records[:5] == 1.0).all()
    assert (entry.records[5:] == 2.0).all()
    assert entry.error == 0.5
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("goes_on", [True, False])
def test_nobody_goes_on_behind_what_is_damaged_or_needs_its_beginning(tmp_path: Path, goes_on: bool) -> None:
    def half(done: int) -> Iterator[Block]:
        yield Block(records()[:5])
        raise Stopped

    cache = Cache(tmp_path, 10_000)
    with pytest.raises(Stopped):
        cache.entry(KEY, LAYOUT, half, lambda: None)
    (left,) = tmp_path.glob("*.partial")
    if goes_on:
        content = bytearray(left.read_bytes())
        content[130] ^= 1
        left.write_bytes(bytes(content))
    entry = cache.entry(KEY, LAYOUT, lambda done: [Block(records(3.0 + done))], lambda: None, goes_on=goes_on)
    assert (entry.records == 3.0).all()


CHILD = """
import sys, time
from pathlib import Path
import numpy as np
from workers.distillation.signals.answers_on_disk import Block, Cache, Layout
folder = Path(sys.argv[1])
def compute(done):
    with (folder / "computed").open("a") as file:
        file.write("x")
    yield Block(np.zeros((5, 3), np.float32))
    print("half", flush=True)
    time.sleep(float(sys.argv[2]))
    yield Block(np.zeros((5, 3), np.float32))
entry = Cache(folder, 10_000).entry(sys.argv[3], Layout(10, 3), compute, lambda: None)
print(entry.reused, flush=True)
"""


def child(folder: Path, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CHILD, str(folder), str(seconds), KEY]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_of_several_processes_one_computes_and_the_others_wait(tmp_path: Path) -> None:
    children = [child(tmp_path, 0.5) for _ in range(3)]
    said = [each.communicate(timeout=60)[0].split() for each in children]
    assert (tmp_path / "computed").read_text() == "x"
    assert sorted(words[-1] for words in said) == ["False", "True", "True"]


def test_a_process_that_is_killed_halfway_blocks_nobody_and_leaves_no_half(tmp_path: Path) -> None:
    victim = child(tmp_path, 600)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "half\n"
    waits = []

    def pause() -> None:
        waits.append(time.monotonic())
        if len(waits) == 2:
            victim.send_signal(signal.SIGKILL)
            victim.wait()

    cache = Cache(tmp_path, 10_000)
    entry = cache.entry(KEY, LAYOUT, lambda done: [Block(records(7.0)[5 * done :])], pause)
    victim.stdout.close()
    assert entry.reused is False
    assert [float(each.mean()) for each in np.split(entry.records, 2)] == [0.0, 7.0], "behind what the victim wrote"


def test_what_nobody_went_on_with_is_removed(tmp_path: Path) -> None:
    cache, left = Cache(tmp_path, 10_000), tmp_path / f"{KEY}.partial"
    left.write_bytes(b"begun")
    os.utime(left, (0, 0))
    kept(cache, numbered(1))
    assert not left.exists()


def test_who_waits_for_another_process_may_give_up(tmp_path: Path) -> None:
    busy = child(tmp_path, 600)
    assert busy.stdout is not None
    assert busy.stdout.readline() == "half\n"

    def stop() -> None:
        raise Stopped

    try:
        with pytest.raises(Stopped):
            Cache(tmp_path, 10_000).entry(KEY, LAYOUT, lambda done: [Block(records())], stop)
    finally:
        busy.kill()
        busy.communicate()
