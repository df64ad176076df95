"""The report: does distillation beat the same recommender trained without the teacher on the same budget?"""

from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import torch

from qstill.contract.distillations.recommenders.data import SyntheticInteractions
from qstill.contract.distillations.recommenders.job import RecommenderJob, RecommenderResult, UploadedLists
from qstill.contract.distillations.recommenders.report import RecommenderReport
from qstill.contract.distillations.teachers import Registered
from workers.distillation.artifacts.onnx_file import notes_of_exports
from workers.distillation.quality import Comparison, compare, mean_sd
from workers.distillation.recommenders.data.dataset import Data
from workers.distillation.recommenders.learner import MAX_VALIDATION_USERS
from workers.distillation.recommenders.metrics import Quality, Ranks, coverage, head_items, hit_of, overlap, quality
from workers.distillation.report.frame import in_short, versions
from workers.distillation.report.measurements import Cost
from workers.distillation.report.notes import few_seeds
from workers.distillation.training.keeper import Curve, Point

MEASURES = ("ndcg", "hit", "mrr")


@dataclass(frozen=True)
class Subject:
    """One recommender on the test pairs. epoch, validation_ndcg: of the weights chosen; None for uploaded lists.

    sampled: the measures among drawn items, where they were asked for.
    """

    seed: int | None
    epoch: int | None
    validation_ndcg: float | None
    ranks: Ranks
    quality: Quality
    sampled: Quality | None


@dataclass(frozen=True)
class Measurements:
    """All that was measured. teacher_cost: None where only the teacher's lists are known. curves: by their stages."""

    teacher: Subject
    students: list[Subject]
    baselines: list[Subject]
    teacher_cost: Cost | None
    student_cost: Cost
    soft_gradient: float
    teacher_digest: str
    popularity: Quality
    curves: dict[str, Curve]


def gain(measured: Measurements, measure: str = "ndcg") -> Comparison | None:
    """Student minus baseline in hundredths, or None without a baseline."""
    if not measured.baselines:
        return None
    arms = (measured.students, measured.baselines)
    return compare(*([100 * getattr(one.quality, measure) for one in arm] for arm in arms), most=100)


def result(
    job: RecommenderJob, measured: Measurements, *, checkpoints: int, student_sha256: str, seconds: float
) -> RecommenderResult:
    """The few numbers for the job's row."""
    teacher, students, baselines = (
        [one.quality.ndcg for one in arm] for arm in ([measured.teacher], measured.students, measured.baselines)
    )
    return RecommenderResult(
        measure=f"ndcg@{job.evaluation.k}",
        checkpoints=checkpoints,
        student_sha256=student_sha256,
        **in_short(teacher, students, baselines, gain(measured), seconds=seconds),
    )


def report(
    job: RecommenderJob, data: Data, measured: Measurements, short: RecommenderResult, exports: list[dict[str, Any]]
) -> RecommenderReport:
    """The whole document. exports: what is known of each file that was exported."""
    paired = {measure: gain(measured, measure) for measure in MEASURES}
    return RecommenderReport.model_validate(
        {
            **short.model_dump(mode="json"),
            "notes": notes(job, data, measured) + notes_of_exports(exports),
            "teacher": _arm([measured.teacher], measured.teacher_cost, measured, data),
            "student": _arm(measured.students, measured.student_cost, measured, data),
            "baseline": _arm(measured.baselines, measured.student_cost, measured, data) if measured.baselines else None,
            "popularity": asdict(measured.popularity),
            "paired_differences_in_points": {name: each and asdict(each) for name, each in paired.items()},
            "curves": {name: [_point(each) for each in curve] for name, curve in measured.curves.items()},
            "by_popularity": by_popularity(job, data, measured),
            "exports": exports,
            "soft_gradient_norm": measured.soft_gradient,
            "rows": _row_counts(data),
            "seed": job.training.seed,
            "job": job.model_dump(mode="json"),
            "digests": {"data": data.digest, "teacher": measured.teacher_digest},
            "versions": versions("torch", "numpy", "pyarrow", "safetensors"),
        }
    )


def notes(job: RecommenderJob, data: Data, measured: Measurements) -> list[str]:
    """What a reader must know to judge the numbers, in plain words."""
    k = job.evaluation.k
    said = [
        f"Every held-out item was ranked among those of the {data.items} items that its user had not chosen before; "
        "items of equal score count as ranked before it.",
        "Student and baseline started from the same weights and saw the same batches and negatives for as many steps; "
        "the teacher is the only difference.",
        f"NDCG@{k} on {len(data.validation)} validation interactions chose the best epoch of every network trained; "
        f"the {len(data.test)} test interactions were read once, at the end.",
        "The interval covers initial weights, batch order and what was drawn, over paired seeds. It does not cover "
        "which users and items there are, nor another teacher.",
    ]
    if isinstance(job.dataset, SyntheticInteractions):
        said.append("The interactions are synthetic: they compare methods, and say nothing about people.")
    if isinstance(job.teacher, Registered):
        said.append(
            f"The teacher is {job.teacher.model}, made elsewhere. If it was trained on held-out interactions, every "
            "number here flatters it. Users whom it does not know were learned from interactions alone."
        )
    if isinstance(job.teacher, UploadedLists):
        said.append(
            "The teacher's lists were uploaded. If it knew the held-out interactions, every number flatters it."
        )
    if len(torch.unique(data.validation.users)) > MAX_VALIDATION_USERS:
        said.append(f"Of the validation users, {MAX_VALIDATION_USERS} drawn ones chose the epochs.")
    if data.cold:
        said.append(
            f"{data.cold} held-out interactions were left out: their user or item is not in the training split, and a "
            "recommender that knows users and items by number can say nothing about them."
        )
    if measured.teacher.quality.ndcg <= measured.popularity.ndcg:
        said.append("WARNING: the teacher is no better than recommending the most popular items to everybody.")
    if not measured.soft_gradient > 0:
        said.append("WARNING: the teacher's term has no gradient; the student cannot learn from this teacher.")
    if job.evaluation.sampled_negatives is not None:
        said.append(
            f"WARNING: `sampled` measures rank each item among {job.evaluation.sampled_negatives} drawn ones. "
            "They are far higher than those over all items and can order models wrongly (Krichene and Rendle 2020, "
            "doi:10.1145/3394486.3403226); the verdict does not read them."
        )
    costs = measured.teacher_cost, measured.student_cost
    sizes = [cost.size.parameters for cost in costs if cost and cost.size]
    if len(sizes) == 2 and sizes[1] > sizes[0]:
        said.append("The student is larger than the teacher.")
    if job.training.patience is not None:
        said.append("Training could end early, so student and baseline may have taken different numbers of steps.")
    return said + few_seeds(gain(measured))


def by_popularity(job: RecommenderJob, data: Data, measured: Measurements) -> list[dict[str, Any]]:
    """Hit@k of head and tail items, mean over seeds, and what the teacher changed, in points."""
    head = head_items(data.train.items, data.items)
    rows = []
    for name, members in (("head", head), ("tail", ~head)):
        tested = members[data.test.items]
        teacher, student, baseline = (
            fmean(hits)
            if (hits := [hit for one in arm if (hit := hit_of(one.ranks, tested, job.evaluation.k)) is not None])
            else None
            for arm in ([measured.teacher], measured.students, measured.baselines)
        )
        change = None if student is None or baseline is None else 100 * (student - baseline)
        counts = {"items": int(members.sum()), "tested": int(tested.sum())}
        hits_of_all = {"teacher": teacher, "student": student, "baseline": baseline, "change_in_points": change}
        rows.append({"items_of": name, **counts, **hits_of_all})
    return rows


def subject(ranks: Ranks, k: int, sampled_ranks: Ranks | None, **chosen: Any) -> Subject:
    """Measure what was ranked."""
    sampled = None if sampled_ranks is None else quality(sampled_ranks, k)
    return Subject(ranks=ranks, quality=quality(ranks, k), sampled=sampled, **chosen)


def _arm(subjects: list[Subject], cost: Cost | None, measured: Measurements, data: Data) -> dict[str, Any]:
    """Each seed's measures, their spread, and the cost that all share."""
    runs = [
        {
            "seed": one.seed,
            "epoch": one.epoch,
            "validation_ndcg": one.validation_ndcg,
            **asdict(one.quality),
            "overlap": overlap(one.ranks, measured.teacher.ranks),
            "coverage": coverage(one.ranks, data.items),
            "sampled": one.sampled and asdict(one.sampled),
        }
        for one in subjects
    ]
    names = (*MEASURES, "overlap", "coverage")
    summary = {name: mean_sd([run[name] for run in runs]).model_dump() for name in names}
    return {"summary": summary, "runs": runs, "cost": asdict(cost) if cost else None}


def _point(of: Point) -> dict[str, Any]:
    return {"epoch": of.epoch, "loss": of.loss, "validation_ndcg": of.validation_score}


def _row_counts(data: Data) -> dict[str, int]:
    return {
        "users": data.users,
        "items": data.items,
        "train": len(data.train),
        "validation": len(data.validation),
        "test": len(data.test),
        "cold": data.cold,
    }
