"""Texts that a served language model writes: how it goes on after the beginnings of rows, in the student's tokens.

They pass as text, so that the model's tokenizer and the student's may differ.
"""

from typing import Any

import httpx
import torch
from torch import Tensor

from qstill.contract.distillations.objectives import Sequence
from qstill.contract.distillations.teachers.remote import ServedTeacher
from workers.distillation.data.tokenizer import Tokenizer
from workers.distillation.networks.texts.tokens import END, PAD
from workers.distillation.teachers.remote.caller import Caller, failed
from workers.distillation.teachers.remote.log_probabilities import choices_of

BYTES_A_TOKEN = 1 << 10  # of a text, at most
BYTES_AROUND = 1 << 20
BETWEEN = "\n\n"  # texts that stand in one row


class Writer:
    """caller: of `/completions`, or of `/chat/completions`, as the job says. tokenizer: the student's."""

    def __init__(self, spec: ServedTeacher, caller: Caller, tokenizer: Tokenizer) -> None:
        self._spec, self._caller, self._tokenizer = spec, caller, tokenizer

    def continued(self, x: Tensor, how: Sequence, *, seed: int) -> Tensor:
        """(rows, tokens + 1): the first `prompt` tokens of rows (rows, tokens), and how the model goes on.

        Where it ended the text, an end mark and padding follow. Raises Problem endpoint_failed, and Stopped.
        """
        length = x.shape[1] + 1
        asked = {"model": self._spec.model, "max_tokens": length - how.prompt, "seed": seed}
        asked |= {"temperature": 0.0 if how.decode == "greedy" else 1.0}
        beginnings = x[:, : how.prompt].tolist()
        rows = torch.full((len(x), length), PAD)
        with self._caller.client() as client:
            ask = self._chat if self._spec.texts == "chat" else self._completions
            written = ask(client, [self._text(row) for row in beginnings], asked)
        encoded = self._tokenizer.encode([text for text, _ in written])
        for number, (beginning, tokens, (_, ended)) in enumerate(zip(beginnings, encoded, written, strict=True)):
            row = [*beginning, *tokens, *([END] if ended else [])][:length]
            rows[number, : len(row)] = torch.tensor(row)
        return rows

    def _text(self, tokens: list[int]) -> str:
        """What a row begins with; where a text ends in it, the next one stands apart."""
        texts, one = list[list[int]](), list[int]()
        for token in [*tokens, END]:
            if token == END:
                texts.append(one)
                one = []
            else:
                one.append(token)
        return BETWEEN.join(self._tokenizer.decode(each) for each in texts if each) or "\n"  # servers refuse nothing

    def _completions(self, client: httpx.Client, prompts: list[str], asked: dict[str, Any]) -> list[tuple[str, bool]]:
        choices = self._choices(client, asked | {"prompt": prompts}, len(prompts))
        return [(_string(choice.get("text")), choice.get("finish_reason") == "stop") for choice in choices]

    def _chat(self, client: httpx.Client, prompts: list[str], asked: dict[str, Any]) -> list[tuple[str, bool]]:
        system = [{"role": "system", "content": self._spec.instruction}] if self._spec.instruction else []
        found = list[tuple[str, bool]]()
        for prompt in prompts:
            messages = [*system, {"role": "user", "content": prompt}]
            (choice,) = self._choices(client, asked | {"messages": messages}, 1)
            message = choice.get("message")
            content = message.get("content") if isinstance(message, dict) else None
            found.append((_string(content), choice.get("finish_reason") == "stop"))
        return found

    def _choices(self, client: httpx.Client, body: dict[str, Any], prompts: int) -> list[dict[str, Any]]:
        limit = prompts * body["max_tokens"] * BYTES_A_TOKEN + BYTES_AROUND
        return choices_of(self._caller.post(client, body, limit=limit), prompts)


def _string(given: Any) -> str:
    if not isinstance(given, str):
        raise failed("The server's choices hold no text.")
    return given
