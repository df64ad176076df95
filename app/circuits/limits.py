"""What one circuit job may hold, as the operator has set it."""

from ledger.settings import Settings
from qstill.contract.circuits.admission import Limits
from qstill.contract.kinds import Engine


def limits(settings: Settings) -> Limits:
    """What the settings allow one job to hold."""
    return Limits(
        memory_available=settings.memory_limit(Engine.CIRCUITS),
        qubits=settings.max_qubits,
        operations=settings.max_operations,
        shots=settings.max_shots,
        circuits=settings.max_circuits,
        bindings=settings.max_bindings,
        nesting=settings.max_nesting,
        loop_iterations=settings.max_loop_iterations,
    )
