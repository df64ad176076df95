"""Models of text when somebody tries them: what PyTorch says, alone or in company, and honest about what was cut."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.texts import TextCnn
from qstill.contract.distillations.architectures.transformers import Decoder, Encoder
from qstill.contract.distillations.datasets import BuiltinText
from qstill.contract.distillations.objectives import Sequence
from qstill.contract.distillations.tokenizers import BpeTokenizer, CharacterTokenizer
from qstill.contract.errors import Problem
from qstill.contract.models.answers import Continuations, Fillings, Prediction
from qstill.contract.models.questions import AskMasked, AskPrompts, AskRows, AskTexts, AskUsers, Question
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.artifacts.checkpoints import to_bytes
from workers.distillation.artifacts.student_onnx import to_onnx
from workers.distillation.data.dataset import Data
from workers.distillation.data.texts import filled, load_text
from workers.distillation.data.tokenizer import Tokenizer
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.families import build
from workers.distillation.networks.texts.decoder import DecoderNetwork
from workers.distillation.networks.texts.tokens import AFTER_MASK, END, MASK, PAD
from workers.distillation.predict.rows import predict
from workers.distillation.teachers.generate import continued, generated
from workers.run import Stopped

pytestmark = pytest.mark.training

Make = Callable[..., Any]
NAME = "model_" + "0" * 32
LENGTH = 12
CNN = TextCnn(kind="text_cnn", width=8, filters=4, sizes=[1, 3])
DECODER = Decoder(kind="decoder", width=16, depth=1, heads=2)
ENCODER = Encoder(kind="encoder", width=16, depth=1, heads=2)


@cache
def topics(task: Any) -> Data:
    tokenizer = BpeTokenizer(kind="bpe", vocabulary=300) if task == "classification" else CHARACTERS
    return load_text(
        BuiltinText(source="builtin_text", name="python_topics", task=task, tokenizer=tokenizer, max_length=LENGTH), {}
    )


CHARACTERS = CharacterTokenizer(kind="character", vocabulary=60)


def network_of(architecture: AnyArchitecture, data: Data) -> Any:
    """Untrained, but of strong opinions, so that a wrong token is noticed."""
    network = build(
        architecture, data.input_shape, len(data.classes), seed=3, pointer="", vocabulary=data.inputs.vocabulary
    ).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(8)
    return network


@cache
def classifier() -> tuple[Any, bytes]:
    network = network_of(CNN, topics("classification"))
    return network, to_bytes(network.state_dict(), CNN, topics("classification"))


@cache
def speaker() -> tuple[Any, bytes]:
    network = network_of(DECODER, topics("language_modelling"))
    return network, to_bytes(network.state_dict(), DECODER, topics("language_modelling"))


@cache
def filler() -> tuple[Any, bytes]:
    network = network_of(ENCODER, topics("masked_language_modelling"))
    return network, to_bytes(network.state_dict(), ENCODER, topics("masked_language_modelling"))


def tokenizer_of(data: Data) -> Tokenizer:
    assert data.text is not None
    return Tokenizer(data.text.tokenizer)


def ask(
    house: Make, content: bytes, question: Any, *, reading: dict[str, Any] | None = None, **given: Any
) -> dict[str, Any]:
    run = house(models={NAME: reading or {}}, **given)
    path = run.scratch / "model"
    path.write_bytes(content)
    run.files = {NAME: path}
    return predict(Question(model=NAME, rows=question), run)


def said(house: Make, **how: Any) -> Continuations:
    return Continuations.model_validate(ask(house, speaker()[1], AskPrompts(**how)))


def test_texts_are_classified_as_pytorch_does(house: Make) -> None:
    data, (network, content) = topics("classification"), classifier()
    texts = ["for loops", "an exception is raised by the raise statement, and caught by except", "\u4e16"]
    found = Prediction.model_validate(ask(house, content, AskTexts(texts=texts)))
    rows = tokenizer_of(data).encode(texts)
    expected = logits_of(network, filled([row[:LENGTH] for row in rows], LENGTH))
    torch.testing.assert_close(torch.tensor(found.logits), expected)
    torch.testing.assert_close(torch.tensor(found.probabilities), expected.softmax(1))
    assert (found.classes, found.predicted) == (data.classes, [data.classes[i] for i in expected.argmax(1)])
    assert found.notes == [f"1 of 3 texts were cut off after {LENGTH} tokens."]


def test_an_onnx_file_of_text_is_asked_by_numbers_of_tokens(house: Make) -> None:
    """It names its classes, and not its tokenizer."""
    data, (network, _) = topics("classification"), classifier()
    content = to_onnx(network, data, CNN)
    rows = [[float(token) for token in row] for row in data.test.x[:5].tolist()]
    found = Prediction.model_validate(ask(house, content, AskRows(inputs=rows), reading={"format": "onnx"}))
    torch.testing.assert_close(torch.tensor(found.logits), logits_of(network, data.test.x[:5]), atol=1e-5, rtol=1e-5)
    assert found.classes == data.classes
    for inputs, code, said in (
        ([[1.5, 2.0]], "inputs_mismatch", "whole numbers"),
        ([[1e6, 2.0]], "teacher_invalid", "fails on this data"),
    ):
        refused = problem_of(ask, house, content, AskRows(inputs=inputs), reading={"format": "onnx"})
        assert (refused.code, said in refused.title) == (code, True)


def test_an_onnx_file_that_answers_every_token_is_refused_with_what_would_work(house: Make) -> None:
    content = to_onnx(speaker()[0], topics("language_modelling"), DECODER)
    refused = problem_of(ask, house, content, AskRows(inputs=[[1.0, 2.0]]), reading={"format": "onnx"})
    assert (refused.code, "prompts" in refused.title) == ("classes_unknown", True)


@pytest.mark.parametrize("prompt", ["", "the ", "the import statement, which is long"])
def test_without_temperature_a_text_goes_on_as_a_teacher_would_write_it(house: Make, prompt: str) -> None:
    network = speaker()[0]
    tokens = [END, *tokenizer_of(topics("language_modelling")).encode([prompt])[0]][-LENGTH:]
    (found,) = said(house, prompts=[prompt], temperature=0, max_tokens=LENGTH).continuations
    wanted = LENGTH + 1 - len(tokens)  # what fits into the rows that it learned from
    spec = Sequence(kind="sequence", prompt=len(tokens), decode="greedy")
    expected = continued(network, filled([tokens], LENGTH), spec, None, torch.Generator())[0, len(tokens) :].tolist()
    expected = expected[: expected.index(END) + 1] if END in expected else expected
    vocabulary = tokenizer_of(topics("language_modelling")).vocabulary
    assert [token.token for token in found.tokens][:wanted] == [vocabulary[code] for code in expected]


@given(
    prompt=st.text("abc the(\n", max_size=20),
    temperature=st.floats(0, 3),
    top_k=st.none() | st.integers(1, 80),
    seed=st.integers(0, 2**53 - 1),
)
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_said_of_a_text_is_its_probability_and_the_company_changes_nothing(
    house: Make, prompt: str, temperature: float, top_k: int | None, seed: int
) -> None:
    how = {"max_tokens": 6, "temperature": temperature, "top_k": top_k, "seed": seed}
    alone = said(house, prompts=[prompt], **how)
    company = said(house, prompts=["x", prompt], **how)
    assert alone.continuations[0] == company.continuations[1]
    tokenizer = tokenizer_of(topics("language_modelling"))
    begun = tokenizer.encode([prompt])[0]
    tokens = [END, *begun, *(tokenizer.vocabulary.index(each.token) for each in alone.continuations[0].tokens)]
    for place, each in enumerate(alone.continuations[0].tokens, start=1 + len(begun)):
        seen = torch.tensor([tokens[max(0, place - LENGTH) : place]])
        logits = logits_of(speaker()[0], seen)[-1].double()
        logits[PAD] = -torch.inf
        assert each.log_probability == pytest.approx(float(logits.log_softmax(0)[tokens[place]]), abs=1e-4)
        assert top_k is None or int((logits > logits[tokens[place]]).sum()) < top_k
    assert (alone.continuations[0].ended == "end_of_text") == (tokens[-1] == END)


@pytest.mark.parametrize("text", ["the <mask>mport", "<mask>", "a<mask>", "<mask><mask>x", "\u4e16<mask>"])
def test_masks_are_filled_in_with_what_pytorch_finds_likeliest(house: Make, text: str) -> None:
    tokenizer = tokenizer_of(topics("masked_language_modelling"))
    asked = AskMasked(masked=["a <mask>", text], top_k=3)
    answer = Fillings.model_validate(ask(house, filler()[1], asked))
    found = answer.fillings[1]
    tokens = [END]
    for number, part in enumerate(text.split("<mask>")):
        tokens += [MASK] * (number > 0) + tokenizer.encode([part])[0]
    row = filled([[*tokens, END]], LENGTH)
    logits = logits_of(filler()[0], row)[row.flatten() == MASK].double()
    logits[:, :AFTER_MASK] = -torch.inf
    best = logits.softmax(1).topk(3)
    assert len(found.masks) == text.count("<mask>")
    for each, chances, codes in zip(found.masks, best.values, best.indices, strict=True):
        assert [one.token for one in each] == [tokenizer.vocabulary[code] for code in codes]
        assert [one.probability for one in each] == pytest.approx(chances.tolist(), abs=1e-5)
    expected = text.replace("\u4e16", "")  # what is unknown is not written
    for each in found.masks:
        expected = expected.replace("<mask>", each[0].token, 1)
    assert found.text == expected
    assert bool(answer.notes) == ("\u4e16" in text)


def test_masks_beyond_what_the_model_sees_are_said_to_be_left(house: Make) -> None:
    asked = AskMasked(masked=["<mask>" + "x" * LENGTH + "<mask>"])
    answer = Fillings.model_validate(ask(house, filler()[1], asked))
    assert [len(each.masks) for each in answer.fillings] == [1]
    assert answer.fillings[0].text.endswith("x")
    assert answer.notes == [
        f"1 of 1 texts were cut off after {LENGTH - 1} tokens.",
        "1 masks were cut off with them, and are not filled in.",
    ]


def test_a_masked_model_says_which_question_it_answers(house: Make) -> None:
    with pytest.raises(Problem, match="send `masked` instead of `prompts`"):
        ask(house, filler()[1], AskPrompts(prompts=["a"]))
    with pytest.raises(Problem, match="send `prompts` instead of `masked`"):
        ask(house, speaker()[1], AskMasked(masked=["<mask>"]))


def test_tokens_are_drawn_as_often_as_their_temperature_says() -> None:
    network, _ = speaker()
    draws, temperature = 400, 2.5
    drawn = torch.zeros(len(topics("language_modelling").classes))
    for seed in range(draws):
        how = AskPrompts(prompts=[""], max_tokens=1, temperature=temperature, top_k=5, seed=seed)
        ((token, _),) = generated(network, [], how, length=LENGTH, stop=lambda: False)
        drawn[token] += 1
    logits = logits_of(network, torch.tensor([[END]]))[0]
    logits[PAD] = -torch.inf
    best = logits.topk(5)
    chances = (best.values / temperature).softmax(0)
    assert drawn.sum() == drawn[best.indices].sum() == draws
    spread = (chances * (1 - chances) / draws).sqrt()
    assert ((drawn[best.indices] / draws - chances).abs() < 4 * spread + 1e-3).all()


def test_a_text_ends_with_its_mark_and_only_there(house: Make) -> None:
    data, (network, _) = topics("language_modelling"), speaker()
    fond_of_ends = build(
        DECODER, data.input_shape, len(data.classes), seed=0, pointer="", vocabulary=data.inputs.vocabulary
    )
    fond_of_ends.load_state_dict(network.state_dict())
    assert isinstance(fond_of_ends, DecoderNetwork)
    with torch.no_grad():
        fond_of_ends.embedding.weight[:] = 0
        fond_of_ends.embedding.weight[END] = fond_of_ends.norm.bias + 1
        fond_of_ends.norm.bias += 1
    content = to_bytes(fond_of_ends.state_dict(), DECODER, data)
    answer = Continuations.model_validate(ask(house, content, AskPrompts(prompts=["a", ""], temperature=0)))
    assert [(each.text, len(each.tokens), each.ended) for each in answer.continuations] == [("", 1, "end_of_text")] * 2


def test_what_is_unknown_or_too_long_is_said(house: Make) -> None:
    answer = said(house, prompts=["\u4e16", "e" * LENGTH], max_tokens=1)
    assert answer.notes == [
        f"1 of 2 prompts are longer than what the model sees at once, their last {LENGTH - 1} tokens.",
        f"1 of {LENGTH + 1} tokens are unknown to the tokenizer.",
    ]


def test_who_stops_waiting_stops_the_model(house: Make) -> None:
    asked = iter(range(3))
    with pytest.raises(Stopped):
        ask(house, speaker()[1], AskPrompts(prompts=["a"]), stop=lambda: next(asked, None) is None)


@pytest.mark.parametrize(
    ("content", "question", "wanted"),
    [
        (classifier, AskPrompts(prompts=["a"]), "texts"),
        (classifier, AskRows(inputs=[[1.0]]), "texts"),
        (speaker, AskTexts(texts=["a"]), "prompts"),
        (speaker, AskUsers(users=["a"]), "prompts"),
    ],
)
def test_a_question_for_another_kind_of_model_says_what_this_one_answers(
    house: Make, content: Callable[[], tuple[Any, bytes]], question: Any, wanted: str
) -> None:
    caught = problem_of(ask, house, content()[1], question)
    field = next(iter(type(question).model_fields))
    assert (caught.code, caught.pointer) == ("another_question", f"/{field}")
    assert caught.ways_out == [{"field": wanted}]


@pytest.mark.parametrize(
    ("tokenizer", "code"),
    [
        ("", "another_question"),
        ("{}", "tokenizer_invalid"),
        ("no JSON", "tokenizer_invalid"),
        ('{"model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "c": 2}, "unk_token": "a"}}', "tokenizer_invalid"),
        (
            '{"model": {"type": "WordLevel", "vocab": {"<pad>": 0, "<unk>": 1, "<end>": 2, "c": 9}, "unk_token": "c"}}',
            "tokenizer_invalid",
        ),
    ],
)
def test_a_card_that_lies_about_its_tokenizer_is_refused(
    house: Make, tmp_path: Path, tokenizer: str, code: str
) -> None:
    (tmp_path / "m").write_bytes(classifier()[1])
    with safe_open(tmp_path / "m", "pt") as file:
        card = json.loads(file.metadata()["qstill"]) | {"tokenizer": tokenizer}
        if not tokenizer:
            del card["tokenizer"]
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(weights, tmp_path / "n", {"qstill": json.dumps(card)})
    assert problem_of(ask, house, (tmp_path / "n").read_bytes(), AskTexts(texts=["a"])).code == code
