"""A circuit compiled for a device: its gates only, and two-qubit gates only between coupled qubits."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import (
    BreakLoopOp,
    ContinueLoopOp,
    ForLoopOp,
    Gate,
    IfElseOp,
    Instruction,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.exceptions import QiskitError
from qiskit.transpiler import CouplingMap, Target, generate_preset_pass_manager

from qstill.contract.circuits.device import Device
from qstill.contract.errors import Problem
from workers.circuits.channels import KRAUS
from workers.circuits.classical import computes
from workers.circuits.examine.shape import depth_of

_ALWAYS = ("measure", "reset", "delay")
_CONTROL_FLOW = {
    "if_else": IfElseOp,
    "for_loop": ForLoopOp,
    "while_loop": WhileLoopOp,
    "switch_case": SwitchCaseOp,
    "break_loop": BreakLoopOp,
    "continue_loop": ContinueLoopOp,
}
_ROUTING = {"SabreLayout", "SabreSwap", "BasicSwap"}  # the passes that insert swaps


@dataclass(frozen=True, slots=True)
class Figures:
    """depth: layers. two_qubit_gates: gates on two qubits or more, those in branches included."""

    depth: int
    two_qubit_gates: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """circuit: over the device's qubits, measured into the same clbits; before, after: what compiling changed.

    swaps: how many were inserted to bring qubits together.
    initial_layout, final_layout: the device's qubit of each qubit of the submitted circuit when it starts and when it
    ends; -1 for one that nothing acts on and that has no place.
    """

    circuit: QuantumCircuit
    before: Figures
    after: Figures
    swaps: int
    initial_layout: tuple[int, ...]
    final_layout: tuple[int, ...]


def compile_for(circuit: QuantumCircuit, device: Device, *, seed: int) -> Compiled:
    """The circuit in the device's gates on the device's qubits. Raises `Problem`.

    seed: for what is left to chance, unless the device names its own.
    """
    if computes(circuit):
        message = "A program that computes with what it measures is not compiled for a device."
        raise Problem("cannot_compile", message, pointer="/device")
    used = _used(circuit)
    if device.qubits is not None and len(used) > device.qubits:
        raise Problem(
            "too_few_device_qubits",
            f"The circuit uses {len(used):,} qubits; the device has {device.qubits:,}.",
            pointer="/device/coupling_map",
        )
    if device.qubits is None:
        source, used = circuit, list(range(circuit.num_qubits))
    else:
        source = _only(circuit, used)
    seed = (seed if device.seed is None else device.seed) % 2**31  # the routing's seed is a signed 32-bit number
    compiled, swaps = _run(source, device, seed)
    initial, final = _layouts(circuit, used, compiled)
    return Compiled(compiled, figures(source), figures(compiled), swaps, initial, final)


def _run(source: QuantumCircuit, device: Device, seed: int) -> tuple[QuantumCircuit, int]:
    """The compiled circuit, and how many swaps its routing inserted."""
    pass_manager = _pass_manager(_target_key(device), device.optimization_level, seed)
    swaps = last = 0

    def count(*, pass_: Any, dag: Any, **_: Any) -> None:
        nonlocal swaps, last
        now = dag.count_ops().get("swap", 0)
        if pass_.name() in _ROUTING:
            swaps += now - last
        last = now

    try:
        return pass_manager.run(source, callback=count), swaps
    except QiskitError:
        raise Problem(
            "cannot_compile",
            f"The circuit cannot be written in the gates {', '.join(device.basis_gates)}.",
            pointer="/device/basis_gates",
            ways_out=[{"basis_gates": ["rz", "sx", "x", "cx"]}],
        ) from None


TargetKey = tuple[tuple[str, ...], tuple[tuple[int, int], ...] | None, int | None]


def _target_key(device: Device) -> TargetKey:
    couplings = device.couplings
    return tuple(device.basis_gates), None if couplings is None else tuple(couplings), device.qubits


@lru_cache(32)
def _target(key: TargetKey) -> Target:
    """Building one of 1,000 qubits takes 12 ms."""
    gates, couplings, qubits = key
    coupling_map = None
    if couplings is not None:
        coupling_map = CouplingMap([*couplings, *((b, a) for a, b in couplings)])
        for qubit in range(coupling_map.size(), qubits or 0):  # a line of one qubit has no pair
            coupling_map.add_physical_qubit(qubit)
    target = Target.from_configuration([*gates, *_ALWAYS], num_qubits=qubits, coupling_map=coupling_map)
    for name, operation in _CONTROL_FLOW.items():
        target.add_instruction(operation, name=name)
    target.add_instruction(Instruction, name=KRAUS)  # a channel stands wherever its qubits are
    return target


@lru_cache(64)
def _pass_manager(key: TargetKey, level: int, seed: int) -> Any:
    """Building one for a known target takes 2 to 15 ms."""
    return generate_preset_pass_manager(optimization_level=level, target=_target(key), seed_transpiler=seed)


def _used(circuit: QuantumCircuit) -> list[int]:
    """The qubits that anything but a barrier acts on."""
    used = {
        circuit.find_bit(qubit).index
        for instruction in circuit.data
        if instruction.operation.name != "barrier"
        for qubit in instruction.qubits
    }
    return sorted(used)


def _only(circuit: QuantumCircuit, used: Sequence[int]) -> QuantumCircuit:
    """The circuit on the qubits it uses."""
    qubits = [circuit.qubits[index] for index in used]
    kept = set(qubits)
    narrow = QuantumCircuit(qubits, circuit.clbits, *circuit.cregs, global_phase=circuit.global_phase)
    for instruction in circuit.data:
        inside = [qubit for qubit in instruction.qubits if qubit in kept]
        if len(inside) == len(instruction.qubits):
            narrow._append(instruction)
        elif inside:  # a barrier over idle qubits too
            narrow.barrier(*inside)
    return narrow


def _layouts(
    circuit: QuantumCircuit, used: Sequence[int], compiled: QuantumCircuit
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    layout = compiled.layout  # there may be one without a coupling map, for swaps that became other names of qubits
    initial = range(len(used)) if layout is None else layout.initial_index_layout(filter_ancillas=True)
    final = range(len(used)) if layout is None else layout.final_index_layout(filter_ancillas=True)
    return _spread(circuit, used, initial), _spread(circuit, used, final)


def _spread(circuit: QuantumCircuit, used: Sequence[int], places: Sequence[int]) -> tuple[int, ...]:
    spread = [-1] * circuit.num_qubits
    for qubit, place in zip(used, places, strict=True):
        spread[qubit] = place
    return tuple(spread)


def figures(circuit: QuantumCircuit) -> Figures:
    """What a circuit takes."""
    return Figures(depth_of(circuit), _two_qubit_gates(circuit))


def _two_qubit_gates(circuit: QuantumCircuit) -> int:
    total = 0
    for instruction in circuit.data:
        operation = instruction.operation
        if isinstance(operation, Gate):
            total += operation.num_qubits >= 2
        else:
            total += sum(_two_qubit_gates(block) for block in getattr(operation, "blocks", ()))
    return total
