"""The report: does distillation beat the same recommender trained without the teacher on the same budget?"""

from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import torch

from qstill.contract.distillations.measures.measure import Measure, ranking
from qstill.contract.distillations.recommenders.data import SyntheticInteractions
from qstill.contract.distillations.recommenders.job import RecommenderJob, RecommenderResult, UploadedLists
from qstill.contract.distillations.recommenders.report import RecommenderReport
from qstill.contract.distillations.teachers import Registered
from workers.distillation.artifacts.onnx_file import notes_of_exports
from workers.distillation.quality import Comparison, compare
from workers.distillation.recommenders.data.dataset import Data
from workers.distillation.recommenders.learner import MAX_VALIDATION_USERS
from workers.distillation.recommenders.metrics import Quality, Ranks, coverage, head_items, hit_of, overlap
from workers.distillation.report.frame import Measurements, Subject, framed, versions
from workers.distillation.report.notes import few_seeds

MEASURES = ("ndcg", "hit", "mrr")


@dataclass(frozen=True, kw_only=True)
class Lists(Subject):
    """What a network recommends. sampled: the measures among drawn items, where they were asked for."""

    ranks: Ranks
    quality: Quality
    sampled: Quality | None


@dataclass(frozen=True, kw_only=True)
class RankingMeasurements(Measurements[Lists]):
    """k: of the measures. items: how many there are."""

    k: int
    items: int
    popularity: Quality

    @property
    def measure(self) -> Measure:
        return ranking(f"ndcg@{self.k}")

    @property
    def summarised(self) -> tuple[str, ...]:
        return (*MEASURES, "overlap", "coverage")

    @property
    def gain(self) -> Comparison | None:
        return self.gained("ndcg")

    def gained(self, measure: str) -> Comparison | None:
        """The same of another measure, in hundredths."""
        if not self.baselines:
            return None
        arms = (self.students, self.baselines)
        return compare(*([100 * getattr(one.quality, measure) for one in arm] for arm in arms), most=100)

    def besides(self, subject: Lists) -> dict[str, Any]:
        return {
            "overlap": overlap(subject.ranks, self.teacher.ranks),
            "coverage": coverage(subject.ranks, self.items),
            "sampled": subject.sampled and asdict(subject.sampled),
        }


def report(
    job: RecommenderJob,
    data: Data,
    measured: RankingMeasurements,
    short: RecommenderResult,
    exports: list[dict[str, Any]],
) -> RecommenderReport:
    """The whole document. exports: what is known of each file that was exported."""
    paired = {measure: measured.gained(measure) for measure in MEASURES}
    return RecommenderReport.model_validate(
        {
            **framed(measured, short, exports, job.model_dump(mode="json")),
            "notes": notes(job, data, measured) + notes_of_exports(exports),
            "popularity": asdict(measured.popularity),
            "paired_differences_in_points": {name: each and asdict(each) for name, each in paired.items()},
            "by_popularity": by_popularity(job, data, measured),
            "rows": _row_counts(data),
            "digests": {"data": data.digest, "teacher": measured.teacher_digest},
            "versions": versions("torch", "numpy", "pyarrow", "safetensors"),
        }
    )


def notes(job: RecommenderJob, data: Data, measured: RankingMeasurements) -> list[str]:
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
    if not (measured.soft_gradient or 0) > 0:
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
    return said + few_seeds(measured.gain)


def by_popularity(job: RecommenderJob, data: Data, measured: RankingMeasurements) -> list[dict[str, Any]]:
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


def _row_counts(data: Data) -> dict[str, int]:
    return {
        "users": data.users,
        "items": data.items,
        "train": len(data.train),
        "validation": len(data.validation),
        "test": len(data.test),
        "cold": data.cold,
    }
