"""A sweep tries what it says, resumes as if nothing had happened, and its front is what no other trial beats."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sweeps.chart import front_chart
from qstill.contract.sweeps.results import TrialView
from qstill.contract.sweeps.sweep import Sweep, apply, grid
from tests.testing.examples import examples
from tests.testing.refusals import errors_of, problem_of
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.jobs import distil_job as distil
from workers.distillation.trials.pareto import front
from workers.run import Stopped
from workers.sweeps.run import run
from workers.sweeps.search import Search, draws

pytestmark = pytest.mark.training

BASE: dict[str, Any] = {
    "dataset": {"source": "builtin", "name": "iris", "labelled": 9},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [16]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
    "training": {"epochs": 4, "batch_size": 16},
    "evaluation": {"seeds": 2},
}
GRID: dict[str, Any] = {
    "/objective/temperature": [1.0, 4.0],
    "/student/architecture/hidden": [[3], [6]],
    "/training/learning_rate": [0.001, 0.03],
}

HALVING = "successive_halving"


def sweep(**changes: Any) -> Sweep:
    return Sweep.model_validate({"base": BASE, "space": GRID} | changes)


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., FakeRun]:
    count = itertools.count()
    return lambda **given: FakeRun(tmp_path / str(next(count)), **given)


@given(
    st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(), min_size=1, max_size=4, unique=True), min_size=1)
)
@settings(max_examples=examples(30))
def test_a_grid_is_every_combination_once(space: dict[str, list[int]]) -> None:
    found = list(grid(space))
    wanted = {frozenset(zip(space, each, strict=True)) for each in itertools.product(*space.values())}
    assert len(found) == len(wanted)
    assert {frozenset(each.items()) for each in found} == wanted


@given(st.integers(0, 2**53 - 1), st.booleans())
@settings(max_examples=examples(30), deadline=None)
def test_draws_stay_in_their_space_and_follow_from_the_seed(seed: int, log: bool) -> None:
    space = {
        "/training/learning_rate": {"low": 0.001, "high": 0.1, "log": log},
        "/training/epochs": {"low": 2, "high": 9, "integer": True, "log": log},
        "/objective/alpha": [0.1, 0.5],
    }
    spec = sweep(space=space, search="random", trials=20, seed=seed)
    found = list(draws(spec))
    assert found == list(draws(spec))
    assert len(found) == 20
    for setting in found:
        assert 0.001 <= setting["/training/learning_rate"] <= 0.1
        assert setting["/training/epochs"] in range(2, 10)
        assert setting["/objective/alpha"] in (0.1, 0.5)
        apply(spec.base, setting)


def test_optuna_asks_the_same_again_when_it_hears_the_same() -> None:
    space = {"/training/learning_rate": {"low": 0.001, "high": 0.1, "log": True}, "/objective/alpha": [0.1, 0.5, 0.9]}
    spec = sweep(space=space, search="optuna", trials=25, seed=3)

    def asked() -> list[Any]:
        search, found = Search(spec), []
        for round_of_settings in search.rounds():
            found += round_of_settings
            search.tell([-abs(each["/training/learning_rate"] - 0.05) for each in round_of_settings])
        return found

    first = asked()
    assert first == asked()
    assert len(first) == 25


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in ("seconds", "latency_ms", "front")}
    return [timeless(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "changes",
    [
        {"pruning": "median"},
        {"space": {"/training/clip_norm": [0.5, 1.0, 2.0], "/objective/alpha": [0.1, 0.9]}, "pruning": "median"},
        {"search": "optuna", "trials": 12, "space": {"/training/learning_rate": {"low": 0.001, "high": 0.1}}},
    ],
    ids=["stacked", "one by one", "optuna"],
)
def test_a_sweep_that_was_stopped_ends_as_an_unbroken_one(house: Callable[..., FakeRun], changes: Any) -> None:
    spec, whole = sweep(**changes), house()
    result = run(spec, whole)
    saved, published = None, dict[str, bytes]()
    for stop_after in (3, 9, 14):
        asked = iter(range(stop_after))
        stopped = house(resume=saved, stop=lambda asked=asked: next(asked, None) is None)
        with pytest.raises(Stopped):
            run(spec, stopped)
        saved = stopped.saved
        published |= stopped.published
    last = house(resume=saved)
    assert timeless(run(spec, last)) == timeless(result)
    published |= last.published
    trials = [timeless(json.loads(each["trials.json"])) for each in (whole.published, published)]
    assert trials[0] == trials[1]
    best = f"trial-{result['best']['number']}-student-seed-0.safetensors"
    assert whole.published[best] == published[best]


def test_a_sweep_says_what_it_found(house: Callable[..., FakeRun]) -> None:
    made = house()
    result = run(sweep(), made)
    trials = json.loads(made.published["trials.json"])
    members = json.loads(made.published["pareto.json"])
    assert [trial["number"] for trial in trials] == list(range(8))
    assert sum(kind == "trial" for kind, _ in made.events) == 8
    assert result["best"]["accuracy"] == max(trial["accuracy"] for trial in trials)
    assert result["stacked_students"] == 16
    costs = [(-trial["accuracy"], trial["bytes"], trial["latency_ms"]) for trial in trials]
    assert sorted(member["number"] for member in members) == sorted(front(costs))
    assert all(0 <= member["test_accuracy"] <= 1 for member in members)
    assert not any("test_accuracy" in trial for trial in trials)


def test_a_combination_that_cannot_be_trained_fails_alone(house: Callable[..., FakeRun]) -> None:
    space = {"/training/warm_up": [0, 3], "/training/epochs": [3, 4]}
    made = house()
    result = run(sweep(space=space, search="random", trials=12), made)
    trials = json.loads(made.published["trials.json"])
    failed = [trial for trial in trials if trial["status"] == "failed"]
    impossible = {"/training/warm_up": 3, "/training/epochs": 3}
    assert [trial["setting"] for trial in failed] == [impossible] * result["failed"]
    assert 0 < len(failed) < 12
    assert all("3 epochs" in trial["reason"] for trial in failed)


@pytest.mark.parametrize("pruning", ["median", "successive_halving"])
def test_trials_that_are_hopeless_are_given_up(house: Callable[..., FakeRun], pruning: str) -> None:
    made = house()
    space = {"/training/learning_rate": [1e-9, 1e-8, 0.01, 0.02, 0.03], "/training/epochs": [9]}
    result = run(sweep(space=space, pruning=pruning), made)
    trials = json.loads(made.published["trials.json"])
    assert result["pruned"] == sum(trial["status"] == "pruned" for trial in trials) > 0
    assert {trial["number"] for trial in trials if trial["status"] == "pruned"} & {0, 1}
    assert result["best"]["status"] == "complete"


def test_halving_keeps_a_third_at_each_of_its_steps(house: Callable[..., FakeRun]) -> None:
    made = house()
    rates = [10.0**-exponent for exponent in range(1, 10)]
    result = run(sweep(space={"/training/learning_rate": rates, "/training/epochs": [18]}, pruning=HALVING), made)
    trials = json.loads(made.published["trials.json"])
    complete = [trial for trial in trials if trial["status"] == "complete"]
    assert 1 <= len(complete) <= 3 + ties(trials)
    assert result["pruned"] == 9 - len(complete)
    assert max(trial["accuracy"] for trial in trials) == result["best"]["accuracy"]


def ties(trials: list[dict[str, Any]]) -> int:
    """Trials that are exactly as good as another: none of them is given up for the other."""
    accuracies = [trial["accuracy"] for trial in trials]
    return sum(accuracies.count(accuracy) > 1 for accuracy in accuracies)


def test_a_problem_of_the_base_points_into_the_base(house: Callable[..., FakeRun]) -> None:
    base = BASE | {"training": BASE["training"] | {"class_weights": [1.0, 2.0]}}
    assert problem_of(run, sweep(base=base), house()).pointer == "/base/training/class_weights"


NUMBERS: dict[str, Any] = {
    "base": {
        "dataset": {"source": "builtin", "name": "diabetes", "task": "regression", "labelled": 60},
        "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [16]}},
        "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
        "objective": {"kind": "logit_mse", "alpha": 0.5},
        "training": {"epochs": 6, "batch_size": 32},
        "evaluation": {"seeds": 2},
    },
    "space": {"/objective/alpha": [0.2, 1.0], "/student/architecture/hidden": [[3], [8]], "/training/ema": [None, 0.9]},
}


def test_trials_of_real_numbers_are_their_single_runs_and_are_ranked_by_rmse(house: Callable[..., FakeRun]) -> None:
    """Half of them are stacked; those with an average are not."""
    made, spec = house(), Sweep.model_validate(NUMBERS)
    result = run(spec, made)
    trials, members = (json.loads(made.published[name]) for name in ("trials.json", "pareto.json"))
    assert [trial["stacked"] for trial in trials] == [True, False] * 4
    assert result["measure"] == "rmse"
    assert result["best"]["rmse"] == min(trial["rmse"] for trial in trials)
    assert all(trial["accuracy"] is None and len(trial["rmses"]) == 2 for trial in trials)
    costs = [(trial["rmse"], trial["bytes"], trial["latency_ms"]) for trial in trials]
    assert sorted(result["front"]) == sorted(front(costs))
    for member in members[:2]:
        alone = house()
        distil(apply(spec.base, member["setting"]), alone)
        report = json.loads(alone.published["report.json"])
        assert member["test_rmse"] == pytest.approx(report["student"]["summary"]["rmse"]["mean"], rel=1e-4)
    shown = {"gain", "verdict", "baseline"}
    alone = house()
    single = distil(apply(spec.base, result["best"]["setting"]), alone)
    assert result["student"]["mean"] == pytest.approx(single["student"]["mean"], rel=1e-4)
    assert all(result[name] is not None for name in shown)
    picture = front_chart([TrialView.model_validate(trial) for trial in trials], set(result["front"]))
    assert "RMSE" in picture.description


def test_sixty_four_quantum_students_are_their_single_runs(house: Callable[..., FakeRun]) -> None:
    circuit = {"kind": "quantum", "qubits": 4, "layers": 2}
    teacher = BASE["teacher"] | {"training": BASE["training"]}  # the same, whatever a trial's students are trained by
    base = BASE | {"teacher": teacher, "student": {"architecture": circuit}}
    base["evaluation"] = {"seeds": 4, "controls": False}
    space = {
        "/objective/temperature": [1.0, 2.0, 4.0, 8.0],
        "/objective/alpha": [0.5, 1.0],
        "/training/learning_rate": [0.01, 0.05],
    }
    made, spec = house(), Sweep.model_validate({"base": base, "space": space})
    result = run(spec, made)
    trials = json.loads(made.published["trials.json"])
    assert result["stacked_students"] == 64
    assert not any("controls" in note for note in result["notes"])
    assert all(trial["stacked"] for trial in trials)
    for trial in (trials[0], trials[-1]):
        alone = house()
        distil(apply(spec.base, trial["setting"]), alone)
        report = json.loads(alone.published["report.json"])
        found = [each["validation_accuracy"] for each in report["student"]["runs"]]
        assert trial["accuracies"] == pytest.approx(found)


def test_a_sweep_says_that_quantum_students_have_no_controls_in_it(house: Callable[..., FakeRun]) -> None:
    base = BASE | {"student": {"architecture": {"kind": "quantum", "qubits": 4, "layers": 1}}}
    space = {"/objective/temperature": [1.0, 2.0]}
    result = run(Sweep.model_validate({"base": base | {"training": {"epochs": 1}}, "space": space}), house())
    assert "A sweep trains no controls of a quantum student" in result["notes"][-1]
    (refused,) = errors_of(sweep, base=base | {"evaluation": {"quantum": {}}}, space=space)
    assert (refused["type"], refused["loc"]) == ("not_in_a_sweep", ("base", "evaluation", "quantum"))


@pytest.mark.parametrize(
    "changes",
    [
        {"search": "optuna", "trials": 12, "space": {"/training/learning_rate": {"low": 0.001, "high": 0.1}}},
        {"pruning": "median", "space": {"/training/learning_rate": [1e-9, 1e-8, 0.01, 0.02, 0.03]}},
    ],
)
def test_searches_and_pruning_read_numbers(house: Callable[..., FakeRun], changes: Any) -> None:
    made = house()
    result = run(Sweep.model_validate(NUMBERS | changes), made)
    trials = json.loads(made.published["trials.json"])
    assert result["best"]["rmse"] == min(trial["rmse"] for trial in trials if trial["status"] == "complete")
    assert {trial["number"] for trial in trials if trial["status"] == "pruned"} <= {0, 1}
    assert (result["pruned"] > 0) == ("pruning" in changes)
