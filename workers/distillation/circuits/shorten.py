"""A circuit made shorter, from its text to its report: fit every depth, judge every fit, choose, certify."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit

from qstill.contract.circuits.job import seeded_spec, spec_of
from qstill.contract.circuits.noise.scaled import scaled
from qstill.contract.distillations.circuits.job import ShorteningJob
from qstill.contract.distillations.circuits.report import NoisePoint, ShortCircuit
from qstill.contract.distillations.report.measured import written
from qstill.contract.kinds import CIRCUIT
from workers.circuits.binding import bind
from workers.circuits.diagram.svg import diagram_svg
from workers.circuits.export.openqasm3 import to_openqasm3
from workers.distillation.circuits.break_even import break_even, scales_of
from workers.distillation.circuits.certificate import NAME, certificate, described
from workers.distillation.circuits.choose import chosen
from workers.distillation.circuits.fit import fitted, short_circuit
from workers.distillation.circuits.given import Target, given
from workers.distillation.circuits.judge import Placed, both_given, placed, score
from workers.distillation.circuits.report import Found, report, result
from workers.distillation.report.frame import publish_documents
from workers.distillation.training.keeper import Curve, Keeper, Outcome
from workers.run import Run

JUDGING = "judging"  # what the keeper calls what is done between fits and after them
QASM, PICTURE = "student.qasm", "student.svg"


def shorten(job: ShorteningJob, run: Run) -> dict[str, Any]:
    """Compute a job. Returns a ShorteningResult as JSON; publishes the circuit, its certificate and report.json.

    Raises Problem when the job cannot succeed, Stopped after saving its state.
    """
    keeper = Keeper(job, run)
    whole = given(job, run.threads)
    judge = _Judge(job, whole.target, keeper)
    own, transpiled = both_given(job, whole.circuit)
    own_score, transpiled_score = judge("given", own), judge("transpiled", transpiled)
    students: list[_Student] = []
    fits: dict[int, Curve] = {}
    for layers in job.depths:
        outcome = fitted(job, layers, whole.target, keeper)
        fits[layers] = outcome.curve
        students += [_student(job, layers, restart, outcome, judge) for restart in range(job.training.restarts)]
    told = chosen([each.told for each in students])
    best = next(each for each in students if each.told is told)
    noise = job.evaluation.errors
    as_given, as_short = partial(judge.at, "given", own), partial(judge.at, best.name, best.placed)
    even = None if noise is None else break_even(noise, as_given, as_short)
    found = Found(
        whole=whole,
        own=own,
        own_score=own_score,
        transpiled=transpiled,
        transpiled_score=transpiled_score,
        students=[each.told for each in students],
        chosen=told,
        short=best.placed,
        logical=best.logical,
        fits=fits,
        noise_curve=_curve(judge, own, transpiled, best) if noise is not None else [],
        break_even=even,
        certificate=described(job, best.placed, whole.target, threads=run.threads),
    )
    submitted = _export(job, found, run)
    answer = result(found, certificate=submitted, seconds=keeper.seconds())
    publish_documents({"report.json": written(report(job, found, answer, threads=run.threads))}, run)
    return answer.model_dump(mode="json")


class _Judge:
    """Scores under the noise; each once, also over attempts."""

    def __init__(self, job: ShorteningJob, target: Target, keeper: Keeper) -> None:
        self.noise, self.target, self.keeper = job.evaluation.errors, target, keeper
        self.known: dict[str, float] = keeper.notes.setdefault("judged", {})

    def __call__(self, name: str, circuit: Placed) -> float | None:
        """Under the job's noise; None without. name: of the circuit, in this job. Raises Problem, Stopped."""
        return None if self.noise is None else self.at(name, circuit, 1.0)

    def at(self, name: str, circuit: Placed, scale: float) -> float:
        """At a strength of the noise."""
        assert self.noise is not None
        key = f"{name} {scale!r}"
        if key not in self.known:
            self.keeper.run.progress(phase="noise", done=len(self.known), total=len(self.known) + 1, unit="runs")
            noise = self.noise if scale == 1.0 else scaled(self.noise, scale)
            self.known[key] = score(circuit, self.target, noise, threads=self.keeper.run.threads)
            self.keeper.between_batches(JUDGING, dict)
        return self.known[key]


@dataclass(frozen=True)
class _Student:
    """A fit that was judged. logical: over the qubits as submitted; placed: as it runs."""

    logical: QuantumCircuit
    placed: Placed
    told: ShortCircuit

    @property
    def name(self) -> str:
        return f"{self.told.layers} layers, start {self.told.restart}"


def _student(job: ShorteningJob, layers: int, restart: int, outcome: Outcome, judge: _Judge) -> _Student:
    ansatz = short_circuit(job, layers, judge.target.qubits)
    angles = outcome.weights["angles"][restart].tolist()
    names = [parameter.name for parameter in ansatz.parameters]
    (logical,) = bind(ansatz, [dict(zip(names, angles, strict=True))])
    there = placed(logical, job.evaluation.device, seed=job.training.seed)
    told = ShortCircuit(
        layers=layers,
        restart=restart,
        parameters=len(angles),
        cx_before=there.before.two_qubit_gates,
        cx=there.after.two_qubit_gates,
        depth=there.after.depth,
        swaps=there.swaps,
        fidelity_ideal=float(outcome.weights["scores"][restart]),
        fidelity_noisy=judge(f"{layers} layers, start {restart}", there),
    )
    return _Student(logical, there, told)


def _curve(judge: _Judge, own: Placed, transpiled: Placed, best: _Student) -> list[NoisePoint]:
    assert judge.noise is not None
    circuits = {"given": ("given", own), "transpiled": ("transpiled", transpiled), "short": (best.name, best.placed)}
    return [
        NoisePoint.model_validate(
            {"scale": scale} | {field: judge.at(name, circuit, scale) for field, (name, circuit) in circuits.items()}
        )
        for scale in scales_of(judge.noise)
    ]


def _export(job: ShorteningJob, found: Found, run: Run) -> str:
    """The short circuit as a program, and the job that runs it again, as a file and submitted. Returns its id."""
    said = {"expected": found.certificate.expected, "compares": found.certificate.compares}
    labels = {"given": found.whole.digest, "layers": str(found.chosen.layers)}
    if found.certificate.expected is not None:
        labels["expected"] = f"{found.certificate.expected:.12g}"
    certified = certificate(job, found.short, found.whole.target, labels)
    files = {
        QASM: (to_openqasm3(found.logical), "text/plain", {"format": "openqasm3", **found.chosen.model_dump()}),
        PICTURE: (diagram_svg(found.logical, title="The short circuit"), "image/svg+xml", {"format": "svg"}),
        NAME: (json.dumps(spec_of(certified)), "application/json", {"format": "circuit_job", **said}),
    }
    for name, (content, media_type, meta) in files.items():
        path: Path = run.scratch / name
        path.write_text(content, encoding="utf-8")
        run.publish(path, kind="export", name=name, media_type=media_type, meta=meta)
    assert certified.name is not None
    return run.submit(CIRCUIT, seeded_spec(certified), name=certified.name, labels=certified.labels)
