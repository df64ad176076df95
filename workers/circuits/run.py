"""One circuit job: parse, simulate, publish. `warm()` once per process makes the first job as fast as the others."""

import json
import platform
import resource
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from secrets import randbelow
from time import perf_counter
from typing import Any

import psutil

from app.circuits.admission import check_histogram, check_memory
from app.circuits.formats import JsonCircuit
from app.circuits.histogram import by_frequency
from app.circuits.schemas import MAX_SEED, TOP_OUTCOMES, CircuitJob, CircuitResult, TopOutcome
from workers.circuits.diagram import diagram_svg
from workers.circuits.parse import parse
from workers.circuits.shape import examine
from workers.circuits.simulate import simulate
from workers.run import Run, Stopped

_STEPS = 3  # read, simulated, published


def run(job: CircuitJob, run: Run) -> dict[str, Any]:
    """Simulate the circuit and publish `histogram.json` and `diagram.svg`. Returns a `CircuitResult` as JSON.

    Raises `Problem` where the circuit cannot be read or held, `Stopped` where the job was given up meanwhile.
    """
    start = perf_counter()
    _forget_peak_memory()
    _step(run, 0)
    circuit = parse(job.circuit)
    shape = examine(circuit)
    pointer = "/circuit/qubits" if isinstance(job.circuit, JsonCircuit) else "/circuit/source"
    check_memory(len(shape.active), memory_available=psutil.virtual_memory().available, pointer=pointer)
    check_histogram(job.shots, active=len(shape.active) + shape.branchings, clbits=circuit.num_clbits)
    seed = randbelow(MAX_SEED + 1) if job.seed is None else job.seed
    _step(run, 1)
    sample = simulate(
        circuit,
        shape,
        shots=job.shots,
        seed=seed,
        threads=run.threads,
        between_batches=lambda: _stop_if_asked(run),
    )
    _step(run, 2)
    histogram = {
        "shots": job.shots,
        "counts": sample.counts,
        "clbits": circuit.num_clbits,
        "bit_order": "little",
    }
    _publish(run, json.dumps(histogram), kind="histogram", name="histogram.json", media_type="application/json")
    diagram = diagram_svg(circuit, title=job.name or "Circuit")
    _publish(run, diagram, kind="diagram", name="diagram.svg", media_type="image/svg+xml")
    _step(run, _STEPS)
    top = [
        TopOutcome(key=key, count=count, probability=count / job.shots)
        for key, count in by_frequency(sample.counts)[:TOP_OUTCOMES]
    ]
    return CircuitResult(
        qubits=circuit.num_qubits,
        clbits=circuit.num_clbits,
        shots=job.shots,
        seed=seed,
        method=sample.method,
        why=sample.why,
        exactness=sample.exactness,
        outcomes=len(sample.counts),
        top=top,
        depth=circuit.depth(),
        gate_counts=dict(circuit.count_ops()),
        seconds=perf_counter() - start,
        peak_memory_bytes=_peak_memory(),
        versions=_versions(),
        bit_order="little",
    ).model_dump(mode="json")


def warm() -> None:
    """Import and build what every job needs: the pass manager, the simulator, the parsers. About a second."""
    programs = [
        {"format": "json", "qubits": 2, "operations": [{"gate": "h", "target": 0}]},
        {"format": "openqasm3", "source": "OPENQASM 3.0; qubit[2] q; bit c; if (c) { reset q[0]; } c = measure q[1];"},
        {"format": "openqasm2", "source": 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; h q[0];'},
    ]
    for program in programs:
        job = CircuitJob.model_validate({"circuit": program})
        circuit = parse(job.circuit)
        simulate(circuit, examine(circuit), shots=1, seed=0, threads=1)
        diagram_svg(circuit)
    _versions()


def _step(run: Run, done: int) -> None:
    _stop_if_asked(run)
    run.progress(phase="circuit", done=done, total=_STEPS, unit="steps")


def _stop_if_asked(run: Run) -> None:
    if run.stop_requested():
        raise Stopped


def _publish(run: Run, text: str, *, kind: str, name: str, media_type: str) -> None:
    path = run.scratch / name
    path.write_text(text, encoding="utf-8")
    run.publish(path, kind=kind, name=name, media_type=media_type)


@lru_cache(1)
def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("qstill", "qiskit", "qiskit-aer", "numpy")}
    return {"python": platform.python_version(), **packages}


def _forget_peak_memory() -> None:
    """Start the kernel's high-water mark anew; a warm process would report an earlier job's."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return  # not Linux, or not allowed: the mark stays that of the whole process


def _peak_memory() -> int:
    """Bytes of resident memory at the highest, since it was last forgotten."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
