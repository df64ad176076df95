"""The backends of the door: one simulator, and IonQ's machines, each simulated with the noise published for it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from qstill.contract.circuits.noise.model import IONQ_RATES, IonqName
from qstill.contract.errors import Problem

SIMULATOR = "simulator"
MAX_SIMULATOR_QUBITS = 29  # as many as IonQ's simulator has; wider circuits may still run, by another method
DEFAULT_QPU = "qpu.aria-1"  # what older clients mean by `qpu`
SINCE = datetime.now(UTC)  # a machine's characterization is this process's model of it

QIS_GATES = (
    *("x", "y", "z", "not", "h", "s", "si", "t", "ti", "v", "vi", "rx", "ry", "rz"),
    *("cnot", "swap", "xx", "yy", "zz", "pauliexp", "nop"),
)
NATIVE_GATES = ("gpi", "gpi2", "ms", "zz", "nop")

Entangler = Literal["ms", "zz"]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A backend. noise: the model that stands in for the hardware; None for the simulator.

    entangler: the native gate on two qubits that circuits are compiled to.
    """

    name: str
    qubits: int
    noise: IonqName | None = None
    entangler: Entangler = "ms"

    @property
    def simulated(self) -> bool:
        """Whether a name of hardware was asked for, and a simulation answers."""
        return self.noise is not None

    @property
    def borrows(self) -> bool:
        """Whether the noise is that of another machine, for want of its own."""
        return self.simulated and self.name != f"qpu.{self.noise}"

    @property
    def characterization_id(self) -> UUID:
        return uuid5(NAMESPACE_URL, f"qstill/characterizations/{self.name}")

    @property
    def fidelities(self) -> tuple[float, float]:
        """Average gate fidelities after one- and two-qubit gates: depolarizing with p leaves 1 - p·(d-1)/d."""
        if self.noise is None:
            return 1.0, 1.0
        one, two = IONQ_RATES[self.noise]
        return 1 - one / 2, 1 - two * 3 / 4


_ROWS: tuple[tuple[str, int, IonqName, Entangler], ...] = (
    ("harmony", 11, "harmony", "ms"),
    ("harmony-1", 11, "harmony-1", "ms"),
    ("harmony-2", 11, "harmony-2", "ms"),
    ("aria-1", 25, "aria-1", "ms"),
    ("aria-2", 25, "aria-2", "ms"),
    ("forte-1", 36, "forte-1", "zz"),
    ("forte-enterprise-1", 36, "forte-enterprise-1", "zz"),
    ("forte-enterprise-2", 36, "forte-enterprise-1", "zz"),  # IonQ publishes no noise of this one and the next
    ("tempo-1", 100, "forte-enterprise-1", "zz"),
)
QPUS = {
    f"qpu.{name}": Machine(name=f"qpu.{name}", qubits=qubits, noise=noise, entangler=entangler)
    for name, qubits, noise, entangler in _ROWS
}


def machines(memory_available: int) -> list[Machine]:
    """Every backend. The simulator has as many qubits as their statevector fits, 16 bytes an amplitude."""
    fitting = max(1, (memory_available // 16).bit_length() - 1)
    return [Machine(name=SIMULATOR, qubits=min(MAX_SIMULATOR_QUBITS, fitting)), *QPUS.values()]


def machine(name: str, memory_available: int, *, status: int = 404) -> Machine:
    """The backend of this name; clients also write `ionq_simulator`, `qpu` and `qpu.qpu`. Raises Problem."""
    plain = name.removeprefix("ionq_")
    plain = DEFAULT_QPU if plain in ("qpu", "qpu.qpu") else plain
    for known in machines(memory_available):
        if known.name == plain:
            return known
    names = ", ".join(known.name for known in machines(memory_available))
    raise Problem("no_such_backend", f"There is no such backend. Known: {names}.", status=status, pointer="/backend")
