"""OpenQASM 2 in Qiskit's gates; a statement under a condition is one `if`, tested once, whatever it is about."""

from collections.abc import Callable, Mapping

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Barrier as BarrierOp
from qiskit.circuit import CircuitInstruction, Clbit, Gate, IfElseOp, Qubit
from qiskit.circuit import Measure as MeasureOp
from qiskit.circuit import Reset as ResetOp
from qiskit.circuit.library import standard_gates as std

from qstill.contract.circuits.openqasm2.program import Barrier, Call, Measure, Operation, OwnGate, Reset, Statement
from qstill.contract.circuits.openqasm2.reader import read_openqasm2
from workers.circuits.parse.own_gates import own_gate

_GATES: Mapping[str, Callable[..., Gate]] = {
    "U": std.UGate,
    "CX": std.CXGate,
    "u3": std.U3Gate,
    "u2": std.U2Gate,
    "u1": std.U1Gate,
    "u0": lambda length: std.IGate(),
    "u": std.UGate,
    "p": std.PhaseGate,
    "id": std.IGate,
    "x": std.XGate,
    "y": std.YGate,
    "z": std.ZGate,
    "h": std.HGate,
    "s": std.SGate,
    "sdg": std.SdgGate,
    "t": std.TGate,
    "tdg": std.TdgGate,
    "sx": std.SXGate,
    "sxdg": std.SXdgGate,
    "rx": std.RXGate,
    "ry": std.RYGate,
    "rz": std.RZGate,
    "cx": std.CXGate,
    "cy": std.CYGate,
    "cz": std.CZGate,
    "ch": std.CHGate,
    "csx": std.CSXGate,
    "swap": std.SwapGate,
    "cp": std.CPhaseGate,
    "cu1": std.CU1Gate,
    "crx": std.CRXGate,
    "cry": std.CRYGate,
    "crz": std.CRZGate,
    "cu3": std.CU3Gate,
    "cu": std.CUGate,
    "rxx": std.RXXGate,
    "rzz": std.RZZGate,
    "ccx": std.CCXGate,
    "cswap": std.CSwapGate,
    "rccx": std.RCCXGate,
    "rc3x": std.RC3XGate,
    "c3x": std.C3XGate,
    "c3sqrtx": std.C3SXGate,
    "c4x": std.C4XGate,
}


def parse_openqasm2(source: str) -> QuantumCircuit:
    """The program in Qiskit. Raises `Problem` with the line, its pointer at the source."""
    program = read_openqasm2(source)
    circuit = QuantumCircuit(
        *(QuantumRegister(register.size, register.name) for register in program.qubits),
        *(ClassicalRegister(register.size, register.name) for register in program.clbits),
    )
    writer = _Writer()
    for statement in program.statements:
        if statement.condition is None:
            writer.write(statement.operations, circuit, circuit)
        else:
            _conditional(statement, circuit, writer)
    return circuit


class _Writer:
    """Each own gate becomes one gate for all its calls with the same angles."""

    def __init__(self) -> None:
        self.own: dict[OwnGate, Gate] = {}

    def write(self, operations: tuple[Operation, ...], circuit: QuantumCircuit, into: QuantumCircuit) -> None:
        """Append operations to a circuit, or to a block on some of a circuit's bits."""
        qubits, clbits = circuit.qubits, circuit.clbits
        for operation in operations:
            match operation:
                case Call(gate, angles, numbers):
                    made = self._own(gate) if isinstance(gate, OwnGate) else _GATES[gate](*angles)
                    into._append(CircuitInstruction(made, [qubits[number] for number in numbers]))
                case Measure(qubit, clbit):
                    into._append(CircuitInstruction(MeasureOp(), (qubits[qubit],), (clbits[clbit],)))
                case Reset(qubit):
                    into._append(CircuitInstruction(ResetOp(), (qubits[qubit],)))
                case Barrier(numbers):
                    into._append(CircuitInstruction(BarrierOp(len(numbers)), [qubits[number] for number in numbers]))

    def _own(self, gate: OwnGate) -> Gate:
        if gate not in self.own:
            definition = QuantumCircuit(gate.qubits)
            self.write(gate.body, definition, definition)
            self.own[gate] = own_gate(gate.name, definition, gate.angles)
        return self.own[gate]


def _conditional(statement: Statement, circuit: QuantumCircuit, writer: _Writer) -> None:
    condition = statement.condition
    assert condition is not None
    register = circuit.cregs[condition.register]
    qubits: dict[Qubit, None] = {}  # sets in order
    clbits: dict[Clbit, None] = dict.fromkeys(register)
    for operation in statement.operations:
        numbers = (operation.qubit,) if isinstance(operation, Measure | Reset) else operation.qubits
        qubits |= dict.fromkeys(circuit.qubits[number] for number in numbers)
        if isinstance(operation, Measure):
            clbits[circuit.clbits[operation.clbit]] = None
    block = QuantumCircuit([*qubits], [*clbits], register)
    writer.write(statement.operations, circuit, block)
    circuit._append(CircuitInstruction(IfElseOp((register, condition.value), block), [*qubits], [*clbits]))
