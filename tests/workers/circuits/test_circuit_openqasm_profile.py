"""The front door reads from straight-line OpenQASM what the worker finds in the parsed circuit, or it says nothing."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import pi
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.circuits.admission import wanted as asked_of
from qstill.contract.circuits.cost.openqasm_profile import GATES, openqasm_profile
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.methods import best
from qstill.contract.circuits.openqasm3 import door
from qstill.contract.circuits.openqasm3.door import MAX_CHARACTERS
from qstill.contract.circuits.profile import Profile
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.examine.profile import profile_of
from workers.circuits.examine.shape import examine
from workers.circuits.parse import parse

LIMITS = Limits(memory_available=8 << 30)
HEADERS = {"openqasm2": 'OPENQASM 2.0; include "qelib1.inc";', "openqasm3": 'OPENQASM 3.0; include "stdgates.inc";'}
QISKITS = {
    "sxdg",
    "rzz",
    "rxx",
    "csx",
    "rccx",
    "c3x",
    "c3sqrtx",
    "rc3x",
    "c4x",
    "u",
    "cu1",
    "cu3",
}  # in qelib1.inc only
NOT_IN_2 = {"phase", "cphase"}
ANGLES = st.sampled_from(["0", "pi", "-pi/2", "pi/4", "3*pi/2", "2*pi", "0.3", "1.5707963267948966", "(pi + 0.2)/2"])

Json = dict[str, Any]


@pytest.fixture(autouse=True, scope="module")
def _as_the_door() -> Iterator[None]:
    """The API has its reader warm and holds neither torch nor Qiskit, whose objects a collection would look through."""
    door.warm()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@st.composite
def programs(draw: st.DrawFn) -> Json:
    """Registers, gates with broadcasts, measurements and resets in any order, idle qubits, comments."""
    version = draw(st.sampled_from(["openqasm2", "openqasm3"]))
    new = version == "openqasm3"
    sizes = {"q": draw(st.integers(1, 5)), "anc": draw(st.integers(1, 3))}
    lines = [HEADERS[version]]
    for name, size in sizes.items():
        lines += [f"qubit[{size}] {name};", f"bit[{size}] m{name};"] if new else [
            f"qreg {name}[{size}];", f"creg m{name}[{size}];"
        ]  # fmt: skip
    every = [(name, index) for name, size in sizes.items() for index in range(size)]
    known = sorted(GATES.keys() - (QISKITS if new else NOT_IN_2))
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["gate", "gate", "gate", "gate", "measure", "reset", "barrier", "wide"]))
        name, index = draw(st.sampled_from(every))
        if kind == "gate":
            gate = draw(st.sampled_from([gate for gate in known if GATES[gate].qubits <= len(every)]))
            bits = draw(st.permutations(every))[: GATES[gate].qubits]
            lines.append(f"{gate}{_angles(draw, gate)} {', '.join(f'{a}[{b}]' for a, b in bits)};")
        elif kind == "wide":
            gate = draw(st.sampled_from(["h", "t", "rx"]))
            lines.append(f"{gate}{_angles(draw, gate)} {name}; // all of them")
        elif kind == "measure":
            bit, written = draw(st.sampled_from([(f"{name}[{index}]", f"m{name}[{index}]"), (name, f"m{name}")]))
            lines.append(f"{written} = measure {bit};" if new else f"measure {bit} -> {written};")
        elif kind == "reset":
            lines.append(f"reset {name}[{index}];")
        else:
            lines.append(f"barrier {name};")
    return {"format": version, "source": "\n".join(lines)}


def _angles(draw: st.DrawFn, gate: str) -> str:
    angles = [draw(ANGLES) for _ in range(GATES[gate].angles)]
    return f"({', '.join(angles)})" if angles else ""


def job(circuit: Json, **more: Any) -> CircuitJob:
    return CircuitJob.model_validate({"circuit": circuit, "seed": 1} | more)


def both(circuit: Json) -> tuple[Profile | None, Profile]:
    (wanted,) = job(circuit).programs
    parsed = parse(wanted)
    return openqasm_profile(wanted), profile_of(parsed, examine(parsed))  # type: ignore[arg-type]


@settings(max_examples=examples(60))
@given(programs())
def test_the_front_door_counts_as_the_worker_does(circuit: Json) -> None:
    ours, theirs = both(circuit)
    assert ours is not None
    assert replace(ours, not_clifford=None) == replace(theirs, not_clifford=None, depth=0)
    assert ours.not_clifford is None or theirs.not_clifford is not None  # never the other way round


@pytest.mark.slow
@settings(max_examples=examples(2_000))
@given(programs())
def test_the_front_door_counts_as_the_worker_does_whatever_is_written(circuit: Json) -> None:
    test_the_front_door_counts_as_the_worker_does.hypothesis.inner_test(circuit)  # type: ignore[attr-defined]


@settings(max_examples=examples(40))
@given(programs(), st.sampled_from([64, 1_000, 1 << 20]), st.sampled_from(["auto", "stabilizer", "statevector"]))
def test_what_is_refused_at_the_door_the_worker_refuses_too(circuit: Json, memory: int, method: str) -> None:
    wanted = job(circuit, method=method)
    parsed = parse(wanted.programs[0])
    at_the_door = _refusal(lambda: admit(wanted, replace(LIMITS, memory_available=memory)))
    in_the_worker = _refusal(
        lambda: best(profile_of(parsed, examine(parsed)), asked_of(wanted), memory_available=memory)
    )
    assert at_the_door in (None, in_the_worker)


def _refusal(judge: Callable[[], Any]) -> str | None:
    """The code of the problem."""
    try:
        judge()
    except Problem as problem:
        return problem.code
    return None


@pytest.mark.parametrize("gate", sorted(GATES))
@pytest.mark.parametrize("angle", [0.0, pi / 2, pi, pi / 4, 0.3])
def test_every_gate_is_judged_as_the_worker_judges_it(gate: str, angle: float) -> None:
    kind = GATES[gate]
    version = "openqasm2" if gate in QISKITS else "openqasm3"
    angles = f"({', '.join([repr(angle)] * kind.angles)})" if kind.angles else ""
    register = "qreg q[5];" if version == "openqasm2" else "qubit[5] q;"
    bits = ", ".join(f"q[{index}]" for index in range(kind.qubits))
    ours, theirs = both({"format": version, "source": f"{HEADERS[version]} {register} {gate}{angles} {bits};"})
    assert ours is not None
    assert ours.bond_bits == theirs.bond_bits
    if gate != "cu":  # whose four angles are looked at in part
        assert (ours.not_clifford is None) == (theirs.not_clifford is None)


@pytest.mark.parametrize(
    "statements",
    [
        "gate g a { h a; } qubit q; g q;",
        "qubit[2] q; bit[2] c; c = measure q; if (c[0]) { x q[1]; }",
        "qubit[3] q; ctrl @ x q[0], q[1];",
        "qubit[2] q; measure q[0];",
        "qubit[4000] q;" + "h q;" * 100,
        "qubit q; for int i in [0:99999] { h q; }",
    ],
)
def test_what_is_not_understood_is_left_to_the_worker(statements: str) -> None:
    (circuit,) = job({"format": "openqasm3", "source": HEADERS["openqasm3"] + statements}).programs
    assert openqasm_profile(circuit) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ("qubit[2] q; h q[2];", "there is no index 2"),
        ("qubit[2] q; cx q[0], q[0];", "named twice"),
        ("qubit[2] q; rx q[0];", "takes 1 angle"),
        ("qubit[2] q; h q[0]", "';' is expected"),
        ("let a = b;", "there is no 'b'"),
        ("qubit q; hadamard q;", "there is no gate 'hadamard'"),
        ("qubit q; bit c; c = measure q; if (c) { foo(c); }", "there is no function 'foo'"),
        ("qubit[2] q; bit[3] c; c = measure q;", "2 qubits are measured into 3 bits"),
        ("extern f(int) -> int; qubit q; int n = f(1);", "'f' is extern"),
        ("defcal x $0 { } qubit q;", "'defcal'"),
        ("pragma /*\nqubit[1000000] q; // */", "more than 4,096 qubits"),
        ("@a /*\nqubit[1000000] q; // */", "more than 4,096 qubits"),
    ],
)
def test_what_is_wrong_with_a_program_is_said_at_the_door(statements: str, words: str) -> None:
    refused = problem_of(
        admit, job({"format": "openqasm3", "source": HEADERS["openqasm3"] + "\n" + statements}), LIMITS
    )
    assert refused.pointer == "/circuit/source"
    assert words in refused.title


def all_to_all(version: str, qubits: int, turn: str) -> Json:
    register = f"qubit[{qubits}] q;" if version == "openqasm3" else f"qreg q[{qubits}];"
    turns = "".join(f"{turn} q[{index}];\n" for index in range(qubits))
    pairs = "".join(f"cx q[{a}], q[{b}];\n" for a in range(qubits) for b in range(a))
    return {"format": version, "source": HEADERS[version] + register + turns + pairs + turns}


@pytest.mark.parametrize("version", HEADERS)
def test_45_qubits_all_to_all_are_refused_at_the_door_with_what_would_work(version: str) -> None:
    wanted = job(all_to_all(version, 45, "rx(0.3)"))
    caught = problem_of(admit, wanted, LIMITS)
    assert (caught.code, caught.pointer) == ("needs_more_memory", "/circuit/source")
    assert caught.title.startswith("45 active qubits need 512 TiB as a statevector")
    assert caught.ways_out[0] == {"active_qubits": 29, "note": "Idle qubits do not count."}
    reasons = {way["method"]: way["why_not"] for way in caught.ruled_out}
    assert reasons["stabilizer"] == "rx(0.3) on q[0] is not a Clifford gate"


@pytest.mark.parametrize("version", HEADERS)
def test_a_thousand_clifford_qubits_and_a_chain_of_turns_pass(version: str) -> None:
    admit(job(all_to_all(version, 100, "h")), LIMITS)
    source = HEADERS[version] + ("qubit[1000] q;" if version == "openqasm3" else "qreg q[1000];") + "h q;"
    chain = "".join(f"cx q[{index}], q[{index + 1}];" for index in range(999))
    admit(job({"format": version, "source": source + chain}), LIMITS)
    admit(job({"format": version, "source": source.replace("h q", "rx(0.3) q") + chain}), LIMITS)


def test_noise_a_device_and_long_programs_are_left_to_the_worker() -> None:
    circuit = all_to_all("openqasm3", 45, "rx(0.3)")
    admit(job(circuit, device={}), LIMITS)
    admit(job(circuit, noise={"model": "depolarizing", "one_qubit": 0.0, "two_qubit": 0.0}), LIMITS)
    long = circuit | {"source": circuit["source"] + "// " + "x" * MAX_CHARACTERS}
    admit(job(long), LIMITS)
