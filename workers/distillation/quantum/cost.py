"""What a network that is a circuit would cost on a machine: qubits, layers, CX."""

from dataclasses import dataclass

from qstill.contract.circuits.device import Device
from qstill.contract.distillations.architectures.quantum import AmplitudeEncoding
from qstill.contract.errors import Problem
from workers.circuits.device import compile_for
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.quantum.as_circuits import circuit_of, measured
from workers.quantum.prepare import preparation

AS_WRITTEN = Device(basis_gates=["u", "cx"], optimization_level=0)


@dataclass(frozen=True)
class CircuitCost:
    """depth: layers of gates on one qubit and CX. two_qubit_gates: CX. Both without state preparation.

    state_preparation: CX that make a row's amplitudes; None where angles encode it. compiled: two-qubit gates of the
    whole circuit of a row on the device, state preparation and routing included; None without a device.
    """

    qubits: int
    depth: int
    two_qubit_gates: int
    state_preparation: int | None
    compiled: int | None


def circuit_cost(network: CircuitNetwork, device: Device | None, *, seed: int = 0) -> CircuitCost:
    """seed: for what compiling leaves to chance. Raises the Problem of a device that is too small for it."""
    prepared = isinstance(network.definition.encoding, AmplitudeEncoding)
    plain = compile_for(network.whole()[0], AS_WRITTEN, seed=seed).after
    compiled = None
    if device is not None:
        whole = measured(circuit_of(network))
        try:
            compiled = compile_for(whole, device, seed=seed).after.two_qubit_gates
        except Problem as problem:
            raise problem.within("/evaluation/quantum") from None
    return CircuitCost(
        qubits=network.qubits,
        depth=plain.depth,
        two_qubit_gates=plain.two_qubit_gates,
        state_preparation=preparation(network.qubits).count_ops().get("cx", 0) if prepared else None,
        compiled=compiled,
    )
