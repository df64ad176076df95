"""What each method takes for a circuit: seconds of one core of 2024, and bytes."""

from qstill.contract.circuits.profile import Method, Profile, Wanted

BYTES_PER_AMPLITUDE = 16  # a complex number of two doubles
EXACT_BOND = 256  # matrix product states of this bond dimension cost a millisecond a gate
BINDING_SECONDS = 7e-5  # a further set of parameters in one call: handed over, and its counts drawn
TRANSLATION_SECONDS = {  # translating a circuit and handing it over: for any, and for each operation
    Method.STABILIZER: (1.5e-4, 0.0),
    Method.STATEVECTOR: (2e-3, 1e-5),
    Method.DENSITY_MATRIX: (2.5e-3, 1e-5),
    Method.TRAJECTORIES: (2.5e-3, 1e-5),
    Method.SHOT_BRANCHING: (2.5e-3, 1e-5),
    Method.MATRIX_PRODUCT_STATE: (2.5e-3, 1e-5),
}


def bond_dimension(profile: Profile) -> int:
    """The largest bond dimension that the circuit can reach."""
    return 1 << min(profile.bond_bits, profile.qubits // 2, 60)


def used_bond_dimension(profile: Profile, wanted: Wanted) -> int:
    return min(bond_dimension(profile), wanted.max_bond_dimension or 1 << 60)


def branches(profile: Profile, wanted: Wanted) -> int:
    return min(wanted.shots, 1 << min(profile.branchings, 40))


def _power(base: float, qubits: int) -> float:
    return base ** min(qubits, 200)


def statevector_bytes(qubits: int) -> int:
    """Bytes that a statevector of so many active qubits takes."""
    return BYTES_PER_AMPLITUDE << qubits


def state_seconds(profile: Profile, wanted: Wanted) -> float:
    states = _power(2, profile.qubits)
    return profile.operations * (5e-6 + 2e-9 * states) + 1e-8 * states + 2.5e-7 * min(wanted.shots, states)


def stabilizer_seconds(profile: Profile, wanted: Wanted) -> float:
    return 4e-6 * profile.operations + wanted.shots * (2e-7 + 1.2e-8 * profile.clbits)


def density_seconds(profile: Profile, wanted: Wanted) -> float:
    outcomes = min(wanted.shots, _power(2, profile.qubits))
    return profile.operations * (1e-5 + 6e-9 * _power(4, profile.qubits)) + 2.5e-7 * outcomes


def trajectory_seconds(profile: Profile, wanted: Wanted) -> float:
    return wanted.shots * profile.operations * (3.8e-6 + 1e-9 * _power(2, profile.qubits))


def branching_seconds(profile: Profile, wanted: Wanted) -> float:
    states = _power(2, profile.qubits)
    runs = (1 + branches(profile, wanted)) / 2  # half of the gates come before the shots branch, as a rule
    gates = runs * profile.operations * (1e-5 + 8e-10 * states)
    return gates + 1.3e-7 * states + 2e-5 * wanted.shots


def product_seconds(profile: Profile, wanted: Wanted) -> float:
    bond = float(used_bond_dimension(profile, wanted))
    shots = wanted.shots if profile.dynamic else 1  # it starts anew for each
    gates = shots * profile.operations * (5e-6 + 1e-9 * bond**3)
    return gates + wanted.shots * profile.qubits * (3e-6 + 1.5e-8 * bond**2)


def state_bytes(profile: Profile, wanted: Wanted) -> int:
    return statevector_bytes(profile.qubits)
