"""Shots made into a model, from a job's body to its report: when the student is given back, and that it is again."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from pydantic import TypeAdapter

from app.distillations.circuits.distribution.card import distribution_card
from app.distillations.circuits.distribution.plots import distribution_plot
from qstill.contract.distillations.circuits.distribution.job import DistributionJob
from qstill.contract.distillations.circuits.distribution.preflight import DistributionPreflight
from qstill.contract.distillations.circuits.distribution.report import DistributionReport
from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.reports import read_any
from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of
from tests.workers.distillation.circuits.interrupted import interrupted, told
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.inspection import inspect
from workers.distillation.jobs import distil_job

pytestmark = pytest.mark.training

House = Callable[..., FakeRun]
JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)
EXAMPLE: dict[str, Any] = DistributionJob.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index,assignment]
SHORT = {"epochs": 30, "batch_size": 64, "learning_rate": 0.01, "patience": 8}
BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'


def job(data: dict[str, Any], *, hidden: list[int] | None = None, **training: Any) -> AnyJob:
    body = {
        "dataset": {"source": "circuit", "keep": "distribution"} | data,
        "student": {"architecture": {"kind": "autoregressive", "hidden": hidden or [16]}},
        "training": SHORT | training,
    }
    return JOBS.validate_json(json.dumps(body))


def done(house: House, wanted: AnyJob, **given: Any) -> tuple[FakeRun, dict[str, Any], DistributionReport]:
    run = house(**given)
    result = distil_job(wanted, run)
    report = read_any(json.loads(run.published["report.json"]))
    assert isinstance(report, DistributionReport)
    return run, result, report


def counts_of(probabilities: Any, shots: int, seed: int) -> dict[str, int]:
    bits = (len(probabilities) - 1).bit_length()
    drawn = np.random.default_rng(seed).multinomial(shots, probabilities)
    return {f"{code:0{bits}b}": int(count) for code, count in enumerate(drawn) if count}


def product(ones: list[float]) -> Any:
    found = np.ones(1)
    for one in ones:
        found = np.concatenate([found * (1 - one), found * one])
    return found


def given_back(run: FakeRun) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run.published["distribution.json"])
    return found


def test_the_example_is_nearer_to_the_exact_distribution_than_its_histogram(house: House, tmp_path: Path) -> None:
    run, result, report = done(house, JOBS.validate_json(json.dumps(EXAMPLE)))
    assert result["returned"] == "student"
    assert result["gain"]["low"] > 0
    assert report.all_shots is not None
    assert report.all_shots.total_variation > 1.8 * result["total_variation"]["student"]
    assert result["nll"]["student"] > report.entropy - 0.2  # type: ignore[operator]
    assert sum(given_back(run)["probabilities"].values()) == pytest.approx(1.0)
    said = distribution_card(report, {})
    assert "Use the STUDENT" in said
    for name in ("curves", "distribution"):
        assert distribution_plot(name, report).startswith("<svg")
    with pytest.raises(Problem):
        distribution_plot("noise", report)
    loaded(run, said, tmp_path)


def loaded(run: FakeRun, card: str, folder: Path) -> None:
    """The card's program, with torch alone, says of keys what the job says."""
    (folder / "student.safetensors").write_bytes(run.published["student.safetensors"])
    program = card.split("```python\n")[1].split("```")[0]
    finished = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    lines = [line.split() for line in finished.stdout.splitlines()]
    assert len(lines) == 5
    said = given_back(run)["probabilities"]
    for key, log in lines:
        assert np.exp(float(log)) == pytest.approx(said[key], rel=1e-4)


def test_a_cat_state_gives_its_histogram_back(house: House) -> None:
    run, result, report = done(house, job({"counts": {"00000000": 520, "11111111": 504}}))
    assert result["returned"] == "histogram"
    assert "held-out NLL" in result["why"]
    assert result["total_variation"] is None
    found = given_back(run)
    assert set(found["probabilities"]) == {"00000000", "11111111"}
    whole = sum(found["probabilities"].values()) + 254 * found["of_each_other_key"]
    assert whole == pytest.approx(1.0)
    assert "Use the HISTOGRAM" in distribution_card(report, {})
    assert distribution_plot("distribution", report).startswith("<svg")


@pytest.mark.parametrize("bits", [4, 10])
def test_shots_without_a_pattern_give_their_histogram_back(house: House, bits: int) -> None:
    _, result, _ = done(house, job({"counts": counts_of(np.full(1 << bits, 0.5**bits), 800, bits)}))
    assert result["returned"] == "histogram"


def test_a_product_of_bits_is_learned_from_few_shots(house: House) -> None:
    exact = product([0.1, 0.3, 0.8, 0.6, 0.2, 0.7, 0.4, 0.9, 0.3, 0.2])
    run, result, report = done(house, job({"counts": counts_of(exact, 400, 3)}))
    assert result["returned"] == "student"
    assert report.gain_over_independent < 0.05
    found = given_back(run)["probabilities"]
    away = sum(abs(found[f"{code:010b}"] - probability) for code, probability in enumerate(exact)) / 2
    assert away < 0.2


def test_noise_and_device_are_those_of_a_circuit_job(house: House) -> None:
    circuit = {"format": "openqasm3", "source": BELL}
    noise = {"model": "depolarizing", "one_qubit": 0.02, "two_qubit": 0.2}
    device = {"coupling_map": {"shape": "line", "qubits": 3}}
    data = {"circuit": circuit, "shots": 400, "noise": noise, "device": device, "held_out": 0.3}
    _, result, report = done(house, job(data))
    _, _, ideal = done(house, job({"circuit": circuit, "shots": 400}))
    assert (result["bits"], result["shots"], report.parts.held_out) == (2, 400, 120)
    exact = {each.key: each.exact for each in report.top}
    assert 0.01 < exact["01"] < 0.2  # type: ignore[operator]
    assert {each.key: each.exact for each in ideal.top} == pytest.approx({"00": 0.5, "11": 0.5})


def test_free_parameters_are_bound(house: House) -> None:
    source = 'OPENQASM 3.0; include "stdgates.inc"; input float a; qubit q; bit c; ry(a) q; c = measure q;'
    data = {"circuit": {"format": "openqasm3", "source": source}, "shots": 300}
    _, _, report = done(house, job(data | {"bindings": {"a": 1.0471975511965976}}))
    assert {each.key: each.exact for each in report.top} == pytest.approx({"0": 0.75, "1": 0.25})
    refused = problem_of(done, house, job(data))
    assert refused.pointer == "/dataset/circuit/source"
    refused = problem_of(done, house, job(data | {"bindings": {"b": 1.0}}))
    assert (refused.pointer or "").startswith("/dataset/bindings")


def test_many_bits_are_sampled_where_they_cannot_be_listed(house: House) -> None:
    draw = np.random.default_rng(4)
    keys = ["".join(map(str, row)) for row in (draw.random((600, 20)) < 0.15).astype(int)]
    counts: dict[str, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    run, result, report = done(house, job({"counts": counts}))
    assert result["returned"] == "student"
    assert sum(given_back(run)["counts"].values()) == 65_536
    assert report.of("student").held_out is None
    with pytest.raises(Problem):
        distribution_plot("distribution", report)


FILES: list[tuple[Any, dict[str, Any]]] = [
    ({"00": 60, "11": 60}, {}),
    ({"counts": {"0 0": 60, "1 1": 60}, "backend": "a machine"}, {}),
    ({"bit_order": "little", "circuits": [{"counts": {"0": 9}}, {"counts": {"00": 60, "11": 60}}]}, {"index": 1}),
]


def from_file(house: House, tmp_path: Path, content: str, **more: Any) -> dict[str, Any]:
    place = tmp_path / "counts.json"
    place.write_text(content)
    return done(house, job({"file": "file_1", **more}, epochs=1), files={"file_1": place})[1]


@pytest.mark.parametrize(("document", "more"), FILES)
def test_a_file_holds_counts(house: House, tmp_path: Path, document: Any, more: dict[str, Any]) -> None:
    result = from_file(house, tmp_path, json.dumps(document), **more)
    assert (result["bits"], result["shots"], result["outcomes"]) == (2, 120, 2)


@pytest.mark.parametrize(
    ("content", "code", "pointer"),
    [
        ("{", "counts_invalid", "/dataset/file"),
        ("[1]", "counts_invalid", "/dataset/file"),
        ('{"0x1": 3}', "counts_invalid", "/dataset/file"),
        ('{"0": 0.5}', "counts_invalid", "/dataset/file"),
        ('{"0": -3}', "counts_invalid", "/dataset/file"),
        ('{"0": 200, "01": 3}', "keys_differ", "/dataset/file"),
        ("{}", "no_counts", "/dataset/file"),
        ('{"0": 40}', "too_few_shots", "/dataset/held_out"),
        ('{"circuits": []}', "no_such_index", "/dataset/index"),
    ],
)
def test_a_file_of_something_else_is_refused(
    house: House, tmp_path: Path, content: str, code: str, pointer: str
) -> None:
    refused = problem_of(from_file, house, tmp_path, content)
    assert (refused.code, refused.pointer) == (code, pointer)


def small() -> AnyJob:
    return job({"circuit": {"format": "openqasm3", "source": BELL}, "shots": 200}, hidden=[4, 3], epochs=5)


def test_the_same_seed_finds_the_same_bits(house: House) -> None:
    assert told(done(house, small())[0]) == told(done(house, small())[0])


def test_given_up_anywhere_it_goes_on_to_the_same_bits(house: House, tmp_path: Path) -> None:
    whole, _, _ = done(house, small())
    run, stops = interrupted(house, small(), tmp_path, looks=6)
    assert stops > 1
    assert told(run) == told(whole)


def test_a_preflight_says_how_much_is_unseen(house: House) -> None:
    question = PreflightQuestion(job=small(), seconds_limit=100.0)
    found = DistributionPreflight.model_validate(inspect(question, house()))
    assert (found.bits, found.shots, found.outcomes) == (2, 200, 2)
    assert "histogram_suffices" in {each.code for each in found.advice}
    again = inspect(PreflightQuestion(job=small(), seconds_limit=1e-6), house())
    assert again["advice"][0]["code"] == "time"


@pytest.mark.parametrize(("bits", "hidden"), [(2, [4]), (20, [6, 5])])
def test_as_onnx_the_student_says_what_its_checkpoint_says(house: House, bits: int, hidden: list[int]) -> None:
    keys = {f"{code:0{bits}b}": 30 + code % 7 for code in range(0, 1 << bits, max(1, (1 << bits) // 13))}
    body = job({"counts": keys}, hidden=hidden, epochs=4)
    run, _, report = done(house, body.model_copy(update={"export": ["onnx"]}))
    told = next(each for each in report.exports if each["name"] == "student.onnx")
    assert told["max_difference"] < 1e-5 * bits
    assert (told["rows"], told["bits"]) == (len(keys), bits)
    session = ort.InferenceSession(run.published["student.onnx"])
    every = np.array([[float(bit) for bit in reversed(key)] for key in keys], dtype=np.float32)
    one_by_one = [session.run(["log_probability"], {"bits": row[None]})[0][0] for row in every]
    together = session.run(["log_probability"], {"bits": every})[0]
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)
    if bits == 2:
        whole = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)
        assert np.exp(session.run(None, {"bits": whole})[0]).sum() == pytest.approx(1, abs=1e-5)
    plain, _, _ = done(house, body)
    assert "student.onnx" not in plain.published
