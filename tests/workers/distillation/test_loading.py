"""The program in a card says what the service says, of every family of networks, with torch and safetensors alone."""

import json
import re
import unicodedata
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.distillations.card import card
from app.distillations.loading import program
from app.distillations.recommenders.card import ranking_card
from app.distillations.recommenders.loading import NETWORKS as SCORERS
from app.distillations.recommenders.loading import program as program_of_recommender
from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.computing.tokens import TOKENIZERS
from qstill.contract.distillations.datasets import BuiltinData, BuiltinText
from qstill.contract.distillations.recommenders.architectures import Scorer
from qstill.contract.distillations.recommenders.job import RecommenderJob
from qstill.contract.distillations.recommenders.report import read_ranking
from qstill.contract.distillations.report.document import read_report
from qstill.contract.distillations.tokenizers import BpeTokenizer, CharacterTokenizer, Trainable, WordTokenizer
from qstill.contract.models.questions import AskMasked, AskPrompts, AskRows, AskTexts, AskUsers, Question
from tests.workers.distillation.programs import Case, answers_of, program_in
from tests.workers.distillation.recommenders.test_recommender_jobs import done
from tests.workers.distillation.recommenders.test_recommender_jobs import job as ranking_job
from workers.distillation.artifacts.checkpoints import to_bytes
from workers.distillation.data.dataset import Data, load
from workers.distillation.data.texts import load_text
from workers.distillation.data.tokenizer import Tokenizer, trained
from workers.distillation.jobs import distil_job
from workers.distillation.networks.families import build
from workers.distillation.predict.rows import predict
from workers.distillation.recommenders import checkpoints as of_recommenders
from workers.distillation.recommenders.data.dataset import load as load_interactions
from workers.distillation.recommenders.networks import build as build_scorer

pytestmark = [pytest.mark.training, pytest.mark.timeout(300)]  # torch is imported once more

Make = Callable[..., Any]
NAME = "model_" + "0" * 32
FILE = "ckpt_0.safetensors"
LENGTH = 12
TEXTS = ["An import statement binds a name.", "Πέτρος don't  \n know №5 — «ǅ»! 数字123", ".", "a " * 40]

SUM = {"terms": [{"paulis": "XY", "qubits": [0, 3], "coefficient": 0.5}, {"paulis": "YIIIX"}, {"paulis": "IIIIZ"}]}
AMPLITUDE = {"kind": "amplitude"}
LINEAR = {"kind": "angle", "inputs": "raw", "turn": "linear"}
AGAIN = {"kind": "angle", "upload_again": True}
OWN = {
    "format": "openqasm3",
    "source": 'OPENQASM 3.0; include "stdgates.inc"; input float k; input float l; input float m; input float n;'
    "input float a; input float b; qubit[4] q; ry(k) q[0]; rx(2*l - a) q[1]; p(m) q[2]; h q; crz(n*b) q[0], q[3];"
    "rxx(a) q[0], q[1]; ryy(l) q[1], q[2]; rzz(b/2) q[2], q[3]; ctrl(2) @ sx q[0], q[1], q[2]; negctrl @ y q[3], q[0];"
    "u3(a, b, 0.5) q[1]; ccx q[0], q[1], q[2]; cswap q[0], q[1], q[3]; cp(pi/3 + m) q[0], q[2]; t q[1]; sdg q[2]; h q;",
}
SETS = {
    "format": "json",
    "qubits": 4,
    "operations": [
        *({"gate": gate, "targets": [0, 1, 2, 3]} for gate in ("h", "s", "t", "v", "y", "si", "ti", "vi", "z", "x")),
        {"gate": "rx", "targets": [0, 3], "rotation": "(a + 1)*b"},
        {"gate": "rz", "target": 2, "rotation": "a/b - pi"},
        {"gate": "ry", "target": 1, "controls": [0, 2], "rotation": 0.4},
        {"gate": "swap", "targets": [1, 3]},
        {"gate": "pauliexp", "targets": [0, 1, 2], "terms": ["XYZ", "ZZI"], "coefficients": [0.3, 0.1], "time": 1.0},
    ],
}
SUM_OF_FOUR = {"terms": [{"paulis": "XY", "qubits": [0, 3], "coefficient": 0.5}, {"paulis": "YIIX"}]}
OF_ROWS: list[tuple[str, dict[str, Any]]] = [
    ("iris", {"kind": "mlp", "hidden": []}),
    ("digits", {"kind": "mlp", "hidden": [6, 5], "activation": "gelu", "dropout": 0.1}),
    ("diabetes", {"kind": "mlp", "hidden": [6], "activation": "tanh"}),
    ("digits", {"kind": "cnn", "channels": [3, 4, 5], "activation": "tanh", "dropout": 0.1}),
    ("digits", {"kind": "resnet", "depth": 14, "width": 3}),
    ("digits", {"kind": "wide_resnet", "depth": 16, "widen": 1, "dropout": 0.2}),
    ("iris", {"kind": "fourier", "frequencies": [1, 0, 2, 1], "units": [0.5, 1.0, 1.0, 2.0]}),
    ("diabetes", {"kind": "fourier", "frequencies": [*[1] * 4, *[0] * 6], "units": 0.01}),
    ("digits", {"kind": "vit", "patch": 2, "width": 8, "depth": 2, "heads": 2, "dropout": 0.2}),
    ("digits", {"kind": "quantum", "qubits": 6, "layers": 2, "encoding": AMPLITUDE, "observables": ["z", "zz"]}),
    ("iris", {"kind": "quantum", "qubits": 5, "layers": 3, "entanglement": "brickwork", "observables": ["z", SUM]}),
    ("diabetes", {"kind": "quantum", "qubits": 10, "layers": 1, "encoding": LINEAR, "entanglement": "line"}),
    ("iris", {"kind": "quantum", "qubits": 4, "layers": 2, "encoding": AGAIN, "entanglement": "full"}),
    ("iris", {"kind": "circuit", "circuit": OWN, "inputs": list("klmn"), "observables": ["z", SUM_OF_FOUR]}),
    ("diabetes", {"kind": "circuit", "circuit": SETS, "encoding": {"kind": "amplitude", "inputs": "standardised"}}),
]
WORDS, LETTERS = WordTokenizer(kind="word", vocabulary=300), CharacterTokenizer(kind="character", vocabulary=60)
BYTES = BpeTokenizer(kind="bpe", vocabulary=400)
OF_TEXTS: list[tuple[Trainable, str, dict[str, Any]]] = [
    (WORDS, "classification", {"kind": "bag_of_embeddings", "width": 8, "hidden": [5], "dropout": 0.1}),
    (BYTES, "classification", {"kind": "text_cnn", "width": 8, "filters": 4, "sizes": [1, 3]}),
    (LETTERS, "classification", {"kind": "lstm", "width": 8, "hidden": 6, "depth": 2, "dropout": 0.1}),
    (BYTES, "classification", {"kind": "text_transformer", "width": 8, "depth": 2, "heads": 2, "dropout": 0.1}),
    (BYTES, "language_modelling", {"kind": "decoder", "width": 8, "depth": 2, "heads": 2, "dropout": 0.1}),
    (LETTERS, "language_modelling", {"kind": "decoder", "width": 8, "depth": 1, "heads": 1}),
    (WORDS, "masked_language_modelling", {"kind": "encoder", "width": 8, "depth": 2, "heads": 2, "dropout": 0.1}),
]
OF_USERS: list[dict[str, Any]] = [
    {"kind": "matrix_factorisation", "dimensions": 3},
    {"kind": "two_tower", "dimensions": 4, "tower": [6, 5], "activation": "gelu"},
    {"kind": "mlp_scorer", "dimensions": 3, "hidden": [7, 5]},
]


@cache
def topics(tokenizer: Trainable, task: Any) -> Data:
    spec = {"source": "builtin_text", "name": "python_topics", "task": task, "max_length": LENGTH}
    return load_text(BuiltinText(**spec, tokenizer=tokenizer), {})


def interactions() -> Any:
    spec = ranking_job()
    assert isinstance(spec, RecommenderJob)
    return load_interactions(spec.dataset, {})


def opinionated(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Weights that no initial value hides behind: none is 0 or 1, and variances are positive."""
    draw = torch.Generator().manual_seed(1)
    return {
        name: tensor + 0.3 * torch.rand(tensor.shape, generator=draw) for name, tensor in network.state_dict().items()
    }


def content_of(described: dict[str, Any], data: Data) -> bytes:
    architecture = TypeAdapter(Architecture).validate_python(described)
    network = build(
        architecture, data.input_shape, len(data.classes), seed=3, pointer="", vocabulary=data.inputs.vocabulary
    )
    return to_bytes(opinionated(network), architecture, data)


def served(house: Make, content: bytes, asked: Any) -> dict[str, Any]:
    """What the service answers."""
    told = house(models={NAME: {}})
    path = told.scratch / "model"
    path.write_bytes(content)
    told.files = {NAME: path}
    return predict(Question(model=NAME, rows=asked), told)


def close(found: Any, expected: Any) -> None:
    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected), atol=1e-5, rtol=1e-5, check_dtype=False)


def test_there_is_a_program_for_every_family() -> None:
    kinds = {network["kind"] for _, network in OF_ROWS} | {network["kind"] for _, _, network in OF_TEXTS}
    union = TypeAdapter(Architecture).json_schema()["discriminator"]["mapping"]
    assert kinds | {"pretrained"} == union.keys()  # which is a folder, and opened by the library that wrote it
    assert {network["kind"] for network in OF_USERS} == SCORERS.keys()
    assert SCORERS.keys() == TypeAdapter(Scorer).json_schema()["discriminator"]["mapping"].keys()


def test_programs_of_rows_say_what_the_service_says(house: Make, tmp_path: Path) -> None:
    cases, expected = [], []
    for name, network in OF_ROWS:
        task = "regression" if name == "diabetes" else "classification"
        data = load(BuiltinData.model_validate({"source": "builtin", "name": name, "task": task}), {})
        content, rows = content_of(network, data), data.test.raw[:7].flatten(1).tolist()
        answer = served(house, content, AskRows(inputs=rows))
        expected.append(answer.get("probabilities") or answer["values"])
        written = program(FILE, network["kind"], says="classes" if data.task.targets is None else "numbers")
        cases.append(Case(written, (FILE, content), [data.test.raw[:7].tolist()]))
    for (found,), wanted in zip(answers_of(cases, tmp_path / "c"), expected, strict=True):
        close(found, wanted)


@pytest.mark.parametrize("told", [True, False])
def test_programs_of_texts_say_what_the_service_says(house: Make, tmp_path: Path, told: bool) -> None:
    """told: whether the report says how its tokenizer reads; that of a teacher says it itself."""
    cases: list[Case] = []
    checks: list[Callable[[list[Any]], None]] = []
    for tokenizer, task, network in OF_TEXTS:
        data = topics(tokenizer, task)
        content = content_of(network, data)
        written = program(FILE, network["kind"], tokenizer=tokenizer.kind if told else "teacher")
        if task == "classification":
            asked: list[Any] = [TEXTS]
            answer = served(house, content, AskTexts(texts=TEXTS))
            checks.append(partial(same_probabilities, answer["probabilities"]))
        elif network["kind"] == "decoder":
            asked = ["The import ", "Ü", ""]
            answer = served(house, content, AskPrompts(prompts=asked, max_tokens=20, temperature=0))
            checks.append(partial(same_tokens, answer["continuations"]))
        else:
            asked = ["The <mask> of a name", "<mask><mask> is."]
            answer = served(house, content, AskMasked(masked=asked, top_k=5))
            checks.append(partial(same_fillings, answer["fillings"]))
        cases.append(Case(written, (FILE, content), asked))
    for found, check in zip(answers_of(cases, tmp_path / "c"), checks, strict=True):
        check(found)


def same_probabilities(expected: list[list[float]], found: list[Any]) -> None:
    close(found[0], expected)


def same_tokens(expected: list[dict[str, Any]], found: list[Any]) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        assert [token for token, _ in mine] == [each["token"] for each in theirs["tokens"]]
        close([log_p for _, log_p in mine], [each["log_probability"] for each in theirs["tokens"]])


def same_fillings(expected: list[dict[str, Any]], found: list[Any]) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        for mask, wanted in zip(mine, theirs["masks"], strict=True):
            assert [token for token, _ in mask] == [each["token"] for each in wanted]
            close([p for _, p in mask], [each["probability"] for each in wanted])


def test_programs_of_recommenders_say_what_the_service_says(house: Make, tmp_path: Path) -> None:
    data = interactions()
    cases, expected = [], []
    for network in OF_USERS:
        architecture = TypeAdapter(Scorer).validate_python(network)
        made = build_scorer(architecture, users=data.users, items=data.items, seed=0)
        content = of_recommenders.to_bytes(opinionated(made), architecture, data)
        users = data.user_names[:3]
        cases.append(Case(program_of_recommender(FILE, network["kind"]), (FILE, content), users))
        expected.append(served(house, content, AskUsers(users=users, k=10))["recommendations"])
    for found, wanted in zip(answers_of(cases, tmp_path / "c"), expected, strict=True):
        for mine, theirs in zip(found, wanted, strict=True):
            assert [item for item, _ in mine] == [each["item"] for each in theirs]
            close([score for _, score in mine], [each["score"] for each in theirs])


def test_the_card_of_a_job_opens_the_file_that_was_downloaded(house: Make, job: Make, tmp_path: Path) -> None:
    told, ranking = house(), done(house, ranking_job())
    distil_job(job(dataset={"name": "digits", "labelled": 30}, training={"epochs": 1}, evaluation={"seeds": 1}), told)
    published = [told.published, ranking[0].published]
    ids = {"student-seed-0.safetensors": "ckpt_1"}
    cards = [
        card(read_report(json.loads(told.published["report.json"])), ids),
        ranking_card(read_ranking(ranking[2]), ids),
    ]
    data = load(BuiltinData(source="builtin", name="digits"), {})
    asked: list[list[Any]] = [[data.test.raw.tolist()], [interactions().user_names[0]]]
    cases = []
    for text, files, questions in zip(cards, published, asked, strict=True):
        assert "`GET /v1/checkpoints/ckpt_1/content`" in text
        content = files["student-seed-0.safetensors"]
        cases.append(Case(program_in(text), ("ckpt_1.safetensors", content), questions))
    (rows,), (_,) = answers_of(cases, tmp_path / "c")
    accuracy = float((torch.tensor(rows).argmax(1) == data.test.y).double().mean())
    report = json.loads(told.published["report.json"])
    assert accuracy == pytest.approx(report["student"]["runs"][0]["accuracy"])


@cache
def reader(spec: Trainable) -> tuple[Tokenizer, dict[str, Any]]:
    """A tokenizer of the library, and the same without it."""
    tokenizer = trained(spec, [*TEXTS, "the name of the import", "it's we'll they've"])
    made: dict[str, Any] = {"json": json, "re": re, "unicodedata": unicodedata, "card": {"tokenizer": tokenizer.json}}
    exec(TOKENIZERS[spec.kind], made)  # noqa: S102 (it is our own)
    return tokenizer, made


KNOWN = st.characters(exclude_categories=["Cs", "Cn"])  # the library may know letters that are newer than this Python


@given(st.one_of(st.text(KNOWN), st.text("ab '\t\n  stdmrevl.,!Ⅷ²ªéΣςİ\u0301\u200c١")))
@example("it's  we'll\n\n they'VE 12a½ Ⓐ ﬁ _x_ \x1c \x85 \u3000 ΟΔΟΣ İ")
@pytest.mark.parametrize("spec", [WORDS, LETTERS, BYTES], ids=lambda spec: spec.kind)
def test_texts_are_cut_as_the_library_cuts_them(spec: Trainable, text: str) -> None:
    tokenizer, made = reader(spec)
    (expected,) = tokenizer.encode([text])
    found = made["encode"](text)
    assert found == expected
    assert made["decode"]([made["tokens"][number] for number in found]) == tokenizer.decode(expected)
