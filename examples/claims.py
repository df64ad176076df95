"""The claims of figures.py: which jobs each posts, and which numbers of their reports it holds against which goals."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

HERE = Path(__file__).parent
T_95 = {5: 2.776, 12: 2.201}  # the 97.5 % quantile of Student's t by the number of pairs
AS_MANY_STEPS = 960  # epochs of 50 rows, against 60 of a pool: two batches each, against some thirty
RECOVERED = "3"  # the digit that distil-digits-unseen.json leaves out

Report = dict[str, Any]


@dataclass(frozen=True)
class Post:
    """A job to post: a file of this folder, and fields that are changed, by their JSON pointers.

    encoder: whether it names the encoder of a package, which is uploaded first. rows: the program of this folder
    that writes its table, which is uploaded first, too.
    """

    file: str
    changes: tuple[tuple[str, Any], ...] = ()
    encoder: bool = False
    rows: str | None = None

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((HERE / self.file).read_text(encoding="utf-8"))
        for pointer, value in self.changes:
            *path, last = pointer.strip("/").split("/")
            part = body
            for name in path:
                part = part[name]
            part[last] = value
        return body


@dataclass(frozen=True)
class Figure:
    """A number that reports give, with the least that it has to be (most, if `at_most`)."""

    claim: str
    measured: float
    goal: float
    unit: str = "points"
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.measured <= self.goal if self.at_most else self.measured >= self.goal


@dataclass(frozen=True)
class Show:
    """Jobs, and what their reports are read for."""

    posts: tuple[Post, ...]
    figures: Callable[[list[Report]], list[Figure]]


def accuracy(report: Report, arm: str) -> float:
    """Per cent of the test rows, mean over seeds."""
    return 100 * float(report[arm]["summary"]["accuracy"]["mean"])


def gain(report: Report) -> float:
    """Student minus baseline, paired by seed, in points."""
    return float(report["gain"]["points"])


def few_labels(reports: list[Report]) -> list[Figure]:
    students = fmean(accuracy(report, "student") for report in reports)
    return [
        Figure("50 labels and a pool, 1,210 weights: accuracy, mean over splits", students, 95, "%"),
        Figure("the same over no teacher", fmean(map(gain, reports)), 18),
    ]


def all_labels(reports: list[Report]) -> list[Figure]:
    beaten = sum(report["verdict"] == "BEATS" for report in reports)
    return [Figure("all labels: splits on which the verdict is BEATS", beaten, 0, "", at_most=True)]


def unseen(reports: list[Report]) -> list[Figure]:
    recalls = [row["student"] for report in reports for row in report["per_class"] if row["class"] == RECOVERED]
    return [Figure("a digit that a student of 1,210 weights never saw: recall", 100 * fmean(recalls), 90, "%")]


def noise(reports: list[Report]) -> list[Figure]:
    return [Figure("40 % of the labels wrong: over no teacher", fmean(map(gain, reports)), 1.5)]


def matching(reports: list[Report]) -> list[Figure]:
    """Three jobs a split, whose students are paired by their seeds."""
    consistent, plain, inconsistent = (
        [100 * run["accuracy"] for report in reports[way::3] for run in report["student"]["runs"]] for way in range(3)
    )
    return [
        Figure("blends that the teacher is asked about, over none: lower end", lower_end(consistent, plain), 0),
        Figure("none, over blends that it is not asked about: lower end", lower_end(plain, inconsistent), 0),
    ]


def lower_end(first: list[float], second: list[float]) -> float:
    """Of the 95 % interval of the mean of first - second, paired."""
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return fmean(differences) - T_95[len(differences)] * stdev(differences) / math.sqrt(len(differences))


def recommender(reports: list[Report]) -> list[Figure]:
    rd, rrd, softmax = map(gain, reports)
    return [
        Figure("recommender, NDCG@10: RD over no teacher", rd, 0.5),
        Figure("recommender: RRD over RD", rrd - rd, 0.5),
        Figure("recommender: softmax-KL over RRD", softmax - rrd, 0.5),
    ]


def times_smaller(report: Report) -> float:
    teacher, student = (report[arm]["cost"]["size"]["parameters"] for arm in ("teacher", "student"))
    return float(teacher / student)


def classifier(reports: list[Report]) -> list[Figure]:
    (report,) = reports
    lost = accuracy(report, "teacher") - accuracy(report, "student")
    return [
        Figure("text classifier: times smaller than its teacher", times_smaller(report), 8, "×"),
        Figure("text classifier: accuracy lost to it", lost, 5, at_most=True),
        Figure("text classifier: over no teacher", gain(report), 12),
    ]


def language_model(reports: list[Report]) -> list[Figure]:
    (report,) = reports
    teacher, student, baseline = (
        report["language_model"][arm]["bits_per_character"]["mean"] for arm in ("teacher", "student", "baseline")
    )
    return [
        Figure("language model: times smaller than its teacher", times_smaller(report), 8, "×"),
        Figure("language model: lost to it", student - teacher, 0.5, "bits a character", at_most=True),
        Figure("language model: over no teacher", baseline - student, 0.0, "bits a character"),
    ]


def masked(reports: list[Report]) -> list[Figure]:
    """Two jobs: students begun from their teacher, and from random weights."""
    begun, random = (report["masked_language_model"] for report in reports)
    teacher, student, baseline = (begun[arm]["bits_per_token"]["mean"] for arm in ("teacher", "student", "baseline"))
    gained = random["student"]["bits_per_token"]["mean"] - student
    unit = "bits a token"
    return [
        Figure(
            "masked language model, half the blocks: lost to its teacher", student - teacher, 0.1, unit, at_most=True
        ),
        Figure("the same over no teacher", baseline - student, 0.3, unit),
        Figure("the same over beginning from random weights", gained, 0.1, unit),
    ]


def encoder(reports: list[Report]) -> list[Figure]:
    """Two jobs: half of the layers of MiniLM, and a table of word vectors."""
    half, words = (report["student"]["summary"]["spearman"]["mean"] for report in reports)
    untaught = reports[0]["baseline"]["summary"]["spearman"]["mean"]
    control = reports[0]["controls"]["word_vectors"]["spearman"]
    return [
        Figure("MiniLM with half its layers: Spearman of cosines with its own", half, 0.85, ""),
        Figure("the same over the same student untaught", half - untaught, 0.2, ""),
        Figure("word vectors: times smaller than MiniLM", times_smaller(reports[1]), 10, "×"),
        Figure("word vectors: Spearman of cosines with MiniLM's", words, 0.7, ""),
        Figure("the same over the mean of MiniLM's own word vectors", words - control, 0.3, ""),
    ]


def properties(reports: list[Report]) -> list[Figure]:
    """Of several labels a row, a job for each way to divide them."""
    students = fmean(100 * report["student"]["summary"]["f1_macro"]["mean"] for report in reports)
    beaten = sum(report["verdict"] == "BEATS" for report in reports)
    return [
        Figure("five properties of digits, 60 labelled rows: macro F1, mean over splits", students, 92, "%"),
        Figure("the same over no teacher", fmean(map(gain, reports)), 8),
        Figure("the same: splits on which the verdict is BEATS", beaten, len(reports), ""),
        Figure("the same: times smaller than its teacher", times_smaller(reports[0]), 10, "×"),
    ]


def over_the_smaller_teacher(report: Report) -> float:
    """Student minus the best of the teacher made smaller that takes no more bytes; all of its own where none does."""
    fitting = [row for row in report["compression"]["at_equal_bytes"] if row["fits"]]
    rivals = [row for row in fitting if row["name"].startswith("teacher")]
    return min((float(row["student_minus_this"]["points"]) for row in rivals), default=accuracy(report, "student"))


def budget(reports: list[Report]) -> list[Figure]:
    """Two jobs: digits, and a table with words and gaps. Who is ten times smaller is looked for."""
    found = []
    for name, report, lost, gained in zip(("digits", "a table"), reports, (4, 3), (4, 4), strict=True):
        costs = accuracy(report, "teacher") - accuracy(report, "student")
        found += [
            Figure(f"{name} within a budget: times smaller than its teacher", times_smaller(report), 10, "×"),
            Figure("the same: accuracy lost to it", costs, lost, at_most=True),
            Figure("the same: over no teacher", gain(report), gained),
            Figure("the same: over the teacher pruned or quantised, bytes", over_the_smaller_teacher(report), 0),
        ]
    return found


def from_encoder(reports: list[Report]) -> list[Figure]:
    """An encoder that learns few labels, and a bag of words that learns from it."""
    (report,) = reports
    return [
        Figure("MiniLM on 160 labels: accuracy", accuracy(report, "teacher"), 58, "%"),
        Figure("a bag of words taught by it: times smaller", times_smaller(report), 1000, "×"),
        Figure("the same: lost to it", accuracy(report, "teacher") - accuracy(report, "student"), 10, at_most=True),
        Figure("the same over no teacher", gain(report), 3),
    ]


def quantum(reports: list[Report]) -> list[Figure]:
    """Three jobs: 50 labels and a pool, the same 50 labels without it, and every label; five seeds each."""
    pool, few, every = reports
    controls = pool["quantum"]["controls"]

    def over(control: str) -> float:
        return float(controls[control]["student_minus_control"]["points"])

    taught = [[100 * run["accuracy"] for run in report["student"]["runs"]] for report in (pool, few)]
    lost = accuracy(every, "baseline") - accuracy(pool, "student")
    calibration = pool["student"]["summary"]["expected_calibration_error"]["mean"]
    return [
        Figure("six qubits: a pool over its 50 labels, both distilled", gain_of(*taught), 6),
        Figure("the same: lower end", lower_end(*taught), 0),
        Figure("six qubits over an mlp of as many weights", over("same_size_mlp"), 2),
        Figure("six qubits over the same circuit with random angles", over("frozen"), 7),
        Figure("six qubits: lost to all labels", lost, 1.5, at_most=True),
        Figure("six qubits: calibration error", calibration, 0.03, "", at_most=True),
        Figure("six qubits over a linear student (no goal)", over("linear"), -100),
    ]


def gain_of(first: list[float], second: list[float]) -> float:
    return fmean(a - b for a, b in zip(first, second, strict=True))


def on_splits(file: str, splits: Sequence[int], rows: str | None = None) -> tuple[Post, ...]:
    """One job for each way to divide the rows: a figure that holds for one of them is luck."""
    return tuple(Post(file, (("/dataset/split_seed", split),), rows=rows) for split in splits)


RD = {"kind": "rd", "top": 20, "position": 10.0, "weight": 0.3}

SHOWS: dict[str, Show] = {
    "digits": Show(on_splits("distil-digits-few-labels.json", range(3)), few_labels),
    "all-labels": Show(on_splits("distil-digits-all-labels.json", range(3)), all_labels),
    "unseen": Show(on_splits("distil-digits-unseen.json", range(5)), unseen),
    "noise": Show(on_splits("distil-digits-noise.json", range(3)), noise),
    "properties": Show(on_splits("distil-digit-properties.json", range(3), "digit_properties.py"), properties),
    "matching": Show(
        tuple(
            Post("distil-digits-matching.json", (("/dataset/split_seed", split), *change))
            for split in range(3)
            for change in ((), (("/training/augmentation", None),), (("/training/augmentation/consistent", False),))
        ),
        matching,
    ),
    "recommender": Show(
        (
            Post("distil-recommender.json", (("/objective", RD),)),
            Post("distil-recommender.json", (("/objective", {"kind": "rrd"}),)),
            Post("distil-recommender.json"),
        ),
        recommender,
    ),
    "quantum": Show(
        (
            Post("distil-digits-quantum.json"),
            Post(
                "distil-digits-quantum.json",
                (
                    ("/dataset/unlabelled_pool", False),
                    ("/training/epochs", AS_MANY_STEPS),
                    ("/evaluation/controls", False),
                ),
            ),
            Post("distil-digits-quantum.json", (("/dataset/labelled", None), ("/evaluation/controls", False))),
        ),
        quantum,
    ),
    "encoder": Show(
        (Post("distil-encoder-half.json", encoder=True), Post("distil-encoder-words.json", encoder=True)), encoder
    ),
    "budget": Show((Post("distil-digits-budget.json"), Post("distil-table-budget.json", rows="people.py")), budget),
    "from-encoder": Show((Post("distil-topics-from-encoder.json", encoder=True),), from_encoder),
    "classifier": Show((Post("distil-topics-classifier.json"),), classifier),
    "language-model": Show((Post("distil-topics-language-model.json"),), language_model),
    "masked": Show(
        (
            Post("distil-topics-masked.json"),
            Post(
                "distil-topics-masked.json",
                (("/student/initialise_from_teacher", None), ("/evaluation/baseline", False)),
            ),
        ),
        masked,
    ),
}
