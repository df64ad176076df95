"""The shape of Cirq's JSON: a circuit of moments of operations on qubits, in types that Cirq knows.

What a gate's numbers say, what refers to what, and which of Cirq's types are simulated here is left to the worker.
"""

from collections.abc import Iterator
from typing import Any, NoReturn

from qstill.contract.circuits.cirq.text import QUBITS
from qstill.contract.circuits.source_text import SOURCE
from qstill.contract.errors import Problem

Path = tuple[str | int, ...]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Cirq's, and those of its IonQ package. Other packages' names have a point in them.
GATES = _words(
    """
    _InverseCompositeGate _PauliX _PauliY _PauliZ AmplitudeDampingChannel AsymmetricDepolarizingChannel
    BitFlipChannel BooleanHamiltonianGate CCNotPowGate CCXPowGate CCYPowGate CCZPowGate CliffordGate CNotPowGate
    ControlledGate CSwapGate CXPowGate CYPowGate CZPowGate DensePauliString DepolarizingChannel DiagonalGate
    FSimGate GeneralizedAmplitudeDampingChannel GlobalPhaseGate GPI2Gate GPIGate HPowGate IdentityGate
    ISwapPowGate KrausChannel MatrixGate MeasurementGate MixedUnitaryChannel MSGate MutableDensePauliString
    ParallelGate PauliInteractionGate PauliMeasurementGate PauliStringPhasorGate PhaseDampingChannel
    PhasedFSimGate PhasedISwapPowGate PhasedXPowGate PhasedXZGate PhaseFlipChannel PhaseGradientGate QasmUGate
    QuantumFourierTransformGate QubitPermutationGate RandomGateChannel ResetChannel Rx Ry Rz
    SingleQubitCliffordGate SingleQubitMatrixGate StatePreparationChannel SwapPowGate ThreeQubitDiagonalGate
    TwoQubitDiagonalGate TwoQubitMatrixGate UniformSuperpositionGate WaitGate XPowGate XXPowGate YPowGate
    YYPowGate ZPowGate ZZGate ZZPowGate
    """
)
OPERATIONS = _words(
    """
    BooleanHamiltonian CircuitOperation ClassicallyControlledOperation ControlledOperation GateOperation
    GlobalPhaseOperation IdentityOperation MutablePauliString ParallelGateOperation PauliString
    PauliStringPhasor SingleQubitPauliStringGateOperation TaggedOperation
    """
)
_WRAPPING = frozenset(("TaggedOperation", "ControlledOperation", "ClassicallyControlledOperation"))
_CIRCUITS = ("Circuit", "FrozenCircuit")


def check_cirq_shape(whole: dict[str, Any], *, text: bool) -> None:
    """Raise `Problem` for what no reader of Cirq's JSON could take, with the place of it.

    text: it was submitted as a string, into which no pointer leads.
    """
    try:
        waiting: list[tuple[Any, Path]] = [(whole, ())]
        while waiting:
            circuit, path = waiting.pop()
            waiting += _circuit(circuit, path)
    except _Fault as fault:
        pointer = "".join(f"/{step}" for step in fault.path)
        if text:
            raise Problem(fault.code, f"At {pointer or 'the top'}: {fault.message}", pointer=SOURCE) from None
        raise Problem(fault.code, fault.message, pointer=SOURCE + pointer) from None


class _Fault(Exception):
    def __init__(self, message: str, path: Path, code: str = "cirq_invalid") -> None:
        super().__init__(message)
        self.message, self.path, self.code = message, path, code


def _circuit(circuit: Any, path: Path) -> Iterator[tuple[Any, Path]]:
    """Look at a circuit's operations; yields the circuits in them."""
    kind = _kind(circuit, path)
    if kind == "REF":
        return
    if kind == "VAL":
        circuit, path = _field(circuit, "val", dict, path), (*path, "val")
        kind = _kind(circuit, path)
    if kind not in _CIRCUITS:
        _unknown(kind, path)
    for number, moment in enumerate(_field(circuit, "moments", list, path)):
        at = (*path, "moments", number)
        if _kind(moment, at) != "Moment":
            raise _Fault("A circuit is a list of moments.", at)
        for index, operation in enumerate(_field(moment, "operations", list, at)):
            yield from _operation(operation, (*at, "operations", index))


def _operation(operation: Any, path: Path) -> Iterator[tuple[Any, Path]]:
    while (kind := _kind(operation, path)) in _WRAPPING:
        if kind == "ControlledOperation":
            _qubits(operation, "controls", path)
        operation, path = _field(operation, "sub_operation", dict, path), (*path, "sub_operation")
    if kind == "CircuitOperation":
        yield _field(operation, "circuit", dict, path), (*path, "circuit")
    elif kind == "GateOperation":
        gate = _field(operation, "gate", dict, path)
        name = _kind(gate, (*path, "gate"))
        if name not in GATES and "." not in name:
            _unknown(name, (*path, "gate"))
        _qubits(operation, "qubits", path)
    elif kind not in OPERATIONS and "." not in kind:
        _unknown(kind, path)


def _qubits(operation: dict[str, Any], name: str, path: Path) -> None:
    for index, qubit in enumerate(_field(operation, name, list, path)):
        at = (*path, name, index)
        kind = _kind(qubit, at)
        if kind not in QUBITS:
            raise _Fault(f"{kind[:99]!r} is no qubit; known: {', '.join(QUBITS)}.", at, "cirq_unsupported")
        for place in QUBITS[kind]:
            _field(qubit, place, str if place == "name" else int, at)


def _kind(value: Any, path: Path) -> str:
    if not isinstance(value, dict):
        raise _Fault("This must be an object.", path)
    found: str = _field(value, "cirq_type", str, path)
    return found


def _field(value: dict[str, Any], name: str, kind: type, path: Path) -> Any:
    found = value.get(name)
    if not isinstance(found, kind) or isinstance(found, bool):
        what = {dict: "an object", list: "a list", str: "a string", int: "an integer"}[kind]
        raise _Fault(f"`{name}` must be {what}.", (*path, name))
    return found


def _unknown(kind: str, path: Path) -> NoReturn:
    raise _Fault(f"{kind[:99]!r} is not supported here.", path, "cirq_unsupported")
