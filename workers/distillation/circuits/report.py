"""The result and the report of a circuit made shorter."""

from dataclasses import dataclass

from qiskit import QuantumCircuit

from qstill.contract.circuits.noise.model import Noise
from qstill.contract.distillations.circuits.job import (
    FAITHFUL,
    MEASURES,
    BreakEven,
    ShorteningJob,
    ShorteningResult,
)
from qstill.contract.distillations.circuits.report import (
    Certificate,
    FitPoint,
    GivenCost,
    KeptObservable,
    NoisePoint,
    ShortCircuit,
    ShorteningReport,
)
from workers.distillation.circuits.choose import verdict
from workers.distillation.circuits.given import Given, Reals, digest_of
from workers.distillation.circuits.judge import Placed, mixed_state
from workers.distillation.report.frame import versions
from workers.distillation.training.keeper import Curve


@dataclass(frozen=True)
class Found:
    """All that was found. own, transpiled, short: as they run. logical: the short circuit before compiling."""

    whole: Given
    own: Placed
    own_score: float | None
    transpiled: Placed
    transpiled_score: float | None
    students: list[ShortCircuit]
    chosen: ShortCircuit
    short: Placed
    logical: QuantumCircuit
    fits: dict[int, Curve]
    noise_curve: list[NoisePoint]
    break_even: BreakEven | None
    certificate: Certificate

    @property
    def given_cost(self) -> GivenCost:
        return cost_of(self.own, self.own_score)

    @property
    def transpiled_cost(self) -> GivenCost:
        return cost_of(self.transpiled, self.transpiled_score)


def cost_of(circuit: Placed, fidelity: float | None) -> GivenCost:
    """fidelity: under the noise."""
    before, after = circuit.before, circuit.after
    return GivenCost(
        cx_before=before.two_qubit_gates,
        cx=after.two_qubit_gates,
        depth=after.depth,
        swaps=circuit.swaps,
        fidelity_noisy=fidelity,
    )


def result(found: Found, *, certificate: str, seconds: float) -> ShorteningResult:
    """The few numbers for the job's row. certificate: the id of the job that was submitted."""
    own, transpiled, short = found.given_cost, found.transpiled_cost, found.chosen
    gain, said = verdict(short, own, transpiled)
    noisy = [own.fidelity_noisy, short.fidelity_noisy]
    return ShorteningResult(
        measure=MEASURES[found.whole.target.keep],
        chosen_layers=short.layers,
        cx=[own.cx, short.cx],
        cx_transpiled=transpiled.cx,
        fidelity_ideal=short.fidelity_ideal,
        fidelity_noisy=[each for each in noisy if each is not None] or None,
        fidelity_transpiled=transpiled.fidelity_noisy,
        gain=gain,
        verdict=said,
        break_even=found.break_even,
        certificate=certificate,
        seconds=round(seconds, 3),
    )


def report(job: ShorteningJob, found: Found, answer: ShorteningResult, *, threads: int) -> ShorteningReport:
    """The whole document."""
    return ShorteningReport(
        **dict(answer),
        qubits=found.whole.target.qubits,
        given=found.given_cost,
        transpiled=found.transpiled_cost,
        students=found.students,
        chosen=found.chosen,
        fits={
            str(layers): [FitPoint(step=p.epoch, best=p.validation_score, mean=1 - p.loss) for p in curve]
            for layers, curve in found.fits.items()
        },
        noise_curve=found.noise_curve,
        observables=_observables(job, found, threads),
        certificate_of=found.certificate,
        notes=notes(job, found),
        job=job.model_dump(mode="json"),
        seed=job.training.seed,
        digests={"given": found.whole.digest, "short": digest_of(found.logical)},
        versions=versions("qiskit", "qiskit-aer", "torch", "numpy"),
    )


def _observables(job: ShorteningJob, found: Found, threads: int) -> list[KeptObservable]:
    target, noise = found.whole.target, job.evaluation.errors
    if target.keep != "observables":
        return []

    def values(circuit: Placed, noise: Noise | None) -> Reals:
        return target.expectations(mixed_state(circuit, target, noise, threads=threads))

    nothing = [None] * len(target.values)
    noisy = [nothing if noise is None else values(each, noise) for each in (found.own, found.short)]
    rows = zip(job.dataset.observables, target.values, values(found.short, None), *noisy, strict=True)
    return [
        KeptObservable(name=each.name, given=given, short=short, given_noisy=own, short_noisy=after)
        for each, given, short, own, after in rows
    ]


def notes(job: ShorteningJob, found: Found) -> list[str]:
    """What a reader must know to judge the numbers, in plain words."""
    said = []
    if job.evaluation.errors is not None:
        said += [
            "Every fidelity under noise is of a density matrix, by the compiler, noise and engine of circuit jobs: "
            "nothing was sampled. Wrong readings are no part of it: they come after the state.",
            "The depth was chosen by the fidelity that is reported, which is exact; there is no chance in it that "
            "choosing could have exploited. Another noise may want another depth.",
        ]
        if found.break_even is None:
            said.append(
                "Of this noise there is no weaker and stronger (Kraus operators, or readings alone): no break-even."
            )
    if job.dataset.keep == "state":
        said.append(
            "What is kept is the state that the circuit makes of |0…0⟩; of other states the short one is not it."
        )
    if job.dataset.keep == "observables":
        said.append("What is kept are the named expectation values; states and other values may differ.")
    if job.evaluation.device is None:
        said.append("No device was named: the given circuit ran as it is, the short one and level 3 in u and cx.")
    said.append(
        "The circuits were simulated to be fitted. That is possible for few qubits, where nobody needs a quantum "
        "computer to know the answer: what is saved is the noise of running the circuit, or of what follows it."
    )
    if found.chosen.fidelity_ideal < FAITHFUL:
        said.append(
            f"WARNING: without noise the short circuit keeps {found.chosen.fidelity_ideal:.3f}: under weak noise the "
            "given circuit is the better one."
        )
    best = {each.layers: each.fidelity_ideal for each in sorted(found.students, key=lambda each: each.fidelity_ideal)}
    deepest = max(best)
    if len(best) > 1 and found.chosen.layers == deepest and found.chosen.fidelity_ideal < FAITHFUL:
        said.append(f"The deepest circuit that was tried, {deepest} layers, was chosen: more may be better.")
    return said
