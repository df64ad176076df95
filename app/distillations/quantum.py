"""A quantum student for people: its part of the card, and the picture of what shots and noise leave of it."""

from collections.abc import Iterable, Sequence

from app.distillations.markdown import spread, table
from app.web.axes import WIDTH, Axis, axes, close_logarithmic, drawn, heading, linear, wide
from app.web.drawing import MUTED, Box, Dot, Line, Mark, Path, Text
from qstill.contract.distillations.measures.measure import Measure
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.distillations.report.quantum import CLASSICAL, IN_WORDS, Judged, OnEngine, QuantumSection
from qstill.contract.errors import Problem

COLOURS = {
    "student": "#2f5fb3",
    "teacher": "#616e7c",
    "baseline": "#c27d12",
    "frozen": "#8a4fa3",
    "no_entanglement": "#2f8f83",
}
NAMES = {
    "student": "student",
    "teacher": "teacher",
    "baseline": "without a teacher",
    "frozen": "frozen",
    "no_entanglement": "not entangled",
}
CHART_BOTTOM = 400.0
ALL_SHOTS = WIDTH - 84.0  # where infinitely many stand


def shots(report: DistillationReport) -> str:
    """The calibrated measure over the shots of a row, a line for each circuit; at the right that of all shots."""
    engine = None if report.quantum is None else report.quantum.engine
    if report.quantum is None or engine is None:
        raise Problem("nothing_to_draw", "The job ran no quantum student on the circuit engine.", status=404)
    measure = report.by
    simple = {name: report.quantum.controls[name] for name in CLASSICAL if name in report.quantum.controls}
    lines = {name: arm.summary[measure.name].mean for name, arm in simple.items()}
    shown = [each for each in engine.curve if each.strength in (0.0, 1.0)]
    values = [each.calibrated for each in shown] + list(lines.values())
    counted = [float(each.shots) for each in engine.curve if each.shots is not None]
    across = close_logarithmic(counted, 72, WIDTH - 128)
    up = linear(wide(values) if measure.is_share else values, CHART_BOTTOM, 116, least=measure.least)
    noisy = any(each.strength for each in shown)
    said = "Full lines under the job's noise, dashed ones without." if noisy else "Without noise."
    marks = heading(f"{measure.heading} over shots", f"{said} Calibrated by {engine.calibration_rows} rows.")
    networks = list(dict.fromkeys(each.network for each in engine.curve))
    for place, name in enumerate(networks):
        x = 72.0 + 136 * place
        marks += [Box(x, 67, 14, 4, COLOURS[name]), Text(x + 20, 73, NAMES[name], 11, "start")]
    marks += axes(across, up, "Shots of a row", f"{measure.heading} on {engine.rows} rows", percent=measure.is_share)
    marks.append(Text(ALL_SHOTS, CHART_BOTTOM + 17, "all", 11, colour=MUTED))
    for name, value in lines.items():
        marks.append(Line(across.start, up(value), ALL_SHOTS, up(value), MUTED, 1))
        words = f"{IN_WORDS[name]}, on all test rows: {measure.formatted(value)}"
        marks.append(Text(across.start + 6, up(value) - 4, words, 11, "start"))
    for name in networks:
        for strength in {each.strength for each in shown}:
            marks += _line(_of(engine, name, strength), across, up, dashed=noisy and not strength)
    told = [f"{NAMES[name]} {measure.formatted(_of(engine, name, float(noisy))[-1].calibrated)}" for name in networks]
    return drawn(456, f"{measure.heading} over shots", f"With all shots: {', '.join(told)}.", marks)


def _of(engine: OnEngine, network: str, strength: float) -> list[Judged]:
    """Its points, from few shots to infinitely many."""
    found = [each for each in engine.curve if (each.network, each.strength) == (network, strength)]
    return sorted(found, key=lambda each: float("inf") if each.shots is None else each.shots)


def _line(points: Sequence[Judged], across: Axis, up: Axis, *, dashed: bool) -> list[Mark]:
    """Its line through the shots, and its dots; infinitely many stand at the right of the axis."""
    name = points[0].network
    marks: list[Mark] = []
    line = []
    for each in points:
        x = ALL_SHOTS if each.shots is None else across(each.shots)
        words = f"{NAMES[name]}, {'all' if each.shots is None else f'{each.shots:,}'} shots: {each.calibrated:.4g}"
        marks.append(Dot(x, up(each.calibrated), COLOURS[name], f"{words}, uncalibrated {each.value:.4g}", 3))
        line.append((x, up(each.calibrated)))
    return [Path(line, COLOURS[name], dashes="5 3" if dashed else ""), *marks]


def quantum_card(report: DistillationReport) -> Iterable[str]:
    """Nothing for other students."""
    section, measure = report.quantum, report.by
    if section is None:
        return
    yield "## What is quantum in it"
    nature = section.nature
    said = ["It joins its qubits." if nature.entangles else "It joins no qubits: each is simulated by itself."]
    if nature.one_matrix:
        said.append("A row enters once, so that the trained circuit is one fixed matrix.")
    if nature.frequencies is not None:
        said.append(f"Its answers are Fourier series of the encoded angles, up to frequency {nature.frequencies}.")
    said.append(f"It is simulated exactly as a {nature.simulated_by} of {nature.simulation_bytes:,} bytes.")
    if (reach := nature.expressibility) is not None:
        floor = f"{reach.floor:.2g} of random states"
        said.append(f"Its states are {reach.divergence:.3g} nats from evenly spread ones, and {floor} (1905.10876).")
        said.append(f"Of its {len(reach.gradient_variance)} angles, {len(reach.dead)} change nothing that is read.")
    yield " ".join(said)
    if section.advantage is not None:
        yield f"**Advantage: {section.advantage.sentence}.**"
        header = ("The same lesson, learned by", f"Test {measure.said}", "Student minus this, points", "Weights")
        yield table(header, _controls(section, report))
    if section.engine is not None:
        engine = section.engine
        yield (
            f"On the circuit engine, {engine.rows} test rows; in brackets after a gain for each observable, fitted on "
            f"{engine.calibration_rows} training rows{', and after error mitigation' if engine.mitigation else ''}:"
        )
        shots = list(dict.fromkeys(each.shots for each in engine.curve))
        yield table(("", *(_shots(count) for count in shots)), _engine(engine, shots, measure))
        if engine.mitigation is not None:
            found = engine.mitigation
            before = f", and {found.circuits_before} once" if found.circuits_before else ""
            yield (
                f"Error mitigation ({found.kind}) {found.sentence}. It takes {found.circuits_per_row} circuits for a "
                f"row in place of {engine.bases}{before}."
            )
        yield f"Gains under the noise: {', '.join(f'{gain:.3g}' for gain in engine.gains)}."


def _controls(section: QuantumSection, report: DistillationReport) -> Iterable[Sequence[str]]:
    name, percent = report.by.name, report.by.is_share
    for control, arm in section.controls.items():
        beside = arm.student_minus_control
        change = f"{beside.points:+.2f}"
        if beside.low is not None and beside.high is not None:
            change += f" ({beside.low:+.2f} to {beside.high:+.2f})"
        yield IN_WORDS[control], spread(arm.summary[name], percent=percent), change, f"{arm.parameters:,}"


def _engine(engine: OnEngine, shots: Sequence[int | None], measure: Measure) -> Iterable[Sequence[str]]:
    found = {(each.network, each.strength, each.shots): each for each in engine.curve}
    for network, strength in dict.fromkeys((each.network, each.strength) for each in engine.curve):
        told = [_judged(found[network, strength, count], measure) for count in shots]
        times = "noisy" if strength == 1 else f"{strength:g} times the noise" if strength else "ideal"
        yield f"{NAMES[network]}, {times}", *told


def _judged(one: Judged, measure: Measure) -> str:
    better = [one.calibrated] if one.mitigated is None else [one.calibrated, one.mitigated]
    return f"{measure.formatted(one.value)} ({', '.join(measure.formatted(value) for value in better)})"


def _shots(count: int | None) -> str:
    return "all shots" if count is None else f"{count:,} shots"
