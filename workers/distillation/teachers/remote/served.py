"""A language model behind an OpenAI-compatible server: what it says comes next, after each token of a row."""

import hashlib
import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import numpy as np
import torch
from torch import Tensor

from qstill.contract.distillations.teachers.remote import ServedTeacher
from qstill.contract.errors import Problem
from workers.distillation.data.adopted import Adopted, adopted
from workers.distillation.data.dataset import Data
from workers.distillation.data.tokenizer import Tokenizer
from workers.distillation.networks.texts.tokens import PAD
from workers.distillation.rows import Rows
from workers.distillation.signals.sparse import SMALLEST
from workers.distillation.tasks.judge import SUM_TOLERANCE
from workers.distillation.teachers.base import Teacher
from workers.distillation.teachers.remote.caller import Caller, failed, secret_in
from workers.distillation.teachers.remote.log_probabilities import (
    Told,
    choices_of,
    echoed,
    next_token,
    spelled,
    unavailable,
)
from workers.distillation.teachers.remote.names import Names
from workers.distillation.teachers.remote.texts import Writer
from workers.run import Run

BYTES_A_TOKEN = 400  # of an answer, for each token that it names, at most
BYTES_AROUND = 1 << 20  # of an answer, besides them


def from_served(
    spec: ServedTeacher, tokenizer: Path, headers: Path | None, data: Data, run: Run, *, top_k: int
) -> Teacher:
    """top_k: tokens that it names after each token.

    Raises Problem: tokenizer_invalid, url_refused, secret_invalid; when asked endpoint_failed, tokenizer_mismatch,
    log_probabilities_unavailable.
    """
    known = adopted(tokenizer.read_bytes(), spec.end_of_text)
    secret = secret_in(headers)
    caller = Caller(spec, below(spec.url, "completions"), secret, run)
    server = Server(spec, caller, known, top_k)
    assert data.text is not None  # refused at the door
    chat = Caller(spec, below(spec.url, "chat/completions"), secret, run) if spec.texts == "chat" else caller
    writer = Writer(spec, chat, Tokenizer(data.text.tokenizer))
    told = [spec.url, spec.model, spec.version, spec.log_probabilities, top_k, known.tokenizer.digest]
    told += [spec.texts, spec.instruction]
    return Teacher(
        server.ask,
        hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        round_trips=caller.milliseconds,
        scope=hashlib.sha256(secret).hexdigest(),
        rows_at_once=spec.prompts_per_request,
        writes=writer.continued,
        notes=(
            f"The teacher's answers came from a server, which named the {top_k} likeliest tokens after each token: its "
            "own likelihood counts the others alike, but for those of the text where the server says them again. That "
            "the answers stay the same is its owner's word.",
        ),
    )


def below(url: str, path: str) -> str:
    """What a server answers below the start of its interface."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{path}"))


class Server:
    """Asks for log-probabilities, and reads them by the job's tokens."""

    def __init__(self, spec: ServedTeacher, caller: Caller, known: Adopted, top_k: int) -> None:
        self._spec, self._caller, self._top_k = spec, caller, top_k
        self._theirs, self._before = known.theirs, known.marks[0]
        self._names = Names(known)
        self._settled = False
        self._numbers = False  # whether it numbers the tokens that it names, if asked

    def ask(self, rows: Rows) -> Tensor:
        """Logits (rows·tokens, vocabulary) of what follows each token; at padding they mean nothing."""
        numbers = [[self._their_number(token) for token in row if token != PAD] for row in rows.x.tolist()]
        prompts = [[*self._before, *row] for row in numbers]
        length, places = rows.x.shape[1], list[dict[int, float]]()
        with self._caller.client() as client:
            ask = self._echoed if self._spec.log_probabilities == "echo" else self._one_by_one
            for row, said in zip(numbers, ask(client, prompts), strict=True):
                places += [*said[len(self._before) :], *({} for _ in range(length - len(row)))]
        return spread(places, len(self._theirs))

    def _their_number(self, token: int) -> int:
        if self._theirs[token] < 0:
            title = "A text has tokens that the served model does not have: its tokenizer has none for what is unknown."
            raise Problem("tokenizer_mismatch", title, pointer="/tokenizer")
        return self._theirs[token]

    def _echoed(self, client: httpx.Client, prompts: list[list[int]]) -> list[list[dict[int, float]]]:
        """For each prompt what may follow each of its tokens."""
        if not self._settled and prompts:
            sample = self._names.sample(max(map(len, prompts)))
            (choice,) = self._probe(client, sample)
            self._names.settle(echoed(choice, len(sample))[0], sample)
            self._numbers = "prompt_logprobs" in choice  # vLLM alone has this field
            self._settled = True
        found = []
        for part in _parts(prompts, self._spec.prompts_per_request):
            for prompt, choice in zip(part, self._choices(client, part, echo=True), strict=True):
                names, said = echoed(choice, len(prompt))
                if not self._numbers:
                    self._names.settle(names, prompt)
                found.append([self._numbered(place) for place in said])
        return found

    def _one_by_one(self, client: httpx.Client, prompts: list[list[int]]) -> list[list[dict[int, float]]]:
        """The same by a prompt for each token."""
        beginnings = [prompt[: end + 1] for prompt in prompts for end in range(len(prompt))]
        found = list[dict[int, float]]()
        for part in _parts(beginnings, self._spec.prompts_per_request):
            said = [next_token(choice) for choice in self._choices(client, part, echo=False)]
            self._names.settle_by(spelled(said))
            found += [self._numbered(place) for place in said]
        ends = np.cumsum([0, *map(len, prompts)]).tolist()
        return [found[first:last] for first, last in pairwise(ends)]

    def _probe(self, client: httpx.Client, prompt: list[int]) -> list[dict[str, Any]]:
        try:
            return self._choices(client, [prompt], echo=True)
        except Problem as problem:
            if problem.code == "endpoint_failed" and "echo" in problem.title:  # what llama.cpp says
                raise unavailable(problem.title, {"log_probabilities": "next_token"}) from None
            raise

    def _choices(self, client: httpx.Client, prompts: list[list[int]], *, echo: bool) -> list[dict[str, Any]]:
        body: dict[str, Any] = {"model": self._spec.model, "prompt": prompts, "max_tokens": 1, "temperature": 1.0}
        body |= {"logprobs": self._top_k} | ({"echo": True} if echo else {})
        body |= {"return_tokens_as_token_ids": True} if self._numbers else {}
        tokens = sum(map(len, prompts)) if echo else len(prompts)
        limit = (tokens + len(prompts)) * (self._top_k + 2) * 2 * BYTES_A_TOKEN + BYTES_AROUND
        return choices_of(self._caller.post(client, body, limit=limit), len(prompts))

    def _numbered(self, place: Told) -> dict[int, float]:
        """By the job's numbers. What cannot be told from another token is left over."""
        named = ((self._names.number(name, given), value) for name, (value, given) in place.items())
        found = {number: value for number, value in named if number is not None}
        total = sum(map(math.exp, found.values()))
        if total > 1 + SUM_TOLERANCE:
            raise failed(f"The server's log-probabilities after one token sum to {total:.3g}, not to at most 1.")
        return found


def spread(places: Sequence[dict[int, float]], vocabulary: int) -> Tensor:
    """Logits (places, vocabulary), whose softmax they are: what is left over is divided evenly among the others."""
    logits = np.zeros((len(places), vocabulary), dtype=np.float32)
    for row, said in zip(logits, places, strict=True):
        left = max(1 - sum(map(math.exp, said.values())), SMALLEST)
        row[:] = math.log(left) - math.log(max(vocabulary - len(said), 1))
        row[list(said)] = list(said.values())
    return torch.from_numpy(logits)


def _parts(prompts: list[list[int]], size: int) -> list[list[list[int]]]:
    return [prompts[first : first + size] for first in range(0, len(prompts), size)]
