"""What came of a job, in one sentence: for a list of jobs, a page's first line, a notification."""

from collections.abc import Mapping
from typing import Any

from qstill.contract.distillations.measures.measure import measure_of
from qstill.contract.kinds import CIRCUIT, DISTILLATION, SWEEP
from qstill.contract.status import Status

Document = Mapping[str, Any]

HELPED = {
    "BEATS": "Distillation helped",
    "NO BEATS": "Distillation did not help",
    "INCONCLUSIVE": "Not decided whether distillation helped",
}
EXPECTATIONS = 2  # of how many observables a line has room to tell


def headline(kind: str, status: str, result: Document | None, error: Document | None) -> str | None:
    """None while there is nothing to say. result, error: as a job's view has them."""
    if status == Status.FAILED:
        return None if error is None else str(error.get("title", error.get("code")))
    if status != Status.SUCCEEDED or result is None:
        return None
    told = {CIRCUIT.name: _circuit, DISTILLATION.name: _distillation, SWEEP.name: _sweep}.get(kind)
    try:
        return None if told is None else told(result)
    except (KeyError, IndexError, TypeError, ValueError):  # an earlier version wrote a result that has not all this
        return None


def _circuit(result: Document) -> str:
    if "circuits" in result:
        return f"{result['circuits']:,} circuits of {result['shots']:,} shots"
    if answer := result.get("answer"):
        return str(answer["summary"])
    if found := result.get("expectations"):
        said = [f"⟨{each.get('name') or number}⟩ = {each['value']:.4g}" for number, each in enumerate(found)]
        return ", ".join(said[:EXPECTATIONS]) + (f" and {len(said) - EXPECTATIONS} more" * (len(said) > EXPECTATIONS))
    if top := result.get("top"):
        return f"{top[0]['key']} in {top[0]['probability']:.1%} of {result['shots']:,} shots"
    return f"{result['qubits']} qubits, simulated exactly"


def _distillation(result: Document) -> str:
    if "returned" in result:  # of shots
        return f"The {result['returned']} is given back: {result['why']}"
    if "chosen_layers" in result:  # of a circuit
        said = str(result["verdict"])
        return said[0].upper() + said[1:]
    return _compared(result)


def _sweep(result: Document) -> str:
    best = result["best"]
    setting = ", ".join(f"{path.rpartition('/')[2]} {value}" for path, value in best["setting"].items())
    return f"Best of {result['trials']}: {setting}. {_compared(result)}"


def _compared(result: Document) -> str:
    """The student beside the same student without a teacher, and the interval of the difference."""
    measure = measure_of(result["measure"])
    student, baseline, gain = (result[name] for name in ("student", "baseline", "gain"))
    if baseline is None or gain is None:
        return f"{measure.formatted(student['mean'])} test {measure.said}; not compared with the same student untaught"
    form = "+.1f" if measure.is_share else "+.3g"
    interval = "" if gain["low"] is None else f", 95 % [{gain['low']:{form}}, {gain['high']:{form}}]"
    return (
        f"{HELPED[result['verdict']]}: {measure.formatted(student['mean'])} test {measure.said} against "
        f"{measure.formatted(baseline['mean'])} without a teacher ({gain['points']:{form}}{interval})"
    )
