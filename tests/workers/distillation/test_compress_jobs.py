"""Jobs that set distillation beside pruning and quantisation: their report, their choices, stopping and going on."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.distillations.card import card
from app.distillations.pictures.plots import PLOTS
from qstill.contract.distillations.architectures import BY_KIND, family_of
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.document import read_report
from qstill.contract.distillations.teachers import TrainedTeacher
from tests.testing.refusals import problem_of
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.artifacts.clock import Latency
from workers.distillation.artifacts.student_onnx import onnx_logits
from workers.distillation.compress import judge
from workers.distillation.compress.judge import Made, table, verdict
from workers.distillation.compress.section import refuse_without_network
from workers.distillation.compress.ways import Way, searched_families, ways_of
from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job
from workers.distillation.teachers import trained
from workers.distillation.training.plan import teacher_stage
from workers.run import Stopped

pytestmark = pytest.mark.training

Make = Callable[..., Any]

ASKED: dict[str, Any] = {
    "pruning": [{"kind": "magnitude", "sparsity": 0.9}, {"kind": "structured", "sparsity": 0.5}],
    "quantisation": ["int4_weights"],
    "fine_tune_epochs": 2,
}


def small(**compression: Any) -> DistillationJob:
    return DistillationJob.model_validate(
        {
            "dataset": {"source": "builtin", "name": "digits", "labelled": 100},
            "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [64]}},
            "student": {"architecture": {"kind": "mlp", "hidden": [8]}},
            "training": {"epochs": 3},
            "evaluation": {"seeds": 2},
            "compression": ASKED | compression,
        }
    )


def without_clocks(document: dict[str, Any]) -> str:
    """What a report says apart from how long things took, and from what follows from that."""
    section = document["compression"]
    for each in section["candidates"]:
        del each["latency"]
    del section["at_equal_latency"], section["verdicts"][1], section["student"]["p50_ms"]
    section["notes"] = [note for note in section["notes"] if " ms " not in note]
    for arm in ("teacher", "student", "baseline"):
        del document[arm]["cost"]
    return json.dumps(
        {name: part for name, part in document.items() if name not in ("seconds", "peak_memory_bytes", "signal")}
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    """A job that was not stopped."""
    told = FakeRun(tmp_path_factory.mktemp("whole"))
    distil_job(small(), told)
    return told


def test_a_job_compares_what_it_was_asked_for(whole: FakeRun) -> None:
    job = small()
    document = json.loads(whole.published["report.json"])
    section = document["compression"]
    candidates = {each["name"]: each for each in section["candidates"]}
    assert list(candidates)[:3] == ["student", "baseline", "teacher"]
    searched = [each for each in candidates.values() if each["searched"]]
    student = candidates["student"]

    for each in searched:  # it just fits: less of it gone would not
        assert each["bytes"] <= student["bytes"]
    assert {each["pruning"] for each in searched} == {"magnitude", "structured"}
    assert len(searched) >= 3
    for role in ("student", "baseline"):  # the files answer as the networks that the rest of the report measures
        expected = [seed["accuracy"] for seed in document[role]["runs"]]
        assert candidates[role]["accuracies"] == pytest.approx(expected)
        assert candidates[role]["max_logit_difference"] < 1e-3
    assert len(candidates["teacher-int4_weights"]["accuracies"]) == 1
    assert candidates["teacher-magnitude-0.9"]["multiply_adds"] == candidates["teacher"]["multiply_adds"]
    assert candidates["teacher-structured-0.5"]["multiply_adds"] == 32 * 74
    assert candidates["student"]["multiply_adds"] == 8 * 74
    assert candidates["teacher-magnitude-0.9"]["weights"] <= round(0.1 * 64 * 74) + 74
    assert candidates["teacher-int4_weights"]["bytes"] < 0.3 * candidates["teacher"]["bytes"]

    families = {(each["role"], each["pruning"], each["quantisation"]) for each in candidates.values()}
    for rows in (section["at_equal_bytes"], section["at_equal_latency"]):
        assert len(rows) == len(families)
    for row in section["at_equal_bytes"]:
        assert row["fits"] == (candidates[row["name"]]["bytes"] <= student["bytes"])
    assert not any(name.startswith("pruned") for name in document["curves"])
    files = [(each["bytes"], each["validation_accuracy"]["mean"], each["file"]) for each in section["candidates"]]
    data = load(job.dataset, {})
    for size, accuracy, name in files:
        assert (name is None) == any(
            other <= size and better >= accuracy and (other, better) != (size, accuracy) for other, better, _ in files
        )
        if name is not None:
            answers = onnx_logits(whole.published[name], data.test.raw, 1)
            measured = whole.metas[name]
            assert measured is not None
            assert measured["accuracy"] == float((answers.argmax(1) == data.test.y).double().mean())
            assert len(whole.published[name]) <= size
    assert section["verdicts"][0].startswith(f"At the student's {student['bytes']:,} bytes, distillation ")
    report = read_report(document)
    assert section["verdicts"][0].split(",")[0].replace("'", "\\'") in card(report)
    assert PLOTS["compression"](report).startswith("<svg")


@pytest.mark.slow
def test_a_stop_in_its_middle_changes_nothing(whole: FakeRun, house: Make) -> None:
    def ended(told: Any) -> list[str]:
        return [data["stage"] for kind, data in told.events if kind == "stage" and data["state"] == "ended"]

    job, document = small(), json.loads(whole.published["report.json"])
    first = house(stop=lambda: sum(name.startswith("pruned") for name in ended(first)) == 3)
    with pytest.raises(Stopped):
        distil_job(job, first)
    second = house(resume=first.saved)
    distil_job(job, second)
    assert ended(second)
    assert sorted(ended(first) + ended(second)) == sorted(ended(whole))  # nothing is trained twice
    resumed = json.loads(second.published["report.json"])
    for told in (resumed, document):  # a teacher without a cache is asked again, and the report says so
        told["notes"] = [note for note in told["notes"] if not note.startswith("The teacher was asked")]
    assert without_clocks(resumed) == without_clocks(document)


def test_a_teacher_in_other_inputs_and_another_order_is_made_smaller_as_it_is(house: Make, tmp_path: Any) -> None:
    """Its own standardisation goes into the file, and its logits come in the order of the data's classes."""
    earlier = house()
    distil_job(small(pruning=[]).model_copy(update={"compression": None}), earlier)
    path = tmp_path / "teacher.safetensors"
    path.write_bytes(earlier.published["teacher.safetensors"])
    body = small(pruning=[], quantisation=["int8_dynamic"]).model_dump(mode="json")
    body["dataset"]["standardise"] = "none"
    classes = [str(digit) for digit in reversed(range(10))]  # as if its first answer were a nine
    body["teacher"] = {"source": "file", "file": "file_1", "format": "safetensors", "classes": classes}
    body["teacher"]["accept"] = ["class_order", "teacher_worse_than_chance"]
    told = house(files={"file_1": path})
    distil_job(DistillationJob.model_validate(body), told)
    document = json.loads(told.published["report.json"])
    teacher = next(each for each in document["compression"]["candidates"] if each["name"] == "teacher")
    assert teacher["accuracies"][0] == pytest.approx(document["teacher"]["runs"][0]["accuracy"])
    assert teacher["accuracies"][0] < 0.3
    assert teacher["max_logit_difference"] < 1e-2
    content = (told.scratch / "teacher.onnx").read_bytes()
    data = load(DistillationJob.model_validate(body).dataset, {})
    found = onnx_logits(content, data.test.raw, 1)
    assert float((found.argmax(1) == data.test.y).double().mean()) == pytest.approx(teacher["accuracies"][0])


def test_answers_alone_cannot_be_pruned(house: Make, tmp_path: Any) -> None:
    """A model of the registry may be of any format; which, is known once the job runs."""
    earlier = house()
    body = small().model_dump(mode="json") | {"export": ["onnx"], "compression": None}
    distil_job(DistillationJob.model_validate(body), earlier)
    path = tmp_path / "teacher.onnx"
    path.write_bytes(earlier.published["student-seed-0.onnx"])
    name = f"model_{0:032x}"
    body |= {"teacher": {"source": "model", "model": name}, "export": [], "compression": ASKED}
    told = house(files={name: path}, models={name: {"format": "onnx"}})
    assert problem_of(distil_job, DistillationJob.model_validate(body), told).code == "compression_needs_network"
    assert not told.published


def test_a_teacher_of_a_family_that_does_not_compress_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of the registry may be of any family; which, is known once it was read."""
    job = small()
    assert isinstance(job.teacher, TrainedTeacher)
    mlp, stage = job.teacher.architecture, teacher_stage(job, job.teacher)
    network = stage.begin(load(job.dataset, {}))
    read = replace(trained(network, b""), architecture=mlp)
    refuse_without_network(job, read)
    monkeypatch.setitem(BY_KIND, "mlp", replace(family_of(mlp), compresses=False))
    caught = problem_of(refuse_without_network, job, read)
    assert (caught.code, caught.pointer) == ("compression_unavailable", "/teacher")
    assert caught.ways_out == [{"compression": None}]


def made(way: Way, *, size: int, accuracies: list[float], validation: float, milliseconds: float = 1.0) -> Made:
    latency = Latency(milliseconds, milliseconds, 300)
    return Made(way, size, latency, accuracies, [validation], 1, 1, 0.0, 1.0, rows=1000)


STUDENT = made(Way("student"), size=1000, accuracies=[0.9, 0.92, 0.91], validation=0.9)


def test_validation_rows_choose_and_test_rows_are_told() -> None:
    lucky = made(Way("teacher", "structured", 0.9), size=900, accuracies=[0.99] * 3, validation=0.5)
    chosen = made(Way("teacher", "structured", 0.95), size=800, accuracies=[0.8] * 3, validation=0.6)
    better = made(Way("teacher", "structured", 0.1), size=1001, accuracies=[0.99] * 3, validation=0.99)
    rows = table([STUDENT, lucky, chosen, better], "bytes")
    assert [row.made for row in rows] == [STUDENT, chosen]
    assert rows[1].fits
    assert rows[1].difference is not None
    assert rows[1].difference.mean == pytest.approx(11)
    assert "distillation is 11.00 points above" in verdict(rows, "bytes")


def test_what_does_not_fit_is_told_with_how_much_too_large_it_is() -> None:
    large = made(Way("teacher", quantisation="int4_weights"), size=5000, accuracies=[0.95], validation=0.95)
    rows = table([STUDENT, large], "bytes")
    assert (rows[1].fits, rows[1].times) == (False, 5)
    assert "nothing to compare with: the teacher after int4 weights takes 5 times the bytes" in verdict(rows, "bytes")


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ([0.95, 0.97, 0.96], "distillation did not help: it is 5.00 points below"),
        ([0.95, 0.87, 0.92], "distillation is not told apart from"),
        ([0.5, 0.52, 0.51], "distillation is 40.00 points above"),
    ],
)
def test_the_verdict_follows_the_interval(accuracies: list[float], said: str) -> None:
    rival = made(Way("teacher", "magnitude", 0.9), size=900, accuracies=accuracies, validation=0.9, milliseconds=1.05)
    for budget in ("bytes", "latency"):
        assert said in verdict(table([STUDENT, rival], budget), budget)  # type: ignore[arg-type]


def test_one_seed_decides_nothing_and_slower_than_noise_does_not_fit() -> None:
    student = made(Way("student"), size=1000, accuracies=[0.9], validation=0.9)
    rival = made(Way("teacher"), size=900, accuracies=[0.8], validation=0.9, milliseconds=1.2)
    assert "which one seed does not decide" in verdict(table([student, rival], "bytes"), "bytes")
    assert not table([student, rival], "latency")[1].fits
    assert judge.smaller_still(table([student, rival], "bytes")) is None


def test_every_way_has_a_name_of_its_own_and_combining_makes_more_of_them() -> None:
    asked = small().compression
    assert asked is not None
    ways = ways_of(asked, baseline=True)
    assert len({way.name for way in ways}) == len({way.words for way in ways}) == len(ways)
    alone = ways_of(asked.model_copy(update={"combine": False}), baseline=False)
    assert set(alone) < set(ways)
    assert not any(way.pruning and way.quantisation for way in alone)
    assert len(set(searched_families(asked))) == 4
