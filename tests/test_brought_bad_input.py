"""What people bring and no job can use, by the route on which it is refused: clear, early, and at no cost.

Doors answer in this process, where no worker is. Jobs and preflights are asked with files alone, and train nothing.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.errors import Problem
from tests.testing.folders import WORDS, changed, plain, zipped
from tests.testing.in_process import DIGITS, Json, refused, running
from tests.testing.refusals import problem_of
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.data.dataset import load
from workers.distillation.inspection import inspect
from workers.distillation.jobs import distil_job
from workers.distillation.networks.pretrained.folder import opened

FILE, OTHER = "file_1", "file_2"
WIDE = b"c," * 1_000_000 + b"y\n1,2\n"
PICKLE = b"\x80\x04K\x01." * 300
TEACHER: Json = {"source": "soft_labels", "file": OTHER, "kind": "probabilities"}
NOTHING: Json = {"class_map": {"cat": None, "dog": None}}
MEMORY = 1 << 30
FOLDERS: dict[str, tuple[Callable[[], dict[str, bytes]], str, str]] = {
    "remote code": (lambda: plain() | {"modeling_mine.py": b"import os"}, "remote_code", "modeling_mine.py"),
    "a map to remote code": (lambda: changed(plain(), auto_map={"AutoModel": "a--b.C"}), "remote_code", "auto_map"),
    "ids of another tokenizer": (
        lambda: changed(plain(), vocab_size=len(WORDS) - 1),
        "tokenizer_mismatch",
        "another model",
    ),
    "a config of 100 GB": (
        lambda: changed(plain(), hidden_size=8192, num_hidden_layers=120),
        "needs_more_memory",
        "MiB",
    ),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running(tmp_path_factory.mktemp("brought") / "data") as service:
        yield service.client
        assert service.client.get("/v1/jobs").json()["data"] == service.client.get("/v1/files").json()["data"] == []
        assert service.stored() == []


def by_upload(client: httpx.Client, content: bytes, name: str, purpose: str) -> httpx.Response:
    return client.post("/v1/files", params={"purpose": purpose, "name": name}, content=content)


def by_first_part(client: httpx.Client, content: bytes, name: str, purpose: str) -> httpx.Response:
    body = {"purpose": purpose, "name": name, "bytes": 2 * len(content), "part_bytes": len(content)}
    begun = client.post("/v1/uploads", json=body)
    if begun.status_code != 201:
        return begun
    place = begun.json()["links"]["self"]
    answer = client.put(f"{place}/parts/1", content=content)
    client.delete(place)
    return answer


@pytest.mark.parametrize("bring", [by_upload, by_first_part])
@pytest.mark.parametrize(
    ("content", "name", "purpose", "status", "code", "said"),
    [
        pytest.param(WIDE, "a.csv", "dataset", 422, "too_many_columns", "as its array x", id="10^6 columns"),
        pytest.param(WIDE.replace(b",", b"\t"), "a.tsv", "dataset", 422, "too_many_columns", "10,000", id="tabs"),
        pytest.param(PICKLE, "a.pkl", "teacher", 415, "unsupported_format", "run code", id="a pickle"),
        pytest.param(
            b"\x80\x04K\x01." * 300, "a.pt", "teacher", 422, "broken_file", "first bytes", id="a pickle as .pt"
        ),
    ],
)
def test_a_file_is_refused_as_it_comes(
    client: httpx.Client, bring: Any, content: bytes, name: str, purpose: str, status: int, code: str, said: str
) -> None:
    assert said in refused(bring(client, content, name, purpose), status, code)["title"]


@pytest.mark.parametrize("path", ["/v1/distillations", "/v1/distillations/preflight"])
@pytest.mark.parametrize(
    ("part", "given", "pointer", "code"),
    [
        pytest.param("teacher", TEACHER | NOTHING, "/teacher/class_map", "maps_nothing", id="a map of nothing"),
        pytest.param(
            "dataset",
            {"source": "file", "file": "file_1", "split": {"file": OTHER}, "time": "day"},
            "/dataset/time",
            "divided_twice",
            id="two ways to divide",
        ),
    ],
)
def test_a_request_is_refused_where_it_is_made(
    client: httpx.Client, path: str, part: str, given: Json, pointer: str, code: str
) -> None:
    problem = refused(client.post(path, json=DIGITS | {part: given}), 422, "validation_failed")
    assert (pointer, code) in {(error["pointer"], error["code"]) for error in problem["errors"]}


def table(*, columns: int = 3, rows: int = 40) -> bytes:
    """An Arrow file."""
    places = np.arange(rows)
    inputs = {f"c{number}": places * (number + 1) % 7 for number in range(columns)}
    content, stream = pa.table(inputs | {"kind": np.array(["oak", "elm", "yew"])[places % 3]}), io.BytesIO()
    with pa.ipc.new_file(stream, content.schema) as file:
        file.write_table(content)
    return stream.getvalue()


def soft(columns: int) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.full((40, columns), 1 / columns))
    return stream.getvalue()


JOBS: dict[str, tuple[Callable[[], bytes], Callable[[], bytes], Json, tuple[str, str, str]]] = {
    "a table of too many columns": (
        lambda: table(columns=10_001, rows=2),
        lambda: soft(3),
        {},
        ("dataset_invalid", "/dataset/file", "10002 columns"),
    ),
    "a map to classes of nobody": (
        table,
        lambda: soft(2),
        {"teacher": {"class_map": {"a": "oak", "b": "rose"}}},
        ("class_mismatch", "/teacher/class_map", "The map leads to 'rose'"),
    ),
    "a map that forgets a class": (
        table,
        lambda: soft(2),
        {"teacher": {"class_map": {"a": "oak", "b": "elm"}}},
        ("unknown_classes", "/teacher/class_map", "becomes 'yew'"),
    ),
    "a file of splits for other rows": (
        table,
        lambda: b"train\ntest\n",
        {"dataset": {"split": {"file": OTHER}}},
        ("dataset_invalid", "/dataset/split/file", "It has 2 rows, and the data 40"),
    ),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_and_its_preflight_refuse_alike_before_anything_is_trained(tmp_path: Path, name: str) -> None:
    data, other, said, (code, pointer, title) = JOBS[name]
    (tmp_path / "data").write_bytes(data())
    (tmp_path / "other").write_bytes(other())
    body: Json = {"dataset": {"source": "file", "file": FILE}, "teacher": TEACHER, "student": DIGITS["student"]}
    body = body | {part: body[part] | given for part, given in said.items()}
    job, found = DistillationJob.model_validate(body), list[Problem]()
    for ask in (
        lambda run: distil_job(job, run),
        lambda run: inspect(PreflightQuestion(job=job, seconds_limit=86_400.0), run),
    ):
        run = FakeRun(tmp_path, files={FILE: tmp_path / "data", OTHER: tmp_path / "other"})
        found.append(problem_of(ask, run))
        assert (run.events, run.published) == ([], {})
    assert (found[0].code, found[0].pointer) == (code, pointer)
    assert title in found[0].title
    assert found[0].document() == found[1].document()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_refused_before_anything_of_it_is_loaded(tmp_path: Path, name: str) -> None:
    content, code, said = FOLDERS[name]
    (tmp_path / "model.zip").write_bytes(zipped(content()))
    problem = problem_of(opened, tmp_path / "model.zip", tmp_path, memory=MEMORY)
    assert (problem.code, said in problem.title) == (code, True)


def test_a_word_that_no_training_row_has_is_kept_and_counted_and_said(tmp_path: Path) -> None:
    """The one of them that is no fault."""
    rows = [f"{number},{'rare' if number >= 34 else 'often'},{'ab'[number % 2]},{'train' if number < 30 else 'test'}"
            for number in range(40)]  # fmt: skip
    (tmp_path / "data").write_text("size,word,kind,part\n" + "\n".join(rows))
    spec = {"source": "file", "file": FILE, "label": "kind", "split": "part"}
    data = load(DistillationJob.model_validate(DIGITS | {"dataset": spec}).dataset, {FILE: tmp_path / "data"})  # type: ignore[arg-type]
    (note,) = [note for note in data.reading_notes if note.code == "words_unseen"]
    assert note.said.startswith("6 of ")
    assert "'rare'" in note.said
