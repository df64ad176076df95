"""What a terminal says of a distillation, by what its numbers are."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from app.cli.show import show, show_distillation, show_distribution, show_shortening


def shown(mean: float, points: float, **given: Any) -> str:
    spread = {"mean": mean, "sd": mean / 10}
    gain = {"points": points, "low": points / 2, "high": 2 * points}
    out = StringIO()
    result = {"teacher": spread, "student": spread, "baseline": None, "gain": gain, "verdict": "BEATS", **given}
    show_distillation(result, Console(file=out, width=200))
    return out.getvalue()


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        (shown(0.958, 16.2), ["test accuracy", "95.8%", "9.6%", "+16.2 points"]),
        (shown(53.11, 5.36, measure="rmse"), ["test RMSE", "53.11", "5.311", "+5.36 of test RMSE", "+10.72"]),
        (shown(0.25, 1.2, measure="ndcg@10"), ["test ndcg@10", "0.25", "+1.2 hundredths of ndcg@10"]),
    ],
)
def test_numbers_are_shown_as_what_they_are(said: str, parts: list[str]) -> None:
    for part in parts:
        assert part in said


class Served:
    """A client of a service that has one report."""

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/report"
        return {"warnings": ["The teacher is no better [than] chance."], "budget": {"why": "Of [5] candidates one."}}


def said_of(**job: Any) -> str:
    out = StringIO()
    show(Served(), {"id": "job_1", "kind": "distillation", **job}, Console(file=out, width=200))  # type: ignore[arg-type]
    return out.getvalue()


def test_what_speaks_against_the_numbers_is_shown_with_them() -> None:
    spread = {"mean": 0.9, "sd": None}
    result = {"teacher": spread, "student": spread, "baseline": None, "gain": None}
    said = said_of(status="succeeded", result=result, links={"report": "/report"})
    assert "warning: The teacher is no better [than] chance." in said
    assert said.startswith("Of [5] candidates one.")


def test_a_job_that_failed_tells_the_field_and_the_way_out() -> None:
    error = {"title": "No images.", "code": "architecture_mismatch", "pointer": "/student", "try": [{"kind": "mlp"}]}
    said = said_of(status="failed", result=None, error=error, links={})
    assert said.splitlines() == [
        "job_1 failed: No images. (architecture_mismatch)",
        "  at /student",
        '  try {"kind": "mlp"}',
    ]


@pytest.mark.parametrize("noisy", [[0.197, 0.857], None])
def test_a_circuit_made_shorter_is_shown_beside_the_given_one(noisy: list[float] | None) -> None:
    result = {"chosen_layers": 5, "cx": [200, 13], "cx_transpiled": 190, "fidelity_ideal": 0.997, "verdict": "gain: 13"}
    result |= {"fidelity_noisy": noisy, "fidelity_transpiled": noisy and 0.21}
    result |= {"break_even": noisy and {"said": "equal at p2 = 0.0002"}}
    out = StringIO()
    show_shortening(result, Console(file=out, width=200))
    for said in ("short, 5 layers", "200", "190", "0.9970", "gain: 13"):
        assert said in out.getvalue()
    for said in ("0.1970", "0.2100", "0.8570", "break-even: equal at p2"):
        assert (said in out.getvalue()) == (noisy is not None)


@pytest.mark.parametrize("known", [True, False])
def test_a_distribution_is_shown_beside_the_histogram(known: bool) -> None:
    numbers = {"student": 7.0371, "histogram": 7.4099, "independent": 8.1756}
    distances = {"student": 0.2038, "histogram": 0.4161, "independent": 0.6106}
    result = {"returned": "student", "why": "its held-out NLL is below", "bits": 12, "shots": 1024, "nll": numbers}
    out = StringIO()
    show_distribution(result | {"total_variation": distances if known else None}, Console(file=out, width=200))
    for said in ("1,024 shots of 12 bits", "7.0371", "8.1756", "the student is given back: its held-out NLL"):
        assert said in out.getvalue()
    assert ("0.2038" in out.getvalue()) == known
