"""Qudits of Cirq, on the qubits that hold their levels, do what they do there; no gate reaches a level that is not."""

from math import prod
from typing import Any

import cirq
import pytest
import sympy
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.stats import unitary_group

from tests.testing.circuits.sampling import sample
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from tests.workers.circuits.from_cirq.exact import assert_read_alike, assert_same_state
from workers.circuits.parse.cirq import parse_cirq

TRIT, OCT = cirq.LineQid(0, 3), cirq.LineQid(1, 8)
BIT = cirq.LineQubit(2)
MANY = 64  # states of all qudits together, and branches

numbers = st.floats(-2, 2).map(lambda value: round(value, 3))
dimensions = st.lists(st.sampled_from([2, 2, 3, 4, 5]), min_size=1, max_size=3).filter(lambda shape: prod(shape) <= 40)


def named(place: int, dimension: int) -> Any:
    """Qudits of all kinds, whose order is not that of their places."""
    kinds = [
        cirq.NamedQid(f"q{place}", dimension),
        cirq.LineQid(-place, dimension),
        cirq.GridQid(place, 0, dimension=dimension),
    ]
    return kinds[place % 3]


@st.composite
def operations(draw: st.DrawFn, qudits: list[Any], *, measured: bool) -> Any:
    qudit = draw(st.sampled_from(qudits))
    dimension = qudit.dimension
    kinds = ["x", "z", "matrix", "identity"] + (["control", "pair"] if len(qudits) > 1 else [])
    match draw(st.sampled_from(kinds + (["reset", "measure"] if measured else []))):
        case "x":
            return cirq.XPowGate(exponent=draw(numbers), global_shift=draw(numbers), dimension=dimension).on(qudit)
        case "z":
            return cirq.ZPowGate(exponent=draw(numbers), global_shift=draw(numbers), dimension=dimension).on(qudit)
        case "matrix":
            return turned([qudit], draw(st.integers(0, 2**31)))
        case "identity":
            return cirq.IdentityGate(qid_shape=(dimension,)).on(qudit)
        case "control":
            other = draw(st.sampled_from([each for each in qudits if each != qudit]))
            values = draw(st.sets(st.integers(0, other.dimension - 1), min_size=1, max_size=other.dimension - 1))
            return turned([qudit], draw(st.integers(0, 2**31))).controlled_by(other, control_values=[sorted(values)])
        case "pair":
            other = draw(st.sampled_from([each for each in qudits if each != qudit]))
            return turned([qudit, other], draw(st.integers(0, 2**31)))
        case "reset":
            return cirq.ResetChannel(dimension).on(qudit)
        case _:
            some = draw(st.permutations(qudits))[: draw(st.integers(1, len(qudits)))]
            return cirq.measure(*some, key="m", invert_mask=tuple(draw(st.booleans()) for _ in some))


def turned(qudits: list[Any], seed: int) -> Any:
    shape = cirq.qid_shape(qudits)
    return cirq.MatrixGate(unitary_group.rvs(prod(shape), random_state=seed), qid_shape=shape).on(*qudits)


@st.composite
def circuits(draw: st.DrawFn, *, measured: bool) -> Any:
    qudits = [named(place, dimension) for place, dimension in enumerate(draw(dimensions))]
    made = draw(st.lists(operations(qudits, measured=measured), min_size=1, max_size=6))
    keys = [operation for operation in made if cirq.is_measurement(operation)]
    assume(len(keys) <= 1)
    if keys:
        last = draw(operations(qudits, measured=False))
        made.append(last.with_classical_controls("m"))
    resets = [operation.qubits[0].dimension for operation in made if isinstance(operation.gate, cirq.ResetChannel)]
    assume(prod(resets) * prod(cirq.qid_shape(qudits) if keys else ()) <= MANY)
    return cirq.Circuit(made)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(circuits(measured=True))
def test_qudits_end_in_the_state_and_read_what_they_read_there(circuit: Any) -> None:
    assert_same_state(circuit)
    assert_read_alike(circuit)


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(circuits(measured=False), st.integers(-2, 2))
def test_circuits_of_qudits_are_repeated_and_undone(circuit: Any, times: int) -> None:
    assert_same_state(cirq.Circuit(cirq.CircuitOperation(circuit.freeze(), repetitions=times or 1)))


def test_a_qudit_of_two_levels_is_a_qubit() -> None:
    qid = cirq.LineQid(2, 2)
    parsed = parse_cirq(cirq.to_json(cirq.Circuit(cirq.H(BIT), cirq.X(qid), cirq.measure(qid, key="m"))))
    assert parsed.num_qubits == 1
    assert dict(parsed.count_ops()) == {"h": 1, "x": 1, "measure": 1}


def test_a_job_counts_the_levels_as_numbers() -> None:
    up = cirq.XPowGate(dimension=3).on(TRIT)
    circuit = cirq.Circuit(up, up, cirq.XPowGate(dimension=8, exponent=5).on(OCT), cirq.measure(TRIT, OCT, key="m"))
    found = sample({"format": "cirq", "source": cirq.to_json(circuit)}, shots=100)
    assert found.counts == {f"{5:03b}{2:02b}": 100}


def test_a_qudit_of_two_levels_takes_channels() -> None:
    assert_same_state(cirq.Circuit(cirq.bit_flip(0.1).on(cirq.LineQid(5, 2)), cirq.XPowGate(dimension=3).on(TRIT)))


def written(gate: dict[str, Any], *qudits: tuple[int, int]) -> dict[str, Any]:
    """A circuit of one gate, as no Cirq would write it. qudits: places and dimensions."""
    placed = [{"cirq_type": "LineQid", "x": x, "dimension": dimension} for x, dimension in qudits]
    operation = {"cirq_type": "GateOperation", "gate": gate, "qubits": placed}
    return {"cirq_type": "Circuit", "moments": [{"cirq_type": "Moment", "operations": [operation]}]}


ID = {"cirq_type": "IdentityGate", "num_qubits": 1}


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (written({"cirq_type": "HPowGate"}, (0, 3)), "cirq_unsupported", "not on a qudit of dimension 3"),
        (written({"cirq_type": "BitFlipChannel", "p": 0.1}, (0, 3)), "cirq_unsupported", "not on a qudit"),
        (written({"cirq_type": "XPowGate", "dimension": 3}, (0, 4)), "cirq_invalid", "another dimension"),
        (written({"cirq_type": "XPowGate", "dimension": 3}, (0, 2)), "cirq_invalid", "another dimension"),
        (written({"cirq_type": "XPowGate"}, (0, 3), (1, 3)), "cirq_invalid", "one qudit"),
        (written({"cirq_type": "MatrixGate", "matrix": [[1, 0], [0, 1]]}, (0, 3)), "cirq_invalid", "3 states"),
        (written({"cirq_type": "MatrixGate", "matrix": [[1, 1], [0, 1]]}, (0, 2)), "cirq_invalid", "not unitary"),
        (written(ID, (0, 0)), "cirq_unsupported", "between 1 and 64"),
        (written(ID, (0, 65)), "cirq_unsupported", "between 1 and 64"),
        (written(ID, (0, 1)), "no_qubits", "no qubit"),
        (written({"cirq_type": "XPowGate", "dimension": 1}, (0, 1)), "no_qubits", "no qubit"),
        (written(ID, *((place, 64) for place in range(700))), "too_many_qubits", "4,200 qubits"),
    ],
)
def test_what_qudits_cannot_do_is_refused(source: dict[str, Any], code: str, words: str) -> None:
    refused = problem_of(parse_cirq, source)
    assert refused.code == code
    assert words in refused.title


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (cirq.X(BIT).with_classical_controls(sympy.Symbol("m") > 1), "only that one is not 0"),
        (cirq.X(BIT).with_classical_controls(cirq.BitMaskKeyCondition("m", bitmask=1)), "only that one is not 0"),
        (cirq.XPowGate(dimension=3, exponent=sympy.Symbol("t")).on(TRIT), "without free parameters"),
        (turned([OCT, cirq.LineQid(7, 9)], 1), "take 7"),
        (cirq.measure(cirq.LineQid(5, 1), key="one"), "single level"),
    ],
)
def test_what_is_not_supported_of_qudits_is_named(after: Any, words: str) -> None:
    circuit = cirq.Circuit(cirq.measure(TRIT, key="m"), after)
    refused = problem_of(parse_cirq, cirq.to_json(circuit))
    assert refused.code == "cirq_unsupported"
    assert words in refused.title
