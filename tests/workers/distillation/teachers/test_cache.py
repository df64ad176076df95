"""What a teacher said is computed once, found again with the same bits, and never believed when it is damaged."""

import json
from collections.abc import Callable
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
from qstill.contract.distillations.teachers.storage import Storage
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import Data, load
from workers.distillation.jobs import distil_job
from workers.distillation.networks import answers
from workers.distillation.rows import Rows
from workers.distillation.signals.answers_on_disk import Layout
from workers.distillation.signals.sparse import thinned
from workers.distillation.teachers import Teacher, answers_of, ask, signal_and_use, signal_of
from workers.run import Stopped

Make = Callable[..., Any]

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
    signal = signal_of(asked.teacher, iris, run=shared())
    assert asked.rows == len(iris.train.y), "what was kept of them is not asked again"
    assert torch.equal(signal.logits, signal_of(Counting().teacher, iris).logits)


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


def test_a_folder_that_cannot_be_made_keeps_nothing(iris: Data, house: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    signal = signal_of(Counting().teacher, iris, run=house(cache=tmp_path / "file"))
    assert torch.equal(signal.logits, Counting().teacher.logits(iris.train))


def test_numbers_of_classes_that_need_more_bits_have_them() -> None:
    wide = Layout(2, 50_000, "float16", 3)
    assert wide.record["indices"].base == np.dtype("<i4")
    assert Layout(2, 1000, "float16", 3).record.itemsize == 12
    block = ask._encode(*thinned(torch.arange(100_000.0).reshape(2, 50_000), 3), wide)
    assert block.records["indices"].tolist() == [[49_999, 49_998, 49_997]] * 2
    sums = np.exp(block.records["values"].astype(np.float32)).sum(1)
    assert sums == pytest.approx([1 - np.exp(-3)] * 2, abs=1e-3)
