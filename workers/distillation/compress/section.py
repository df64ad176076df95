"""The section of a report that sets distillation beside pruning and quantisation.

Everything is trained first, then every file is written and run. Latency is of all files in turns, so that what else the
machine does meets them alike.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from qstill.contract.distillations.architectures import family_of
from qstill.contract.distillations.compression import Compression, Quantisation
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.compression import CompressionSection, TheStudent
from qstill.contract.errors import Problem
from workers.distillation.artifacts.clock import Latency, latency_of, milliseconds_of
from workers.distillation.artifacts.column_graph import column_inputs, with_columns
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.artifacts.student_onnx import INPUTS, LOGITS, calibration_rows, onnx_logits
from workers.distillation.compress import judge
from workers.distillation.compress.blueprint import Blueprint
from workers.distillation.compress.fine_tune import fine_tuned, pruned, stage_of
from workers.distillation.compress.int4 import GROUP, to_int4
from workers.distillation.compress.int8 import to_int8_dynamic, to_int8_static
from workers.distillation.compress.pack import packed
from workers.distillation.compress.search import ROOM, least_that_fits, steps_of
from workers.distillation.compress.ways import Pruned, Way, searched_families, ways_of
from workers.distillation.data.dataset import Data
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.costs import multiply_adds
from workers.distillation.networks.network import Network
from workers.distillation.quality import agreement
from workers.distillation.rows import Rows
from workers.distillation.teachers import Teacher
from workers.distillation.training.keeper import Keeper
from workers.distillation.training.plan import Lesson, Stage, baseline_lesson
from workers.distillation.training.stage import Role
from workers.run import Run, Stopped

ROUNDS, RUNS_A_ROUND = 6, 50  # 300 timings of each file, in turns
SECONDS_A_ROUND = 0.1  # of one file at most: a large one is timed fewer times

FILES = (
    "Bytes are of the ONNX file as it would be shipped, its standardisation inside, without a description. A tensor of "
    "n values of b bytes, m of them other than the commonest, is stored sparse where that is shorter: these values and "
    "a bitmap, n/8 + (m + 1)·b bytes, or these values and gaps of one byte between them, about (m + 1)·(b + 1). "
    "onnxruntime puts it together when it loads the file. Weights of 4 bits are stored two in a byte, with one float32 "
    f"scale for each {GROUP} inputs of a unit."
)
CHOICE = (
    "In each family the validation rows chose which sparsity stands for it; test rows only say how good it is. Units "
    "go by the L1 norm of their incoming weights, layer by layer; weights by their size, over all layers together."
)
LATENCY = (
    "Latency is of one row, by onnxruntime on the threads of this job for all alike, in turns. A file is called as "
    f"fast as the student up to {judge.AS_FAST:g} times its median: less is noise. No sparsity is looked for by "
    "latency, because clocks would then decide what is computed."
)
COLUMNS = (
    "Bytes and milliseconds are of the networks behind the encoding of the table's columns, which is the same for all. "
    "Published files have it inside, and take raw rows."
)


@dataclass(frozen=True)
class Origin:
    """What is made smaller: the teacher, or the student of each seed. lesson: what it goes on learning from."""

    networks: list[Network]
    data: Data
    lesson: Lesson
    blueprint: Blueprint

    def of_seed(self, number: int) -> Network:
        """There is one teacher for all seeds."""
        return self.networks[min(number, len(self.networks) - 1)]


def compression_section(
    job: DistillationJob, data: Data, teacher: Teacher, lesson: Lesson, pairs: list[tuple[Stage, Stage]], keeper: Keeper
) -> CompressionSection | None:
    """None where the job does not ask for it. lesson: the students'. pairs: of all seeds, trained."""
    if job.compression is None:
        return None
    work = _Work(job, job.compression, data, teacher, lesson, pairs, keeper)
    made = work.made()
    by_bytes, by_latency = judge.table(made, "bytes"), judge.table(made, "latency")
    published = judge.front(made)
    for each in published:
        work.publish(each)
    columns = None if data.encoding is None else COLUMNS
    said = [judge.verdict(by_bytes, "bytes"), judge.verdict(by_latency, "latency"), judge.smaller_still(by_bytes)]
    return CompressionSection(
        verdicts=[sentence for sentence in said if sentence],
        notes=[FILES, CHOICE, work.fine_tuning_note(), LATENCY, *filter(None, [columns, judge.magnitude_note(made)])],
        seeds=len(work.pairs),
        student=TheStudent(bytes=made[0].bytes, p50_ms=made[0].latency.p50_ms),
        candidates=[judge.candidate(each, each.way.file if each in published else None) for each in made],
        at_equal_bytes=[judge.rival(row) for row in by_bytes],
        at_equal_latency=[judge.rival(row) for row in by_latency],
    )


def refuse_without_network(job: DistillationJob, teacher: Teacher) -> None:
    """Raise the Problem of a teacher that cannot be made smaller as it is asked for, before a student is trained."""
    if job.compression is None:
        return
    if not isinstance(teacher.network, Network):
        title = "What is pruned and quantised is the teacher's network, and this teacher gives answers only."
        raise Problem("compression_needs_network", title, pointer="/compression", ways_out=[{"compression": None}])
    if teacher.encoding is not None:
        title = "The teacher encodes the columns of the table in a way of its own, and the student in another."
        raise Problem("compression_unavailable", title, pointer="/teacher", ways_out=[{"compression": None}])
    if teacher.architecture is not None and not family_of(teacher.architecture).compresses:
        title = f"A {teacher.architecture.kind} is neither pruned nor quantised, and this teacher is one."
        raise Problem("compression_unavailable", title, pointer="/teacher", ways_out=[{"compression": None}])
    if "structured" in job.compression.kinds() and not teacher.network.joints():
        title = "The teacher's network has no units that can be removed: leave structured pruning out."
        raise Problem("no_structure", title, pointer="/compression/pruning", ways_out=[{"kind": "magnitude"}])


class _Work:
    """What one comparison is made of."""

    def __init__(
        self,
        job: DistillationJob,
        asked: Compression,
        data: Data,
        teacher: Teacher,
        lesson: Lesson,
        pairs: list[tuple[Stage, Stage]],
        keeper: Keeper,
    ) -> None:
        self.job, self.asked, self.data, self.keeper, self.run = job, asked, data, keeper, keeper.run
        self.pairs = pairs[: asked.seeds]
        self._written: dict[tuple[Pruned, int], bytes] = {}
        self.calibration = calibration_rows(data)
        own, theirs = network_of(teacher), data_of(teacher, data)
        students = [student.trained(keeper.outcomes, data) for student, _ in self.pairs]
        blueprint = Blueprint(students[0], data)
        labels = baseline_lesson(data)
        self.origins: dict[Role, Origin] = {
            "teacher": Origin([own], theirs, labels, Blueprint(own, theirs)),
            "student": Origin(students, data, lesson, blueprint),
        }
        if job.evaluation.baseline:
            baselines = [baseline.trained(keeper.outcomes, data) for _, baseline in self.pairs]
            self.origins["baseline"] = Origin(baselines, data, labels, blueprint)

    def made(self) -> list[judge.Made]:
        """All ways, the distilled student first: trained, then written and run, then timed in turns."""
        ways = ways_of(self.asked, baseline=self.job.evaluation.baseline)
        ways += self._searched(ways)
        for way in dict.fromkeys(replace(way, quantisation=None, searched=False) for way in ways if way.pruning):
            for number in range(len(self.pairs)):
                self._network(way, number)
        made = []
        for done, way in enumerate(ways):
            self._progress(done, len(ways))
            made.append(self._measured(way))
        self._progress(len(ways), len(ways))
        timings = in_turns([self._place(way) for way in ways], self.data.train.raw[:1], self.run)
        return [replace(each, latency=latency) for each, latency in zip(made, timings, strict=True)]

    def publish(self, made: judge.Made) -> None:
        """Hand over the file of the first seed."""
        told = judge.candidate(made, made.way.file)
        meta = told.model_dump(include={"role", "pruning", "sparsity", "quantisation", "max_logit_difference"})
        meta |= {"format": "onnx", "seed": self.pairs[0][0].seed, "accuracy": made.accuracies[0]}
        meta |= {"input": INPUTS, "input_shape": list(self.data.input_shape), "output": LOGITS}
        meta |= {"standardisation": "inside", "latency": told.latency.model_dump()}
        path, encoding = self._place(made.way), self.data.encoding
        if encoding is not None:
            path.write_bytes(with_columns(path.read_bytes(), encoding))
            meta["columns"] = [each.model_dump() for each in column_inputs(encoding, [LOGITS])]
        self.run.publish(path, kind="export", name=made.way.file, media_type="application/octet-stream", meta=meta)

    def fine_tuning_note(self) -> str:
        """How what was pruned went on learning."""
        epochs = self.asked.fine_tune_epochs
        long = (
            "as many epochs as the student, so for as many optimizer steps," if epochs is None else f"{epochs} epochs"
        )
        rate = self.asked.learning_rate(self.job.training.learning_rate)
        return (
            f"What was pruned was trained for {long} with the student's settings, at a learning rate of {rate:.4g}: "
            "the teacher on the labels that the student saw, the student on what it had learned from before. The best "
            "epoch was chosen by the validation rows, the one before training among them."
        )

    def _searched(self, ways: list[Way]) -> list[Way]:
        """Of each family, the one that just fits into the student's bytes, where one does and is not there already."""
        limit = int(ROOM * len(self._file(ways[0], 0)))
        teacher, found = self.origins["teacher"], []
        alike: dict[Pruned, bytes] = {}  # before quantisation, which families share

        def length(way: Way, sparsity: float) -> int:
            way = replace(way, sparsity=sparsity)
            if self.run.stop_requested():
                raise Stopped
            if way.network not in alike:
                alike[way.network] = teacher.blueprint.as_long(pruned(teacher.networks[0], way)[0])
            return len(shortened(alike[way.network], way.quantisation, self.calibration[:1]))

        families = searched_families(self.asked)
        for done, (role, kind, quantisation) in enumerate(families):
            self.run.progress(phase="looking for sparsities", done=done, total=len(families), unit="families")
            way = Way(role, kind, 0.0, quantisation, searched=True)
            steps = steps_of(teacher.networks[0], kind or "")
            sparsity = least_that_fits(partial(length, way), steps, limit)
            if sparsity and not any(each.family == way.family and each.sparsity == sparsity for each in ways):
                found.append(replace(way, sparsity=sparsity))
        return found

    def _network(self, way: Way, number: int) -> Network:
        """The network of a way before it is quantised. number: of the seed."""
        origin = self.origins[way.role]
        network = origin.of_seed(number)
        if way.pruning is None:
            return network
        stage = stage_of(self.job, self.asked, way, network, self.pairs[number][0])
        epochs = self.asked.fine_tune_epochs
        return fine_tuned(stage, origin.lesson, origin.data, self.keeper, epochs=epochs)

    def _file(self, way: Way, number: int) -> bytes:
        """Ways that differ in their quantisation only come after one another, and are written once."""
        key = way.network, number
        if key not in self._written:
            self._written = {of: file for of, file in self._written.items() if of[0] == way.network}
            self._written[key] = self.origins[way.role].blueprint.write(self._network(way, number))
        return shortened(self._written[key], way.quantisation, self.calibration)

    def _measured(self, way: Way) -> judge.Made:
        """All but its latency."""
        origin, test, validation = self.origins[way.role], self.data.test, self.data.validation
        alone = way.pruning is None and way.role == "teacher"  # the same file for all seeds
        lengths, accuracies, chosen, differences, agreements = [], [], [], [], []
        for number in range(1 if alone else len(self.pairs)):
            if self.run.stop_requested():
                raise Stopped  # what was trained is saved
            content = self._file(way, number)
            if number == 0:
                self._place(way).write_bytes(content)
            expected = logits_of(origin.of_seed(number), origin.data.test.x)
            found = onnx_logits(content, test.raw, self.run.threads)
            lengths.append(len(content))
            accuracies.append(_accuracy(found, test))
            chosen.append(_accuracy(onnx_logits(content, validation.raw, self.run.threads), validation))
            differences.append(float((found - expected).abs().max()))
            agreements.append(agreement(found, expected))
        network = self._network(way, 0)
        return judge.Made(
            way=way,
            bytes=max(lengths),
            latency=Latency(0.0, 0.0, 0),
            accuracies=accuracies,
            validation=chosen,
            weights=sum(int(each.count_nonzero()) for each in network.parameters()),
            multiply_adds=multiply_adds(network, self.data.input_shape),
            max_logit_difference=max(differences),
            agreement=float(np.mean(agreements)),
            rows=len(test.raw),
        )

    def _place(self, way: Way) -> Path:
        return self.run.scratch / f"{way.name}.onnx"

    def _progress(self, done: int, total: int) -> None:
        self.run.progress(phase="pruned and quantised networks", done=done, total=total, unit="files")


def shortened(content: bytes, quantisation: Quantisation | None, calibration: Tensor) -> bytes:
    """A file as it is shipped: quantised, and each tensor stored the shorter way. calibration: raw training rows."""
    match quantisation:
        case "int8_dynamic":
            content = to_int8_dynamic(content)
        case "int8_static":
            content = to_int8_static(content, calibration)
        case "int4_weights":
            content = to_int4(content)
    return packed(content)


def in_turns(files: list[Path], raw: Tensor, run: Run) -> list[Latency]:
    """Of one raw row (1, ...), each file for a while, again and again."""
    one, timings = raw.numpy(), [list[float]() for _ in files]
    for _ in range(ROUNDS):
        for file, milliseconds in zip(files, timings, strict=True):
            if run.stop_requested():
                raise Stopped
            session = open_session(file.read_bytes(), run.threads)
            answer = partial(session.run, [LOGITS], {INPUTS: one})
            milliseconds += milliseconds_of(answer, RUNS_A_ROUND, SECONDS_A_ROUND)
    return [latency_of(milliseconds) for milliseconds in timings]


def network_of(teacher: Teacher) -> Network:
    """With its logits in the order of the data's classes."""
    assert isinstance(teacher.network, Network)
    network = deepcopy(teacher.network)
    if teacher.order is not None:
        with torch.no_grad():
            network.head.weight.copy_(network.head.weight[teacher.order])
            network.head.bias.copy_(network.head.bias[teacher.order])
    return network


def data_of(teacher: Teacher, data: Data) -> Data:
    """The data as the teacher is shown it."""
    if teacher.standardisation is None:
        return data
    standardise = teacher.standardisation
    train, validation, test = (
        replace(rows, x=standardise(rows.raw)) for rows in (data.train, data.validation, data.test)
    )
    return replace(data, train=train, validation=validation, test=test, standardisation=standardise)


def _accuracy(logits: Tensor, rows: Rows) -> float:
    return float((logits.argmax(1) == rows.y).double().mean())
