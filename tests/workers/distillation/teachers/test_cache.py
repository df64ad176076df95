"""What a teacher said is computed once, found again with the same bits, and never believed when it is damaged."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.teachers import Storage
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import Data, load
from workers.distillation.jobs import distil_job
from workers.distillation.networks import answers
from workers.distillation.rows import Rows
from workers.distillation.signals.answers_on_disk import Block, Cache, Entry, Layout
from workers.distillation.signals.sparse import thinned
from workers.distillation.teachers import Teacher, answers_of, ask, signal_and_use, signal_of
from workers.run import Stopped

Make = Callable[..., Any]

KEY = "0123456789abcdef" * 4
LAYOUT = Layout(10, 3)
STORAGES = [
    Storage(),
    Storage(precision="float16"),
    Storage(top_k=2),
    Storage(top_k=3, precision="float16", missing="uniform"),
    Storage(top_k=1, missing="renormalise"),
]


class Counting:
    """A teacher that counts the rows that it is asked about."""

    def __init__(self, digest: str = "t", scale: float = 3.0) -> None:
        self.rows, self.scale = 0, scale
        self.teacher = Teacher(self._logits, digest)

    def _logits(self, rows: Rows) -> Tensor:
        self.rows += len(rows.y)
        return torch.stack([torch.sin(self.scale * rows.x.sum(1) + i) * 5 for i in range(3)], dim=1)


@pytest.fixture
def shared(house: Make, tmp_path: Path) -> Make:
    """Makes a house with one cache for all."""
    return lambda **given: house(cache=tmp_path / "cache", **given)


@pytest.mark.parametrize("storage", STORAGES)
def test_what_is_found_has_the_bits_of_what_was_computed(iris: Data, shared: Make, storage: Storage) -> None:
    asked = Counting()
    every = torch.arange(len(iris.train.y))
    first, made = signal_and_use(asked.teacher, iris, storage, shared())
    again, found = signal_and_use(asked.teacher, iris, storage, shared())
    alone, _ = signal_and_use(Counting().teacher, iris, storage, None)
    assert asked.rows == len(every)
    assert (made.computed_rows, made.reused_rows) == (len(every), 0)
    assert (found.computed_rows, found.reused_rows) == (0, len(every))
    assert replace(made, computed_rows=0, reused_rows=0) == replace(found, computed_rows=0, reused_rows=0)
    for other in (again, alone):
        assert torch.equal(first.rows(every).logits, other.rows(every).logits)
    if storage.top_k is None and storage.precision == "float32":
        assert torch.equal(first.logits, asked.teacher.logits(iris.train))


def test_a_signal_of_a_batch_is_a_part_of_the_whole(iris: Data, shared: Make) -> None:
    for storage in STORAGES:
        signal = signal_of(Counting().teacher, iris, storage, shared())
        whole, some = signal.rows(torch.arange(len(iris.train.y))), torch.tensor([5, 3, 3, 60])
        part = signal.rows(some)
        assert part.logits.dtype == torch.float32
        assert torch.equal(part.logits, whole.logits[some])
        assert (part.unspoken is None) == (storage.top_k is None or storage.missing != "ghost")


def test_whatever_changes_the_answers_changes_the_key(iris: Data, shared: Make) -> None:
    def digest(data: Data = iris, teacher: str = "t", storage: Storage | None = None, view: str = "plain") -> str:
        return signal_and_use(Counting(teacher).teacher, data, storage or Storage(), shared(), view)[1].digest

    others = [{"standardise": "none"}, {"split_seed": 1}, {"test": 0.3}]
    loaded = [load(BuiltinData.model_validate({"source": "builtin", "name": "iris"} | other), {}) for other in others]
    found = [digest(data) for data in loaded]
    found += [digest(storage=storage) for storage in STORAGES]
    found += [digest(teacher="u"), digest(view="crop/1"), digest(view="crop/2"), digest(replace(iris, digest="d"))]
    assert len(set(found)) == len(found)
    assert digest() == digest()


def test_the_answers_that_measure_a_teacher_are_never_rounded(iris: Data, shared: Make) -> None:
    asked = Counting()
    for _ in range(2):
        assert torch.equal(answers_of(asked.teacher, iris, iris.test, shared()), Counting().teacher.logits(iris.test))
    assert asked.rows == len(iris.test.y)
    answers_of(asked.teacher, iris, iris.validation, shared())
    assert asked.rows == len(iris.test.y) + len(iris.validation.y)


@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=4, max_size=4), min_size=1, max_size=5))
@settings(max_examples=examples(60))
def test_the_rounding_is_measured(rows: list[list[float]]) -> None:
    logits = torch.tensor(rows)
    block = ask._encode(logits, None, Layout(len(rows), 4, "float16"))
    kept = torch.from_numpy(block.records)
    assert kept.dtype == torch.float16
    assert bool(kept.isfinite().all())
    change = (torch.softmax(logits.double(), 1) - torch.softmax(kept.double(), 1)).abs().max()
    assert block.error == pytest.approx(float(change))
    assert block.error < 1e-3


def test_more_classes_than_there_are_cannot_be_kept(iris: Data) -> None:
    refused = problem_of(signal_of, Counting().teacher, iris, Storage(top_k=4))
    assert (refused.code, refused.pointer) == ("too_many_classes", "/signal/top_k")
    assert refused.ways_out == [{"top_k": 3}]


def test_a_teacher_that_answers_no_numbers_or_too_few_is_refused(iris: Data, shared: Make) -> None:
    def silent(rows: Rows) -> Tensor:
        return torch.full((len(rows.y), 3), torch.nan)

    with pytest.raises(Problem, match=r"row \d+ is not finite"):
        signal_of(Teacher(silent, "t"), iris, run=shared())
    with pytest.raises(Problem, match=r"\(\d+, 3\) are needed"):
        signal_of(Teacher(lambda rows: torch.zeros(len(rows.y), 2), "t"), iris, run=shared())
    assert Counting().rows == 0
    assert torch.equal(
        signal_of(Counting().teacher, iris, run=shared()).logits, Counting().teacher.logits(iris.train)
    ), "nothing was kept of the bad ones"


def test_a_job_that_shall_stop_asks_no_more(iris: Data, shared: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "ROWS_AT_ONCE", 10)
    asked, looks = Counting(), iter([False, False])
    with pytest.raises(Stopped):
        signal_of(asked.teacher, iris, run=shared(stop=lambda: next(looks, True)))
    assert asked.rows == 20
    assert list(shared().cache.glob("*.partial")) == []


def test_a_second_job_says_what_it_reused(job: Make, shared: Make) -> None:
    reports = []
    for objective in ({"kind": "kd"}, {"kind": "logit_mse"}):
        told = shared()
        distil_job(job(objective=objective, signal={"precision": "float16"}, training={"epochs": 1}), told)
        reports.append(json.loads(told.published["report.json"]))
    first, second = (report["signal"] for report in reports)
    assert first["digest"] == second["digest"] == reports[0]["digests"]["signal"]
    assert first["computed_rows"] == second["reused_rows"] == reports[0]["rows"]["train"]
    assert first["reused_rows"] == second["computed_rows"] == 0
    assert first["bytes"] == reports[0]["rows"]["train"] * 3 * 2
    assert first["rounding"] == second["rounding"] > 0
    assert any("from an earlier job" in note for note in reports[1]["notes"])
    assert any("half precision" in note for note in reports[1]["notes"])


@pytest.mark.parametrize(
    "storage", [{"top_k": 2}, {"top_k": 1, "missing": "uniform"}, {"top_k": 2, "precision": "float16"}]
)
def test_a_student_learns_from_a_few_classes(job: Make, shared: Make, storage: dict[str, Any]) -> None:
    told = shared()
    distil_job(job(signal=storage, objective={"kind": "kd", "temperature": 1.0, "alpha": 1.0}), told)
    report = json.loads(told.published["report.json"])
    assert report["signal"]["top_k"] == storage["top_k"]
    assert report["soft_gradient_norm"] > 0


# The folder itself


def records(value: float = 1.0) -> Any:
    return np.full((10, 3), value, np.float32)


def kept(cache: Cache, key: str = KEY, value: float = 1.0, layout: Layout = LAYOUT) -> Entry:
    return cache.entry(key, layout, lambda: [Block(records(value))], lambda: None)


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
    other = cache.entry(KEY, Layout(3, 10), lambda: [Block(np.zeros((3, 10), np.float32))], lambda: None)
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


def test_a_folder_that_cannot_be_made_keeps_nothing(iris: Data, house: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    signal = signal_of(Counting().teacher, iris, run=house(cache=tmp_path / "file"))
    assert torch.equal(signal.logits, Counting().teacher.logits(iris.train))


def test_a_failure_of_the_teacher_leaves_nothing(tmp_path: Path) -> None:
    def half() -> Iterator[Block]:
        yield Block(records()[:5])
        raise Problem("teacher_invalid", "It fell silent.")

    cache = Cache(tmp_path, 10_000)
    with pytest.raises(Problem):
        cache.entry(KEY, LAYOUT, half, lambda: None)
    assert [path.name for path in tmp_path.iterdir()] == ["turns"]


CHILD = """
import sys, time
from pathlib import Path
import numpy as np
from workers.distillation.signals.answers_on_disk import Block, Cache, Layout
folder = Path(sys.argv[1])
def compute():
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
    entry = cache.entry(KEY, LAYOUT, lambda: [Block(records(7.0))], pause)
    victim.stdout.close()
    assert (entry.reused, float(entry.records.mean())) == (False, 7.0)
    (left,) = tmp_path.glob("*.partial")
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
            Cache(tmp_path, 10_000).entry(KEY, LAYOUT, lambda: [Block(records())], stop)
    finally:
        busy.kill()
        busy.communicate()


def test_numbers_of_classes_that_need_more_bits_have_them() -> None:
    wide = Layout(2, 50_000, "float16", 3)
    assert wide.record["indices"].base == np.dtype("<i4")
    assert Layout(2, 1000, "float16", 3).record.itemsize == 12
    block = ask._encode(*thinned(torch.arange(100_000.0).reshape(2, 50_000), 3), wide)
    assert block.records["indices"].tolist() == [[49_999, 49_998, 49_997]] * 2
    sums = np.exp(block.records["values"].astype(np.float32)).sum(1)
    assert sums == pytest.approx([1 - np.exp(-3)] * 2, abs=1e-3)
