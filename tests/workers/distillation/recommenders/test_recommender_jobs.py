"""Jobs of recommenders from their body to their report."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from safetensors import safe_open

from qstill.contract.distillations.domains import AnyJob, Job
from tests.testing.refusals import problem_of
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.jobs import distil_job
from workers.distillation.recommenders.data.dataset import load
from workers.run import Stopped

pytestmark = pytest.mark.training

House = Callable[..., FakeRun]

JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)
EXAMPLE = Path(__file__).parents[4] / "examples" / "distil-recommender.json"

SMALL: dict[str, Any] = {
    "dataset": {"source": "synthetic_interactions", "users": 60, "items": 50, "per_user": 8},
    "teacher": {"source": "train", "architecture": {"kind": "matrix_factorisation", "dimensions": 8}},
    "student": {"architecture": {"kind": "matrix_factorisation", "dimensions": 2}},
    "objective": {"kind": "softmax_kl"},
    "training": {"epochs": 3, "batch_size": 128},
    "evaluation": {"seeds": 2, "k": 5},
}

RRD = {"kind": "rrd", "interesting": 5, "uninteresting": 5, "sharpness": 3.0}
RD = {"kind": "rd", "top": 5, "samples": 20, "warm_up": 1}
DE = {"kind": "de", "experts": 3, "weight": 0.1}


def job(**parts: Any) -> AnyJob:
    return JOBS.validate_json(json.dumps(SMALL | parts))


def done(house: House, wanted: AnyJob, **given: Any) -> tuple[FakeRun, dict[str, Any], dict[str, Any]]:
    """(run, result, report)."""
    run = house(**given)
    result = distil_job(wanted, run)
    return run, result, json.loads(run.published["report.json"])


def networks(run: FakeRun) -> dict[str, bytes]:
    return {name: content for name, content in run.published.items() if name != "report.json"}


@pytest.mark.parametrize("seed", range(3))
def test_with_few_items_left_there_is_always_an_uninteresting_one(house: House, seed: int) -> None:
    data = {"source": "synthetic_interactions", "users": 60, "items": 24, "per_user": 12}
    objective = {"kind": "rrd", "interesting": 5, "uninteresting": 5, "sharpness": 50.0}
    training = {"epochs": 2, "batch_size": 128, "seed": seed}
    done(house, job(dataset=data, objective=objective, training=training))


@pytest.mark.parametrize(
    "objective",
    [RD, RRD, DE, {"kind": "softmax_kl"}, {"kind": "sum", "terms": [{"objective": RRD}, {"objective": DE}]}],
    ids=lambda objective: str(objective["kind"]),
)
def test_every_objective_trains_students_that_listen(house: House, objective: dict[str, Any]) -> None:
    run, result, report = done(house, job(objective=objective))
    assert result["measure"] == "ndcg@5"
    assert result["verdict"] in {"BEATS", "NO BEATS", "INCONCLUSIVE"}
    assert result["checkpoints"] == 5
    assert report["soft_gradient_norm"] > 0
    assert not any("no gradient" in note for note in report["notes"])
    files = networks(run)
    assert files["student-seed-0.safetensors"] != files["baseline-seed-0.safetensors"]


@pytest.mark.parametrize(
    "architecture",
    [{"kind": "two_tower", "dimensions": 3, "tower": [4]}, {"kind": "mlp_scorer", "dimensions": 3, "hidden": [4]}],
    ids=lambda architecture: str(architecture["kind"]),
)
def test_every_architecture_learns_from_every_other(house: House, architecture: dict[str, Any]) -> None:
    objective = {"kind": "sum", "terms": [{"objective": each} for each in (RD, RRD, DE, {"kind": "softmax_kl"})]}
    parts = {"student": {"architecture": architecture}, "objective": objective, "evaluation": {"seeds": 1, "k": 5}}
    _, _, report = done(house, job(**parts))
    assert report["soft_gradient_norm"] > 0
    run, _, _ = done(house, job(teacher=SMALL["teacher"] | {"architecture": architecture}, objective=DE))
    assert "teacher.safetensors" in run.published


def test_a_student_that_does_not_listen_is_its_baseline(house: House) -> None:
    """The same weights, batches and negatives: without the teacher's term nothing is left to differ."""
    run, result, _ = done(house, job(objective=RRD | {"weight": 0.0}))
    files = networks(run)
    for seed in (0, 1):
        assert files[f"student-seed-{seed}.safetensors"] == files[f"baseline-seed-{seed}.safetensors"]
    assert result["gain"]["points"] == 0
    assert result["verdict"] == "NO BEATS"


@pytest.mark.parametrize("objective", [RD, {"kind": "sum", "terms": [{"objective": RRD}, {"objective": DE}]}])
@pytest.mark.parametrize("batches", [2, 11, 20])
def test_a_job_that_was_stopped_goes_on_to_the_same_bits(house: House, objective: dict[str, Any], batches: int) -> None:
    wanted = job(objective=objective, evaluation={"seeds": 1, "k": 5})
    whole, _, report = done(house, wanted)
    asked = iter(range(10_000))
    first = house(stop=lambda: next(asked) >= batches)
    with pytest.raises(Stopped):
        distil_job(wanted, first)
    second, _, again = done(house, wanted, resume=first.saved)
    assert first.published | networks(second) == networks(whole)
    assert again["student"]["runs"] == report["student"]["runs"]


def test_the_report_answers_what_one_wants_to_know(house: House) -> None:
    run, result, report = done(house, job(evaluation={"seeds": 2, "k": 5, "sampled_negatives": 10}))
    assert {note[:8] for note in report["notes"]} >= {"WARNING:"}
    assert any("Krichene and Rendle" in note for note in report["notes"])
    assert any("synthetic" in note for note in report["notes"])
    rows = report["rows"]
    assert rows["train"] + rows["validation"] + rows["test"] + rows["cold"] > 60 * 3
    for arm, count in (("teacher", 1), ("student", 2), ("baseline", 2)):
        assert len(report[arm]["runs"]) == count
        for one in report[arm]["runs"]:
            assert all(0 <= one[name] <= 1 for name in ("ndcg", "hit", "mrr", "overlap", "coverage"))
            assert one["sampled"]["ndcg"] > one["ndcg"]  # of ten items rather than of forty
        cost = report[arm]["cost"]
        assert cost["size"]["parameters"] == (60 + 50) * (8 if arm == "teacher" else 2) + 50
        assert cost["size"]["multiply_adds"] == 50 * (8 if arm == "teacher" else 2)
        assert 0 < cost["latency"]["p50_ms"] <= cost["latency"]["p95_ms"]
    assert report["teacher"]["summary"]["overlap"]["mean"] == 1
    head, tail = report["by_popularity"]
    assert head["items"] + tail["items"] == 50
    assert head["tested"] + tail["tested"] == rows["test"]
    assert head["items"] < tail["items"]
    differences = report["paired_differences_in_points"]["ndcg"]["differences"]
    students, baselines = ([one["ndcg"] for one in report[arm]["runs"]] for arm in ("student", "baseline"))
    assert differences == pytest.approx([100 * (s - b) for s, b in zip(students, baselines, strict=True)])
    assert result["gain"]["points"] == pytest.approx(sum(differences) / 2)
    assert len(run.published["teacher.safetensors"]) == report["teacher"]["cost"]["size"]["bytes"]


def test_without_sampled_measures_nobody_is_warned_of_them(house: House) -> None:
    _, _, report = done(house, job(evaluation={"seeds": 1, "k": 5, "baseline": False}))
    assert not any("sampled" in note for note in report["notes"])
    assert report["student"]["runs"][0]["sampled"] is None
    assert report["baseline"] is None
    assert report["verdict"] is None
    assert report["gain"] is None


def test_a_checkpoint_names_its_users_and_items(house: House, tmp_path: Path) -> None:
    run, _, _ = done(house, job(evaluation={"seeds": 1, "k": 5}))
    path = tmp_path / "student.safetensors"
    path.write_bytes(run.published["student-seed-0.safetensors"])
    with safe_open(path, framework="pt") as file:
        card = json.loads(file.metadata()["qstill"])
        assert file.get_tensor("user.weight").shape == (len(card["users"]), 2)
        assert file.get_tensor("item.weight").shape == (len(card["items"]), 2)
    assert card["domain"] == "recommender"
    assert card["architecture"] == {"kind": "matrix_factorisation", "dimensions": 2}


def lists_of(run: FakeRun, wanted: AnyJob, path: Path, first: int) -> None:
    """The teacher's first items of each user, as somebody would upload them."""
    data = load(wanted.dataset, {})  # type: ignore[arg-type]
    file = path.with_suffix(".safetensors")
    file.write_bytes(run.published["teacher.safetensors"])
    with safe_open(file, framework="pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in ("user.weight", "item.weight", "bias.weight")}
    scores = tensors["user.weight"] @ tensors["item.weight"].T + tensors["bias.weight"].T
    masked = scores.clone()
    masked[data.unseen.mask(torch.arange(data.users))] = -torch.inf
    rows = ["user,item,score"]
    for user, items in enumerate(masked.topk(first, dim=1).indices.flip(1).tolist()):
        rows += [f"{data.user_names[user]},{data.item_names[i]},{scores[user, i].item():.9g}" for i in items]
    path.write_text("\n".join(rows))


LISTS = {"source": "lists", "file": "file_1"}


def test_uploaded_lists_teach_what_the_network_taught(house: House, tmp_path: Path) -> None:
    """rd reads the order of the first items only: a list of them makes the same student, to the bit."""
    wanted = job(objective=RD)
    taught, _, _ = done(house, wanted)
    lists_of(taught, wanted, tmp_path / "lists.csv", 6)
    run, _, report = done(house, job(objective=RD, teacher=LISTS), files={"file_1": tmp_path / "lists.csv"})
    students = {name for name in networks(taught) if name.startswith("student")}
    assert all(run.published[name] == taught.published[name] for name in students)
    assert report["teacher"]["cost"] is None
    assert any("lists were uploaded" in note for note in report["notes"])


@pytest.mark.parametrize("objective", [RRD, {"kind": "softmax_kl"}], ids=["rrd", "softmax_kl"])
def test_users_without_a_list_learn_from_their_interactions(
    house: House, tmp_path: Path, objective: dict[str, Any]
) -> None:
    wanted = job(objective=objective)
    taught, _, _ = done(house, job(objective=RD))
    lists_of(taught, wanted, tmp_path / "all.csv", 8)
    header, *rows = (tmp_path / "all.csv").read_text().splitlines()
    some = [row for row in rows if int(row.split(",")[0]) % 2]
    (tmp_path / "some.csv").write_text("\n".join([header, *some]))
    run, _, report = done(house, job(objective=objective, teacher=LISTS), files={"file_1": tmp_path / "some.csv"})
    assert report["soft_gradient_norm"] > 0
    files = networks(run)
    assert files["student-seed-0.safetensors"] != files["baseline-seed-0.safetensors"]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("user,item,score\nnobody,1,2\n", "lists_mismatch", "Row 0: there is no user 'nobody'"),
        ("user,item,score\n1,999,2\n", "lists_mismatch", "Row 0: there is no item '999'"),
        ("user,item,score\n1,1,2\n1,1,3\n", "lists_invalid", "Row 1: a user's list names an item again"),
        ("user,item,score\n1,1,nan\n", "lists_invalid", "Row 0: score is 'nan', no number"),
        ("user,item,score\n1,1,1e300\n", "lists_invalid", "Row 0: score is too large"),
        ("user,item\n1,1\n", "lists_invalid", "one column 'score'"),
    ],
)
def test_lists_that_cannot_teach_are_refused(house: House, tmp_path: Path, text: str, code: str, said: str) -> None:
    path = tmp_path / "lists.csv"
    path.write_text(text)
    caught = problem_of(distil_job, job(teacher=LISTS), house(files={"file_1": path}))
    assert (caught.code, caught.pointer) == (code, "/teacher/file")
    assert said in caught.title


def test_lists_that_are_too_short_are_named(house: House, tmp_path: Path) -> None:
    wanted = job(objective=RD)
    taught, _, _ = done(house, wanted)
    lists_of(taught, wanted, tmp_path / "lists.csv", 4)
    caught = problem_of(distil_job, job(objective=RD, teacher=LISTS), house(files={"file_1": tmp_path / "lists.csv"}))
    assert caught.code == "lists_too_short"
    assert "names 4 items" in caught.title
    assert "needs 5" in caught.title


def test_a_user_who_chose_nearly_everything_is_named_before_anything_is_trained(house: House, tmp_path: Path) -> None:
    rows = [f"all,{item}" for item in range(20)] + [f"{user},{item}" for user in "abc" for item in range(6)]
    (tmp_path / "data.csv").write_text("user,item\n" + "\n".join(rows))
    wanted = job(dataset={"source": "interactions", "file": "file_1"}, objective=RRD)
    run = house(files={"file_1": tmp_path / "data.csv"})
    caught = problem_of(distil_job, wanted, run)
    assert caught.code == "too_few_items"
    assert "User 'all'" in caught.title
    assert run.published == {}


def test_a_loss_that_is_no_number_ends_the_training_with_a_way_out(house: House) -> None:
    training = SMALL["training"] | {
        "optimizer": "sgd",
        "learning_rate": 10.0,
        "loss": {"kind": "bce", "negatives": 100},
    }
    wild = job(training=training | {"epochs": 60}, teacher=SMALL["teacher"] | {"training": SMALL["training"]})
    wild = wild.model_copy(update={"objective": wild.objective.model_copy(update={"weight": 1e6})})
    caught = problem_of(distil_job, wild, house())
    assert caught.code == "training_diverged"
    assert caught.ways_out == [{"learning_rate": 1.0}]


def test_a_teacher_worse_than_popularity_is_told(house: House) -> None:
    data = {
        "source": "synthetic_interactions",
        "users": 60,
        "items": 50,
        "per_user": 8,
        "taste": 0.0,
        "popularity": 2.0,
    }
    short = SMALL["teacher"] | {"training": {"epochs": 1, "learning_rate": 1e-6}}
    _, _, report = done(house, job(dataset=data, teacher=short, evaluation={"seeds": 1, "k": 5}))
    assert any("no better than recommending the most popular" in note for note in report["notes"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_miniature_shows_rd_below_rrd_below_softmax_kl(house: House) -> None:
    """The example with each loss in turn. Measured: +2.0, +3.5 and +5.3 points of NDCG@10 over the plain student."""
    body = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    gains = []
    for objective in ({"kind": "rd", "top": 20, "position": 10.0, "weight": 0.3}, {"kind": "rrd"}, body["objective"]):
        _, result, _ = done(house, JOBS.validate_json(json.dumps(body | {"objective": objective})))
        assert result["verdict"] == "BEATS"
        gains.append(result["gain"]["points"])
    assert 0 < gains[0] < gains[1] < gains[2]
