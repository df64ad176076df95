"""What is said in short means the same as in full, and is refused where it stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qstill.contract.circuits.job import CircuitJob, spec_of
from qstill.contract.circuits.noise.model import NAMES
from tests.testing.refusals import errors_of

BELL = {"format": "json", "qubits": 2, "operations": [{"gate": "h", "target": 0}]}
LETTERS = st.text("IXYZ", min_size=1, max_size=6)


def job(**fields: Any) -> dict[str, Any]:
    return spec_of(CircuitJob.model_validate({"circuit": BELL} | fields))


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_model_without_figures_is_the_model(name: str) -> None:
    assert job(noise=name) == job(noise={"model": name})


@given(LETTERS)
def test_letters_are_an_observable_over_all_qubits(letters: str) -> None:
    full = job(observables=[{"terms": [{"paulis": letters}]}])
    assert job(observables=[letters]) == job(observables=[{"pauli": letters}]) == full


@given(LETTERS, st.floats(-2, 2), st.sampled_from([None, "parity"]))
def test_one_term_in_short_is_that_term(letters: str, coefficient: float, name: str | None) -> None:
    qubits = list(range(len(letters)))
    short = {"pauli": letters, "qubits": qubits, "coefficient": coefficient, "name": name}
    term = {"paulis": letters, "qubits": qubits, "coefficient": coefficient}
    assert job(observables=[short]) == job(observables=[{"name": name, "terms": [term]}])


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"noise": "foo"}, ("noise",)),
        ({"noise": "depolarizing"}, ("noise",)),
        ({"noise": ""}, ("noise",)),
        ({"observables": [""]}, ("observables", 0)),
        ({"observables": ["ZZ", "zz"]}, ("observables", 1)),
        ({"observables": [3]}, ("observables", 0)),
        ({"observables": [{"pauli": "Q"}]}, ("observables", 0, "pauli")),
        ({"observables": [{"pauli": "ZZ", "terms": []}]}, ("observables", 0, "terms")),
        ({"observables": [{"pauli": "Z", "qubits": [-1]}]}, ("observables", 0, "qubits", 0)),
        ({"observables": [{"pauli": "ZZ", "qubits": [1]}]}, ("observables", 0, "pauli")),
    ],
)
def test_what_is_wrong_in_short_is_refused_where_it_stands(fields: dict[str, Any], place: tuple[Any, ...]) -> None:
    (error,) = errors_of(job, **fields)
    assert error["loc"] == place
