from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qstill.contract.headline import HELPED, headline

SHARE = {"mean": 0.942, "sd": 0.007}
COMPARED: dict[str, Any] = {
    "measure": "accuracy",
    "student": SHARE,
    "baseline": {"mean": 0.871, "sd": 0.01},
    "gain": {"points": 7.1, "low": 4.8, "high": 9.3},
    "verdict": "BEATS",
}


@pytest.mark.parametrize("verdict", HELPED)
def test_a_verdict_comes_first_with_both_students_and_the_interval(verdict: str) -> None:
    said = headline("distillation", "succeeded", COMPARED | {"verdict": verdict}, None)
    assert said is not None
    assert said.startswith(HELPED[verdict])
    assert said.endswith("94.2% test accuracy against 87.1% without a teacher (+7.1, 95 % [+4.8, +9.3])")


def test_without_a_baseline_nothing_is_claimed() -> None:
    said = headline("distillation", "succeeded", COMPARED | {"baseline": None, "gain": None, "verdict": None}, None)
    assert said == "94.2% test accuracy; not compared with the same student untaught"


def test_of_a_sweep_the_best_setting_stands_before_the_verdict() -> None:
    best = {"setting": {"/objective/temperature": 2, "/student/architecture/hidden": [16]}}
    said = headline("sweep", "succeeded", COMPARED | {"trials": 6, "best": best}, None)
    assert said is not None
    assert said.startswith("Best of 6: temperature 2, hidden [16]. Distillation helped: ")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"circuits": 1200, "shots": 500}, "1,200 circuits of 500 shots"),
        ({"answer": {"summary": "The secret is 1011."}}, "The secret is 1011."),
        (
            {"expectations": [{"name": "energy", "value": -1.13727}, {"name": None, "value": 0.5}]},
            "⟨energy⟩ = -1.137, ⟨1⟩ = 0.5",
        ),
        ({"expectations": [{"name": "a", "value": 1}] * 5}, "⟨a⟩ = 1, ⟨a⟩ = 1 and 3 more"),
        ({"shots": 1000, "top": [{"key": "00", "probability": 0.507}]}, "00 in 50.7% of 1,000 shots"),
        ({"qubits": 3, "top": []}, "3 qubits, simulated exactly"),
    ],
)
def test_of_a_circuit_what_was_asked_for_comes_first(result: dict[str, Any], said: str) -> None:
    assert headline("circuit", "succeeded", result, None) == said


def test_a_failure_says_why_and_an_unfinished_job_nothing() -> None:
    assert headline("circuit", "failed", None, {"title": "No memory.", "code": "out_of_memory"}) == "No memory."
    assert headline("circuit", "running", None, None) is None
    assert headline("distillation", "cancelled", None, None) is None


FIELDS = [
    "circuits",
    "shots",
    "answer",
    "expectations",
    "top",
    "qubits",
    "returned",
    "chosen_layers",
    "best",
    *COMPARED,
]
ANYTHING = st.one_of(
    st.none(), st.integers(), st.text(), st.lists(st.integers()), st.dictionaries(st.text(), st.none())
)


@given(
    st.sampled_from(["circuit", "distillation", "sweep", "unknown"]), st.dictionaries(st.sampled_from(FIELDS), ANYTHING)
)
def test_no_result_that_another_version_wrote_breaks_a_list(kind: str, result: dict[str, Any]) -> None:
    said = headline(kind, "succeeded", result, None)
    assert said is None or said
