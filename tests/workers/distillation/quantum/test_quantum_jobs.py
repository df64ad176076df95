"""A quantum student's report stands it beside simpler ones, on the same lesson, and where it would run."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import Preflight, PreflightQuestion
from qstill.contract.distillations.report.document import DistillationReport
from tests.testing.refusals import problem_of
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.distil import load_data
from workers.distillation.jobs import distil_job
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.families import build
from workers.distillation.preflight.look import preflight
from workers.distillation.quantum import judge
from workers.distillation.quantum.controls import control_stages
from workers.distillation.training.plan import student_stages
from workers.run import Stopped

pytestmark = pytest.mark.training

Make = Callable[..., Any]
STUDENT = {"architecture": {"kind": "quantum", "qubits": 2, "layers": 2, "encoding": {"kind": "amplitude"}}}
QUANTUM = {
    "shots": [16, 4096],
    "noise": {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.05},
    "rows": 16,
    "calibration_rows": 8,
}


def small(job: Make, **evaluation: Any) -> DistillationJob:
    made: DistillationJob = job(student=STUDENT, training={"epochs": 8, "learning_rate": 0.1}, evaluation=evaluation)
    return made


def reported(told: FakeRun) -> DistillationReport:
    return DistillationReport.model_validate(json.loads(told.published["report.json"]))


def test_every_control_learns_the_same_lesson_from_the_same_seeds(job: Make, house: Make) -> None:
    asked, told = small(job, quantum=QUANTUM), house()
    distil_job(asked, told)
    section = reported(told).quantum
    assert section is not None
    assert list(section.controls) == ["frozen", "no_entanglement", "same_size_mlp", "linear"]
    for name, arm in section.controls.items():
        assert {f"{name}-seed-{seed}.safetensors" for seed in (0, 1)} <= told.published.keys()
        assert told.metas[f"{name}-seed-0.safetensors"]["role"] == "control"
        points = 100 * (reported(told).student.summary["accuracy"].mean - arm.summary["accuracy"].mean)
        assert arm.student_minus_control.points == pytest.approx(points)
    advantage = section.advantage
    assert advantage is not None
    assert {*advantage.over, *advantage.not_over} == section.controls.keys()
    assert advantage.shown == ({"same_size_mlp", "linear"} <= {*advantage.over})
    reach = section.nature.expressibility
    assert reach is not None
    assert len(reach.gradient_variance) == 2 * 2 * 2
    assert section.nature.model_dump(exclude={"expressibility"}) == {
        "entangles": True,
        "one_matrix": True,
        "frequencies": None,
        "simulated_by": "statevector",
        "simulation_bytes": 64,
    }
    engine = section.engine
    assert engine is not None
    networks = ["student", "baseline", "frozen", "no_entanglement"]
    expected = [(name, strength, shots) for name in networks for strength in (0, 1) for shots in (16, 4096, None)]
    assert [(each.network, each.strength, each.shots) for each in engine.curve] == expected
    assert not [each for each in engine.curve if each.mitigated is not None]
    (exact,) = [each for each in engine.curve if (each.network, each.strength, each.shots) == ("student", 0, None)]
    assert exact.value == exact.calibrated == engine.simulated
    assert len(engine.gains) == 2
    assert all(gain > 1 for gain in engine.gains)


@pytest.mark.parametrize(
    ("mitigation", "circuits"), [({"kind": "zne"}, (3, 0)), ({"kind": "clifford_gains", "variants": 4}, (1, 4))]
)
def test_strengths_of_the_noise_and_mitigation_stand_beside(
    job: Make, house: Make, mitigation: Any, circuits: tuple[int, int]
) -> None:
    told = house()
    quantum = QUANTUM | {"noise_scales": [2.0, 0.5], "mitigation": mitigation, "shots": [256]}
    distil_job(small(job, quantum=quantum, controls=False, baseline=False), told)
    section = reported(told).quantum
    assert section is not None
    engine = section.engine
    assert engine is not None
    assert [(each.strength, each.shots) for each in engine.curve] == [
        (strength, shots) for strength in (0, 0.5, 1, 2) for shots in (256, None)
    ]
    assert [each.mitigated is not None for each in engine.curve] == [each.noisy for each in engine.curve]
    found = engine.mitigation
    assert found is not None
    assert (found.circuits_per_row, found.circuits_before) == circuits
    now = next(each for each in engine.curve if (each.strength, each.shots) == (1, 256))
    assert now.mitigated is not None
    assert ("raw" in found.over) == (now.mitigated > now.value)
    assert ("calibrated" in found.over) == (now.mitigated > now.calibrated)
    warned = [each for each in reported(told).warnings if "mitigation of the student did not help" in each]
    assert bool(warned) == (not found.over)


def test_an_mlp_of_the_same_size_has_about_as_many_weights(job: Make, house: Make) -> None:
    asked = small(job)
    data = load_data(asked, house())
    students = [student for student, _ in student_stages(asked)]
    stages = control_stages(asked, students, data)
    mlp, wanted = (parameters(stage.begin(data)) for stage in (stages["same_size_mlp"][0], students[0]))
    assert abs(mlp - wanted) <= 4 + 1 + 3
    assert [stage.seed for stage in stages["linear"]] == [stage.seed for stage in students]


def test_a_job_that_wants_no_controls_gets_none(job: Make, house: Make) -> None:
    told = house()
    distil_job(small(job, controls=False), told)
    section = reported(told).quantum
    assert section is not None
    assert (section.controls, section.advantage, section.engine) == ({}, None, None)
    assert not [name for name in told.published if name.startswith(("frozen", "linear"))]


def test_another_student_has_no_such_section(job: Make, house: Make) -> None:
    told = house()
    distil_job(job(training={"epochs": 1}), told)
    assert reported(told).quantum is None


def test_an_attempt_that_goes_on_reads_no_circuit_twice(
    job: Make, house: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, whole = small(job, quantum=QUANTUM), house()
    distil_job(asked, whole)
    stop_at, asked_again, first = 3, [], None
    real = judge.distributions_of

    def counted(*given: Any) -> Any:
        if len(asked_again) == stop_at and first is None:
            raise Stopped
        asked_again.append(given)
        return real(*given)

    monkeypatch.setattr(judge, "distributions_of", counted)
    first_half = house()
    with pytest.raises(Stopped):
        distil_job(asked, first_half)
    first = first_half
    rest = house(resume=first_half.saved)
    distil_job(asked, rest)
    assert len(asked_again) == 8
    assert reported(rest).quantum == reported(whole).quantum


@pytest.mark.parametrize(
    ("qubits", "device", "code"),
    [(11, None, "too_many_qubits"), (4, {"coupling_map": {"shape": "line", "qubits": 3}}, "too_few_device_qubits")],
)
def test_what_the_engine_cannot_run_is_refused_before_anything_is_trained(
    job: Make, house: Make, qubits: int, device: Any, code: str
) -> None:
    student = {"architecture": {"kind": "quantum", "qubits": qubits, "layers": 1}}
    told = house()
    refused = problem_of(distil_job, job(student=student, evaluation={"quantum": QUANTUM | {"device": device}}), told)
    assert (refused.code, refused.pointer) == (code, "/evaluation/quantum/device/coupling_map")
    assert (told.published, told.progressed) == ({}, [])


@pytest.mark.parametrize(("qubits", "layers", "again"), [(4, 2, False), (8, 3, False), (3, 2, True)])
def test_states_that_are_kept_for_gradients_are_counted(qubits: int, layers: int, again: bool) -> None:
    architecture = {
        "kind": "quantum", "qubits": qubits, "layers": layers, "encoding": {"kind": "angle", "upload_again": again}
    }  # fmt: skip
    network = build(TypeAdapter(Architecture).validate_python(architecture), (qubits,), 3, seed=0, pointer="")
    assert isinstance(network, CircuitNetwork)
    own = network.circuit.steps * 10 * 8 << qubits
    if qubits != 4:
        assert network.states_kept(10) == (2 * own if again else own)
        return
    (turned, factor, whole, passed, _) = network.means(torch.rand(10, qubits)).grad_fn.next_functions[0][0].kept
    held = sum(each.nbytes for each in (turned, factor, whole, *passed))
    assert held <= network.states_kept(10) <= 6 * held


def test_a_preflight_counts_the_engines_time_and_memory(job: Make, house: Make) -> None:
    def looked(quantum: Any) -> Preflight:
        asked = small(job, quantum=quantum)
        question = PreflightQuestion(job=asked, seconds_limit=600)
        return Preflight.model_validate(preflight(asked, question, house()))

    without, plain = looked(None), looked(QUANTUM)
    assert (without.time.engine.expected, without.memory.engine) == (0, 0)
    assert plain.time.engine.expected > 0
    assert plain.time.total.expected >= plain.time.engine.expected
    rows = 16 + 8
    kept = 8 * 4 * 2 * rows * (1 << 2)  # networks, with noise and without
    assert plain.memory.engine == kept + 16 * 16 * (1 << 4)
    more = looked(QUANTUM | {"noise_scales": [2.0], "mitigation": {"kind": "zne"}})
    assert more.memory.engine == plain.memory.engine + 8 * 4 * (rows + 2 * 2 * 16) * (1 << 2)
    gains = looked(QUANTUM | {"mitigation": {"kind": "clifford_gains", "variants": 4}})
    assert gains.memory.engine == plain.memory.engine + 8 * 4 * 2 * 4 * (1 << 2)
