"""What is refused at the door: circuits that no simulator here can hold, and sources that would choke a parser.

Nothing is parsed or simulated. A source is judged by its text, because the parsers take seconds and gigabytes, or
abort the interpreter, on the inputs refused here. Text that passes is still parsed in a child that may be killed.
"""

from app.circuits.cirq_text import check_cirq
from app.circuits.formats import CirqCircuit, JsonCircuit, OpenQasm2Circuit, OpenQasm3Circuit
from app.circuits.gates import MAX_CLBITS, MAX_QUBITS
from app.circuits.qasm2_text import check_openqasm2
from app.circuits.qasm_text import MAX_EXPANDED_OPERATIONS, MAX_LOOP_ITERATIONS, MAX_NESTING, check_openqasm3
from app.circuits.schemas import CircuitJob
from app.errors import Problem

BYTES_PER_AMPLITUDE = 16  # a complex number of two doubles
MAX_HISTOGRAM_CHARACTERS = 400_000_000  # 10^7 shots of a register of 4,096 bits would be 40 GB of keys

_INERT = {"measure", "reset", "barrier", "nop"}  # on a qubit still in 0 they leave it there


def admit(
    job: CircuitJob,
    *,
    memory_available: int,
    max_qubits: int = MAX_QUBITS,
    max_clbits: int = MAX_CLBITS,
    max_operations: int = MAX_EXPANDED_OPERATIONS,
    max_nesting: int = MAX_NESTING,
    max_loop_iterations: int = MAX_LOOP_ITERATIONS,
) -> None:
    """Raise `Problem` where the job cannot succeed. memory_available: bytes that one circuit may use."""
    if isinstance(job.circuit, OpenQasm3Circuit):
        check_openqasm3(
            job.circuit.source,
            max_qubits=max_qubits,
            max_clbits=max_clbits,
            max_nesting=max_nesting,
            max_loop_iterations=max_loop_iterations,
        )
        return
    if isinstance(job.circuit, OpenQasm2Circuit):
        check_openqasm2(
            job.circuit.source,
            max_qubits=max_qubits,
            max_clbits=max_clbits,
            max_operations=max_operations,
            max_nesting=max_nesting,
        )
        return
    if isinstance(job.circuit, CirqCircuit):
        check_cirq(job.circuit.source, max_qubits=max_qubits, max_operations=max_operations, max_nesting=max_nesting)
        return
    circuit = job.circuit
    if circuit.qubits > max_qubits:
        raise Problem(
            "too_many_qubits",
            f"The circuit has {circuit.qubits:,} qubits; {max_qubits:,} are allowed.",
            pointer="/circuit/qubits",
        )
    expanded = sum(len(operation.terms or operation.acts_on) for operation in circuit.operations)
    if expanded > max_operations:
        raise Problem(
            "too_many_operations",
            f"The circuit has {expanded:,} operations, counting every target and Pauli term; "
            f"{max_operations:,} are allowed.",
            pointer="/circuit/operations",
        )
    active = len(active_qubits(circuit))
    check_memory(active, memory_available=memory_available, pointer="/circuit/qubits")
    check_histogram(job.shots, active=active, clbits=circuit.qubits)


def active_qubits(circuit: JsonCircuit) -> set[int]:
    """The qubits that a gate touches. All others stay 0 and are not simulated."""
    touched: set[int] = set()
    for operation in circuit.operations:
        if operation.gate not in _INERT:
            touched.update(operation.acts_on, operation.controlled_by)
    return touched


def statevector_bytes(active: int) -> int:
    """Bytes that a statevector of `active` qubits takes."""
    return BYTES_PER_AMPLITUDE << active


def check_memory(active: int, *, memory_available: int, pointer: str) -> None:
    """Refuse a statevector that does not fit into `memory_available` bytes."""
    if statevector_bytes(active) <= memory_available:
        return
    largest = max(0, (memory_available // BYTES_PER_AMPLITUDE).bit_length() - 1)
    raise Problem(
        "needs_more_memory",
        f"{active} active qubits need {_size(active + 4)} as a statevector; "
        f"{memory_available / 2**30:.1f} GiB are available.",
        pointer=pointer,
        ways_out=[{"active_qubits": largest, "note": "Idle qubits do not count."}],
    )


def check_histogram(shots: int, *, active: int, clbits: int) -> None:
    """Refuse counts whose keys alone would not fit: at most min(shots, 2^active) of them, of `clbits` characters."""
    keys = min(shots, 1 << active)
    if keys * clbits > MAX_HISTOGRAM_CHARACTERS:
        fewer = MAX_HISTOGRAM_CHARACTERS // clbits
        raise Problem(
            "histogram_too_large",
            f"Up to {keys:,} different outcomes of {clbits:,} bits each are more than a histogram holds.",
            pointer="/shots",
            ways_out=[{"shots": fewer}],
        )


def _size(log2_bytes: int) -> str:
    """2^log2_bytes bytes in words."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    unit = log2_bytes // 10
    return f"{1 << log2_bytes % 10} {units[unit]}" if unit < len(units) else f"2^{log2_bytes} bytes"
