"""Which method simulates a circuit, what each would cost, and why it is that one. Pure: the front door and the workers
ask the same question, the first to refuse what cannot work, the second to run it.

    best(profile, wanted, memory_available=2**34)          # a Plan, or a Problem that names what would work
    plans(profile, wanted, memory_available=2**34)         # all methods, with the reasons of those that cannot

Costs are constants, not measured on this machine: the same job must take the same method, and so draw the same counts,
everywhere. They are seconds of one core of 2024.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qstill.contract.circuits.method_costs import (
    BINDING_SECONDS,
    BYTES_PER_AMPLITUDE,
    EXACT_BOND,
    TRANSLATION_SECONDS,
    bond_dimension,
    branching_seconds,
    density_seconds,
    product_seconds,
    stabilizer_seconds,
    state_bytes,
    state_seconds,
    trajectory_seconds,
    used_bond_dimension,
)
from qstill.contract.circuits.outputs import DYNAMIC, NOISY, no_final_state
from qstill.contract.circuits.profile import Method, Profile, Wanted
from qstill.contract.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One method for one circuit. why_not: None if it can run it. seconds_more: for each further set of parameters,
    where all are simulated in one call.
    """

    method: Method
    why: str
    why_not: str | None
    memory_bytes: int
    seconds: float
    seconds_more: float

    def seconds_of(self, runs: int) -> float:
        """Of a sweep in one call: what is shared is paid once."""
        return self.seconds + (runs - 1) * self.seconds_more


def plans(profile: Profile, wanted: Wanted, *, memory_available: int) -> list[Plan]:
    """Every method, in the order of `Method`."""
    return [_plan(method, profile, wanted, memory_available) for method in Method]


def best(profile: Profile, wanted: Wanted, *, memory_available: int, pointer: str = "/circuit") -> Plan:
    """The named method, or the cheapest that can. Raises Problem: needs_more_memory, method_cannot,
    no_final_state.
    """
    every = plans(profile, wanted, memory_available=memory_available)
    able = [plan for plan in every if plan.why_not is None]
    if wanted.method is not None:
        named = next(plan for plan in every if plan.method == wanted.method)
        if named.why_not is None:
            return named
        raise _cannot(named, profile, wanted, every, memory_available, pointer)
    if not able and wanted.state and profile.dynamic:
        raise no_final_state(DYNAMIC, "counts")
    if not able and wanted.pure and profile.locations:
        raise no_final_state(NOISY.format("statevector"), "density_matrix")
    if not able:
        natural = Method.DENSITY_MATRIX if profile.locations and profile.qubits < 8 else Method.STATEVECTOR
        named = next(plan for plan in every if plan.method == natural)
        raise _cannot(named, profile, wanted, every, memory_available, pointer)
    exact = [
        plan for plan in able if plan.method != Method.MATRIX_PRODUCT_STATE or bond_dimension(profile) <= EXACT_BOND
    ]
    return min(exact or able, key=lambda plan: plan.seconds)


def _plan(method: Method, profile: Profile, wanted: Wanted, memory_available: int) -> Plan:
    rule, memory, work = _METHODS[method]
    fixed, each = TRANSLATION_SECONDS[method]
    seconds = work(profile, wanted)
    needed = memory(profile, wanted)
    why_not = rule(profile, wanted)
    if why_not is None and needed > memory_available:
        why_not = f"it needs {size(needed)}; {size(memory_available)} are available"
    return Plan(
        method=method,
        why=_why(method, profile, wanted),
        why_not=why_not,
        memory_bytes=needed,
        seconds=fixed + each * profile.operations + seconds,
        seconds_more=BINDING_SECONDS + seconds,
    )


def _cannot(
    named: Plan, profile: Profile, wanted: Wanted, every: list[Plan], memory_available: int, pointer: str
) -> Problem:
    others = [plan for plan in every if plan.method != named.method]
    ways_out: list[dict[str, Any]] = [
        {"method": plan.method.value, "why": plan.why} for plan in others if plan.why_not is None
    ]
    ruled_out = [{"method": plan.method.value, "why_not": plan.why_not} for plan in others if plan.why_not is not None]
    if named.method in (Method.STATEVECTOR, Method.SHOT_BRANCHING) and named.memory_bytes > memory_available:
        largest = max(0, (memory_available // BYTES_PER_AMPLITUDE).bit_length() - 1)
        ways_out.insert(0, {"active_qubits": largest, "note": "Idle qubits do not count."})
        title = (
            f"{some(profile.qubits, 'active qubit')} need {size(named.memory_bytes)} as a statevector; "
            f"{size(memory_available)} are available."
        )
        return Problem("needs_more_memory", title, pointer=pointer, ways_out=ways_out, ruled_out=ruled_out)
    code = "needs_more_memory" if named.memory_bytes > memory_available else "method_cannot"
    title = f"{named.method.value} cannot run this circuit: {named.why_not}."
    place = "/method" if wanted.method else pointer
    return Problem(code, title, pointer=place, ways_out=ways_out, ruled_out=ruled_out)


_NO_VARIABLES = "it carries no classical variables"


def _stabilizer(profile: Profile, wanted: Wanted) -> str | None:
    if profile.computed:
        return _NO_VARIABLES
    if profile.not_clifford is not None:
        return f"{profile.not_clifford} is not a Clifford gate"
    if profile.not_followed is not None:
        return f"it cannot follow {profile.not_followed}"
    if profile.locations and profile.not_pauli is not None:
        return f"{profile.not_pauli} is no Pauli error"
    return "it holds no state to give out" if wanted.state else None


def _statevector(profile: Profile, wanted: Wanted) -> str | None:
    if profile.locations:
        return "noise turns the state into a mixed one"
    return "measurements decide what happens next" if profile.dynamic else None


def _density_matrix(profile: Profile, wanted: Wanted) -> str | None:
    if wanted.pure:
        return "it holds a density matrix, not a statevector"
    return "measurements decide what happens next" if profile.dynamic else None


def _trajectories(profile: Profile, wanted: Wanted) -> str | None:
    if not profile.locations:
        return "there is no noise to draw"
    return "it holds one trajectory at a time, not the state" if wanted.state else None


def _shot_branching(profile: Profile, wanted: Wanted) -> str | None:
    if profile.locations:
        return "with noise, trajectories do the same"
    if not profile.dynamic:
        return "no measurement decides anything, so that there is no branch"
    return "its shots end in different states" if wanted.state else None


def _matrix_product_state(profile: Profile, wanted: Wanted) -> str | None:
    if profile.computed:
        return _NO_VARIABLES
    if profile.locations:
        return "it has no noise"
    if wanted.state:
        return "it holds no state to give out"
    if wanted.observables and profile.dynamic:
        return "its expectation values are of one final state, and measurements decide what happens next"
    if used_bond_dimension(profile, wanted) > EXACT_BOND * 4:
        return f"{profile.bond_bits} entangling gates cross one bond: set `truncation.max_bond_dimension`"
    return None


_METHODS: dict[
    Method,
    tuple[
        Callable[[Profile, Wanted], str | None],
        Callable[[Profile, Wanted], int],
        Callable[[Profile, Wanted], float],
    ],
] = {
    Method.STABILIZER: (
        _stabilizer,
        lambda profile, wanted: profile.qubits**2 // 2 + profile.clbits,
        stabilizer_seconds,
    ),
    Method.STATEVECTOR: (_statevector, state_bytes, state_seconds),
    Method.DENSITY_MATRIX: (
        _density_matrix,
        lambda profile, wanted: BYTES_PER_AMPLITUDE << 2 * profile.qubits,
        density_seconds,
    ),
    Method.TRAJECTORIES: (_trajectories, state_bytes, trajectory_seconds),
    Method.SHOT_BRANCHING: (_shot_branching, state_bytes, branching_seconds),
    Method.MATRIX_PRODUCT_STATE: (
        _matrix_product_state,
        lambda profile, wanted: 32 * profile.qubits * used_bond_dimension(profile, wanted) ** 2,
        product_seconds,
    ),
}


def _why(method: Method, profile: Profile, wanted: Wanted) -> str:
    qubits, noisy = some(profile.qubits, "active qubit"), some(profile.locations, "noisy operation")
    trajectories = some(wanted.shots, "trajectory", "trajectories")
    match method:
        case Method.STABILIZER:
            return f"{qubits}, all gates Clifford: a tableau of {2 * profile.qubits} rows for 2^{profile.qubits} states"
        case Method.STATEVECTOR:
            return f"{qubits}, measured at the end: one final state serves all shots"
        case Method.DENSITY_MATRIX if not profile.locations:
            return f"{qubits}: a density matrix of 4^{profile.qubits} numbers"
        case Method.DENSITY_MATRIX:
            return f"{qubits}, {noisy}: one density matrix of 4^{profile.qubits} numbers is cheaper than {trajectories}"
        case Method.TRAJECTORIES:
            return (
                f"{qubits}, {noisy}: {trajectories} "
                f"of 2^{profile.qubits} amplitudes cost less than a density matrix of 4^{profile.qubits}"
                if not profile.dynamic
                else f"{qubits}, noise and measurements that decide what happens next: one trajectory a shot"
            )
        case Method.SHOT_BRANCHING:
            return f"{qubits}; measurements or resets decide what happens next: shots branch where outcomes differ"
        case Method.MATRIX_PRODUCT_STATE:
            return (
                f"{qubits}, at most {some(profile.bond_bits, 'entangling gate')} across any bond: a bond dimension of "
                f"{used_bond_dimension(profile, wanted)} at most"
            )


def some(number: int, thing: str, things: str | None = None) -> str:
    """So many of a thing, in words."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def size(number: int) -> str:
    """Bytes in words: exact powers of two as such, others with one decimal."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    unit = max(0, number.bit_length() - 1) // 10
    if unit >= len(units):
        return f"2^{number.bit_length() - 1} bytes"
    whole, rest = divmod(number, 1 << 10 * unit)
    return f"{whole} {units[unit]}" if not rest else f"{number / (1 << 10 * unit):.1f} {units[unit]}"
