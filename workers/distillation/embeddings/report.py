"""Measuring what a job trained, and the report: does the student keep the teacher's similarities?"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from qstill.contract.distillations.embeddings.job import EmbeddingJob, EmbeddingResult
from qstill.contract.distillations.embeddings.report import EmbeddingReport
from qstill.contract.distillations.embeddings.students import FewerLayers
from qstill.contract.distillations.measures.measure import SPEARMAN, Measure
from workers.distillation.artifacts.clock import timed
from workers.distillation.embeddings.learner import EncoderLearner
from workers.distillation.embeddings.metrics import Judge, Quality, judge_of
from workers.distillation.embeddings.plan import Stage
from workers.distillation.embeddings.students import Material, layers_of
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.pretrained.encoder import Form, TextEncoder, Transformer, WordVectors, trimmed
from workers.distillation.quality import Comparison, Size, compare, soft_gradient
from workers.distillation.report.frame import Cost, Measurements, Subject, framed, versions
from workers.distillation.report.notes import few_seeds
from workers.distillation.training.keeper import Outcome


@dataclass(frozen=True, kw_only=True)
class Vectors(Subject):
    """What an encoder says of the test sentences."""

    quality: Quality


@dataclass(frozen=True, kw_only=True)
class EmbeddingMeasurements(Measurements[Vectors]):
    """control: the mean of the teacher's word vectors. judge: of the test sentences."""

    control: Quality
    judge: Judge

    @property
    def measure(self) -> Measure:
        return SPEARMAN

    @property
    def summarised(self) -> tuple[str, ...]:
        return ("spearman", "ndcg", "mrr")

    @property
    def gain(self) -> Comparison | None:
        if not self.baselines:
            return None
        arms = (self.students, self.baselines)
        return compare(*([100 * one.quality.spearman for one in arm] for arm in arms), most=200)

    def besides(self, subject: Vectors) -> dict[str, Any]:
        return {}


def judge_of_test(material: Material) -> Judge:
    """Of the test sentences, whose positions among all become those among them."""
    data = material.data
    place = torch.full((len(data.texts),), -1).index_copy(0, data.test, torch.arange(len(data.test)))
    return judge_of(material.answers.vectors[data.test], place[data.belonging], 0)


def tokens_of_test(job: EmbeddingJob, stage: Stage, material: Material) -> Tensor:
    """What a student reads of the test sentences."""
    return material.tokens(stage.architecture, job.dataset.max_length)[material.data.test]


def measure(
    job: EmbeddingJob,
    material: Material,
    pairs: list[tuple[Stage, Stage]],
    outcomes: dict[str, Outcome],
    file_bytes: int,
) -> EmbeddingMeasurements:
    """The only place that reads the test sentences, once everything is trained. file_bytes: of the student's file."""
    judge, first = judge_of_test(material), pairs[0][0]
    tokens = tokens_of_test(job, first, material)
    teacher, words = material.teacher, _word_mean(material)
    with_marks = teacher.tokenizer.within(job.dataset.max_length).encode(material.data.texts)[material.data.test]

    def judged(network: TextEncoder, seed: int, outcome: Outcome | None) -> Vectors:
        return Vectors(
            seed=seed,
            epoch=0 if outcome is None else outcome.epoch,
            validation_score=None if outcome is None else outcome.validation_score,
            quality=judge(network.vectors(tokens)),
        )

    untaught = [judged(each.begin(material), each.seed, None) for _, each in pairs] if job.evaluation.baseline else []
    trained = first.trained(outcomes, material)
    return EmbeddingMeasurements(
        soft_gradient=_soft_gradient(job, first, material),
        teacher=Vectors(seed=None, epoch=None, validation_score=None, quality=judge(judge.teacher)),
        students=[judged(each.trained(outcomes, material), each.seed, outcomes[each.name]) for each, _ in pairs],
        baselines=untaught,
        teacher_cost=_cost(teacher.encoder, teacher.bytes, with_marks),
        student_cost=_cost(trained, file_bytes, tokens),
        teacher_digest=teacher.digest,
        curves={name: outcome.curve for name, outcome in outcomes.items()},
        control=judge(words.vectors(with_marks)),
        judge=judge,
    )


def _word_mean(material: Material) -> TextEncoder:
    """The mean of the teacher's vectors of words, which knows of no context."""
    theirs = material.teacher.encoder
    body = WordVectors(*theirs.body.words.shape)
    body.embedding.load_state_dict({"weight": theirs.body.words})
    return TextEncoder(body, Form("mean", True, theirs.form.pad)).eval()


def _cost(network: TextEncoder, file_bytes: int, tokens: Tensor) -> Cost:
    row = trimmed(tokens[:1], network.form.pad)

    def answer() -> Tensor:
        with torch.inference_mode():
            return network(row)  # type: ignore[no-any-return]

    return Cost(Size(parameters(network), file_bytes, None), timed(answer), timed="the first test sentence")


def _soft_gradient(job: EmbeddingJob, stage: Stage, material: Material) -> float:
    """Euclidean norm of the gradient over the untaught student's weights, in its first step."""
    learner = EncoderLearner(stage, material, job)
    return soft_gradient(learner.terms(learner.batches()[0]), learner.network)


def report(
    job: EmbeddingJob,
    material: Material,
    measured: EmbeddingMeasurements,
    short: EmbeddingResult,
    exports: list[dict[str, Any]],
    truncated: int,
) -> EmbeddingReport:
    """The whole document. exports: what is known of each file. truncated: sentences of which tokens were cut off."""
    data, answers = material.data, material.answers
    return EmbeddingReport.model_validate(
        {
            **framed(measured, short, exports, job.model_dump(mode="json")),
            "notes": notes(job, material, measured),
            "controls": {"word_vectors": asdict(measured.control)},
            "rows": {
                **{name: len(getattr(data, name)) for name in ("train", "validation", "test")},
                "test_pairs": measured.judge.pairs.shape[1],
                "belonging": len(measured.judge.belonging),
                "truncated": truncated,
            },
            "signal": {
                "computed": answers.computed,
                "reused": len(answers.vectors) - answers.computed,
                "width": answers.vectors.shape[1],
            },
            "digests": {
                "data": data.digest,
                "teacher": material.teacher.digest,
                "tokenizer": material.teacher.tokenizer.digest,
            },
            "versions": versions("torch", "numpy", "transformers", "tokenizers", "safetensors"),
        }
    )


def notes(job: EmbeddingJob, material: Material, measured: EmbeddingMeasurements) -> list[str]:
    """What a reader must know to judge the numbers, in plain words."""
    data, untaught = material.data, measured.worth(measured.baselines)
    said = [
        f"Spearman's correlation is that of the cosines of {measured.judge.pairs.shape[1]:,} pairs of held-out "
        "sentences with the teacher's cosines of the same pairs: 1 is the teacher's order. It is fidelity, and says "
        "nothing of whether the teacher is right.",
        "NDCG@10 and the mean reciprocal rank are of a held-out sentence that looks for "
        + ("what belongs to it" if len(data.belonging) else "what is nearest to it for the teacher, which is 1 there")
        + " among all other held-out ones.",
        "The baseline is the same student untaught, as it is before its first step; the control is the mean of the "
        "teacher's own word vectors, which no context reached.",
        "The interval covers batch order and weights that are drawn, over paired seeds. It does not cover which "
        "sentences there are, nor another teacher.",
        f"{len(data.validation):,} validation sentences chose the best epoch; the {len(data.test):,} test sentences "
        "were read once, at the end.",
        *material.teacher.notes,
    ]
    student, theirs = job.student.architecture, material.teacher.encoder.body
    if isinstance(student, FewerLayers) and isinstance(theirs, Transformer):
        depth = len(theirs.layers)
        chosen = ", ".join(map(str, layers_of(student, depth)))
        said.append(f"Of the teacher's {depth} layers the student has these, counted from 0: {chosen}.")
    best = max(measured.worth(measured.students))
    if untaught and best <= max(untaught):
        said.append("WARNING: the untaught student keeps as much of the teacher's order as the taught one.")
    if best <= measured.control.spearman:
        said.append(
            "WARNING: the mean of the teacher's word vectors keeps as much of its order, and needs no training."
        )
    return said + few_seeds(measured.gain)
