"""Language models behind OpenAI-compatible servers: in every shape, answers are what they say of each token."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import torch
from fastapi.responses import JSONResponse
from torch.testing import assert_close

from qstill.contract.distillations.job import DistillationJob
from tests.testing.openai_server import Served, byte_pairs, table
from tests.testing.refusals import problem_of
from tests.workers.distillation.teachers.remote.conftest import FILES
from workers.distillation import teachers
from workers.distillation.data.adopted import adopted
from workers.distillation.data.dataset import Data
from workers.distillation.distil import load_data
from workers.distillation.jobs import distil_job
from workers.distillation.networks.texts.tokens import PAD
from workers.distillation.signals.sparse import SparseSignal
from workers.distillation.teachers import Teacher, answers_of, signal_and_use
from workers.run import Run, Stopped

Make = Callable[..., Any]
Files = dict[str, Path]
Heard = tuple[Data, Teacher, Run]


@pytest.fixture
def heard(house: Make, files: Files) -> Callable[..., Heard]:
    """The data of a job, its teacher, and the house in which both are."""

    def make(job: DistillationJob, served: Served, **given: Any) -> Heard:
        host = served.url.removeprefix("http://").split("/")[0]
        run = house(**{"files": files, "hosts": frozenset({host})} | given)
        data = load_data(job, run)
        return data, teachers.loaded(job.teacher, data, run, storage=job.signal), run  # type: ignore[arg-type]

    return make


WAYS = [("vllm", "echo"), ("strings", "echo"), ("llama.cpp", "next_token"), ("strings", "next_token")]


@pytest.mark.parametrize(("style", "how"), WAYS)
def test_the_signal_is_the_models_likeliest_tokens(
    serve: Make, served_job: Make, heard: Make, files: Files, style: str, how: str
) -> None:
    served = serve(style)
    job = served_job(served, teacher={"log_probabilities": how})
    data, teacher, run = heard(job, served)
    signal, use = signal_and_use(teacher, data, job.signal, run)
    assert isinstance(signal, SparseSignal)
    assert use.computed_rows == len(data.train.labels)
    known = adopted(files[FILES["file_2"]].read_bytes(), None)
    real = (data.train.x != PAD).flatten()
    tokens = torch.tensor(known.theirs)[data.train.x.flatten()[real]]
    log_p = torch.tensor(served.log_p(tokens.tolist()))
    top = log_p.topk(5)
    numbers = torch.tensor(known.theirs)[signal.indices[real].long()]
    told = {int(n) for n in top.indices.unique()} if style in ("vllm", "llama.cpp") else _whole(known.original)
    compared = 0
    for row in range(len(numbers)):
        mine = dict(zip(numbers[row].tolist(), signal.logits[row_of(real, row)].tolist(), strict=True))
        for token, value in zip(top.indices[row].tolist(), top.values[row].tolist(), strict=True):
            if token in told:  # others are spelled alike where tokens are no whole characters
                assert mine[token] == pytest.approx(value, abs=1e-4)
                compared += 1
    assert compared > len(numbers)


def row_of(real: torch.Tensor, number: int) -> int:
    return int(real.nonzero()[number])


def _whole(tokenizer: tokenizers.Tokenizer) -> set[int]:
    """Tokens that are whole characters."""
    size = tokenizer.get_vocab_size()
    return {n for n in range(size) if "\ufffd" not in tokenizer.decode([n], skip_special_tokens=False)}


def test_its_likelihood_counts_the_token_of_the_text(serve: Make, served_job: Make, heard: Make, files: Files) -> None:
    served = serve()
    data, teacher, run = heard(served_job(served), served)
    logits = answers_of(teacher, data, data.test, run)
    known = adopted(files[FILES["file_2"]].read_bytes(), None)
    theirs = torch.tensor(known.theirs)
    inner = (data.test.x != PAD)[:, :-1] & (data.test.x != PAD)[:, 1:]  # the server does not see a row's last label
    at = torch.cat([inner, torch.zeros(len(inner), 1, dtype=torch.bool)], dim=1).flatten()
    tokens, labels = theirs[data.test.x.flatten()[at]], data.test.y.flatten()[at]
    expected = torch.tensor(served.log_p(tokens.tolist())).gather(1, theirs[labels][:, None])[:, 0]
    got = torch.log_softmax(logits.double(), 1)[at].gather(1, labels[:, None])[:, 0]
    assert_close(got, expected, atol=1e-5, rtol=0)
    assert_close(torch.logsumexp(logits[at], 1), torch.zeros(int(at.sum())), atol=1e-4, rtol=0)


def test_a_job_learns_from_it_and_a_later_one_asks_nothing(
    serve: Make, served_job: Make, house: Make, files: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    served = serve()
    job = served_job(served, teacher={"headers": FILES["file_3"]})
    host = served.url.removeprefix("http://").split("/")[0]
    first, second = (house(files=files, hosts=frozenset({host}), cache=tmp_path / "cache") for _ in range(2))
    result = distil_job(job, first)
    assert {each["authorization"] for each in served.headers} == {"Bearer do-not-repeat-me"}
    said = [json.dumps(result), json.dumps(first.events), json.dumps(first.metas), caplog.text]
    said += [content.decode("latin-1") for content in first.published.values()]
    assert not any("do-not-repeat-me" in text for text in said)
    report = json.loads(first.published["report.json"])
    assert report["signal"]["top_k"] == 5
    assert any("bears" in note for note in report["notes"])
    assert report["teacher"]["cost"]["size"] is None
    before = len(served.asked)
    assert distil_job(job, second)["student_sha256"] == result["student_sha256"]
    assert len(served.asked) == before


def test_who_was_stopped_asks_for_the_rest_alone(serve: Make, served_job: Make, heard: Make, tmp_path: Path) -> None:
    served = serve()
    job = served_job(served)
    data, teacher, run = heard(job, served, cache=tmp_path / "cache", stop=lambda: len(served.asked) > 3)
    with pytest.raises(Stopped):
        signal_and_use(teacher, data, job.signal, run)
    before = len(served.asked)
    data, teacher, run = heard(job, served, cache=tmp_path / "cache")
    signal_and_use(teacher, data, job.signal, run)
    rows = -(-len(data.train.x) // 8)
    assert before == 4
    assert len(served.asked) - before == rows - 3 + 1, "the rest, and one to learn how the server spells"


def test_a_server_of_another_tokenizer_is_refused(serve: Make, served_job: Make, heard: Make, files: Files) -> None:
    other = byte_pairs(["A zoo of zebras, lynxes and gnus: quite another text."] * 3, 280)
    other.save(str(files[FILES["file_2"]]))
    for style, how in WAYS:
        served = serve(style, log_p=table(300))
        data, teacher, _ = heard(served_job(served, teacher={"log_probabilities": how}), served)
        print(style, how)
        problem = problem_of(lambda asked=teacher, rows=data.test: asked.logits(rows))
        assert (problem.code, problem.pointer) == ("tokenizer_mismatch", "/teacher/tokenizer"), (style, how)


def test_who_gives_no_log_probabilities_is_refused_with_a_way_out(serve: Make, served_job: Make, heard: Make) -> None:
    silent, no_echo = serve("tgi"), serve("llama.cpp")
    data, teacher, _ = heard(served_job(silent), silent)
    problem = problem_of(lambda: teacher.logits(data.test))
    assert (problem.code, problem.pointer) == ("log_probabilities_unavailable", "/teacher/log_probabilities")
    assert "without log-probabilities" in problem.title
    data, teacher, _ = heard(served_job(no_echo), no_echo)
    problem = problem_of(lambda: teacher.logits(data.test))
    assert problem.code == "log_probabilities_unavailable"
    assert problem.ways_out == [{"log_probabilities": "next_token"}]


def test_it_is_asked_again_when_it_says_so_and_its_words_are_passed_on(
    serve: Make, served_job: Make, heard: Make
) -> None:
    served = serve()
    data, teacher, _ = heard(served_job(served), served)
    served.instead = [JSONResponse({}, 429, {"Retry-After": "0"}), JSONResponse({}, 503)]
    teacher.logits(data.test)
    served = serve()
    data, teacher, _ = heard(served_job(served, signal={"top_k": 40}), served)
    problem = problem_of(lambda: teacher.logits(data.test))
    assert (problem.code, problem.pointer) == ("endpoint_failed", "/teacher/url")
    assert "logprobs may not exceed 20" in problem.title


def test_a_complaint_that_repeats_the_secret_is_not_passed_on(serve: Make, served_job: Make, heard: Make) -> None:
    served = serve()
    data, teacher, _ = heard(served_job(served, teacher={"headers": FILES["file_3"]}), served)
    served.instead = [JSONResponse({"error": {"message": "Incorrect API key: do-not-repeat-me"}}, 401)]
    assert problem_of(lambda: teacher.logits(data.test)).title == "The endpoint answered 401."


GOOD = {"choices": [{"index": 0, "logprobs": {"tokens": ["a", "b"], "top_logprobs": [None, {"c": -0.5}]}}]}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ([], "endpoint_failed"),
        ({"choices": "many"}, "endpoint_failed"),
        ({"choices": [1]}, "endpoint_failed"),
        ({"choices": []}, "endpoint_failed"),
        (
            {"choices": [{"logprobs": {"tokens": ["a"], "top_logprobs": [{"c": -0.5}]}}]},
            "log_probabilities_unavailable",
        ),
        ({"choices": [{"logprobs": {"tokens": ["a"] * 3, "top_logprobs": []}}]}, "log_probabilities_unavailable"),
        (GOOD, "endpoint_failed"),
    ],
)
def test_an_answer_of_another_shape_ends_it_at_once(
    serve: Make, served_job: Make, heard: Make, answer: Any, code: str
) -> None:
    served = serve()
    data, teacher, _ = heard(served_job(served), served)
    served.instead = [JSONResponse(answer)]
    assert problem_of(lambda: teacher.logits(data.test)).code == code
    assert len(served.asked) == 1


def test_inner_addresses_are_refused(serve: Make, served_job: Make, heard: Make) -> None:
    served = serve()
    problem = problem_of(lambda: heard(served_job(served), served, hosts=frozenset()))
    assert (problem.code, problem.pointer) == ("url_refused", "/teacher/url")
    assert served.asked == []
