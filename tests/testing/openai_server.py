"""An OpenAI-compatible server of a causal model, as tests need one: it answers as vLLM, llama.cpp or TGI do.

python -m tests.testing.openai_server --port 8500 --folder /tmp/served  # trains a small GPT-2, writes its
# tokenizer.json into the folder, and serves it until it is ended
"""

import argparse
import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tokenizers
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from numpy.typing import NDArray

from tests.testing.servers import free_port

Style = Literal["vllm", "strings", "llama.cpp", "tgi"]
LogProbabilities = Callable[[list[int]], NDArray[np.float64]]  # tokens to (tokens, vocabulary), of what follows each


class Served:
    """log_p: the model. asked: the bodies of all requests. instead: answers to the next ones, in their order.

    style: `vllm` numbers tokens if asked; `strings` does not know how; `llama.cpp` does not echo, and gives numbers;
    `tgi` gives no log-probabilities.
    """

    def __init__(self, log_p: LogProbabilities, tokenizer: tokenizers.Tokenizer, end: int, style: Style) -> None:
        self.log_p, self.tokenizer, self.end, self.style = log_p, tokenizer, end, style
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.instead: list[JSONResponse] = []
        self.url = ""

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/v1/completions")
        async def completions(request: Request) -> JSONResponse:
            return self._answer(request, await request.json(), self._completions)

        @app.post("/v1/chat/completions")
        async def chat(request: Request) -> JSONResponse:
            return self._answer(request, await request.json(), self._chat)

        return app

    def _answer(self, request: Request, body: dict[str, Any], how: Callable[..., JSONResponse]) -> JSONResponse:
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        return self.instead.pop(0) if self.instead else how(body)

    def _completions(self, body: dict[str, Any]) -> JSONResponse:
        given = body["prompt"]
        prompts = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
        if body.get("echo") and self.style == "llama.cpp":
            return JSONResponse({"error": {"code": 400, "message": "Only no echo is supported"}}, 400)
        if body.get("logprobs", 0) > 20:
            return JSONResponse({"error": {"message": "logprobs may not exceed 20"}}, 400)
        choices = [self._choice(number, prompt, body) for number, prompt in enumerate(prompts)]
        if self.style == "llama.cpp" and len(choices) > 1:
            return JSONResponse([{"choices": [choice]} for choice in choices])
        return JSONResponse({"object": "text_completion", "model": body["model"], "choices": choices})

    def _choice(self, number: int, prompt: str | list[int], body: dict[str, Any]) -> dict[str, Any]:
        sent = self.tokenizer.encode(prompt, add_special_tokens=False).ids if isinstance(prompt, str) else prompt
        written = self._written(sent, body)
        ended = written[-1:] == [self.end]
        text = self.tokenizer.decode(written)
        choice = {"index": number, "text": text, "finish_reason": "stop" if ended else "length", "logprobs": None}
        if self.style == "vllm":
            choice["prompt_logprobs"] = None
        if body.get("logprobs") is not None and self.style != "tgi":
            choice["logprobs"] = self._logprobs(sent, written, body)
        return choice

    def _written(self, sent: list[int], body: dict[str, Any]) -> list[int]:
        tokens, temperature = list(sent), body.get("temperature", 1.0)
        draw = np.random.default_rng(body.get("seed", 0))
        for _ in range(body.get("max_tokens", 16)):
            log_p = self.log_p(tokens)[-1]
            chosen = int(log_p.argmax()) if temperature == 0 else int(draw.choice(len(log_p), p=_shares(log_p)))
            tokens.append(chosen)
            if chosen == self.end:
                break
        return tokens[len(sent) :]

    def _logprobs(self, sent: list[int], written: list[int], body: dict[str, Any]) -> dict[str, Any]:
        log_p = self.log_p([*sent, *written])
        top = [_top(each, body["logprobs"]) for each in log_p]
        if self.style == "llama.cpp":
            content = [
                {
                    **self._numbered(token, log_p[len(sent) - 1 + n][token]),
                    "top_logprobs": [self._numbered(*each) for each in top[len(sent) - 1 + n]],
                }
                for n, token in enumerate(written)
            ]
            return {"content": content}
        numbered = self.style == "vllm" and body.get("return_tokens_as_token_ids")
        name = (lambda token: f"token_id:{token}") if numbered else self._name
        whole = [*sent, *written]
        tops: list[dict[str, float] | None] = [None]
        for token, row, best in zip(whole[1:], log_p[:-1], top[:-1], strict=True):
            tops.append({name(token): float(row[token])} | {name(each): value for each, value in best})
        first = 0 if body.get("echo") else len(sent)
        return {"tokens": [name(token) for token in whole][first:], "top_logprobs": tops[first:]}

    def _numbered(self, token: int, value: float) -> dict[str, Any]:
        return {"id": token, "token": "" if token == self.end else self._name(token), "logprob": float(value)}

    def _name(self, token: int) -> str:
        return str(self.tokenizer.decode([token], skip_special_tokens=False))

    def _chat(self, body: dict[str, Any]) -> JSONResponse:
        choice = self._choice(0, body["messages"][-1]["content"], body | {"logprobs": None})
        message = {"role": "assistant", "content": choice["text"]}
        return JSONResponse({"choices": [{"index": 0, "message": message, "finish_reason": choice["finish_reason"]}]})


def _shares(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.exp(log_p - log_p.max())
    return shares / shares.sum()  # type: ignore[no-any-return]


def _top(log_p: NDArray[np.float64], count: int) -> list[tuple[int, float]]:
    best = np.argsort(-log_p)[:count]
    return [(int(token), float(log_p[token])) for token in best]


@contextlib.contextmanager
def running(served: Served, port: int | None = None) -> Iterator[Served]:
    """The server on a loopback port, in a thread."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(served.app(), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        thread.join(0.01)
    served.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield served
    finally:
        server.should_exit = True
        thread.join(10)


def byte_pairs(texts: list[str], size: int) -> tokenizers.Tokenizer:
    """A tokenizer as GPT-2's: its end mark is its only special token."""
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return made


def table(vocabulary: int, seed: int = 0) -> LogProbabilities:
    """A model that looks at the last token alone, of numbers drawn at random."""
    logits = 2 * np.random.default_rng(seed).normal(size=(vocabulary, vocabulary))
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return lambda tokens: log_p[tokens]


def trained(texts: list[str], tokenizer: tokenizers.Tokenizer, *, steps: int, width: int = 96) -> LogProbabilities:
    """A GPT-2 of two layers, taught these texts in rows of 64 tokens."""
    import torch

    from workers.distillation.networks.pretrained.library import transformers

    torch.manual_seed(0)
    library, end = transformers(), tokenizer.token_to_id("<|endoftext|>")
    config = library.GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_positions=256, n_embd=width, n_layer=2, n_head=4,
        bos_token_id=end, eos_token_id=end, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    model = library.GPT2LMHeadModel(config)
    stream = torch.tensor([token for each in tokenizer.encode_batch(texts) for token in [end, *each.ids]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        starts = torch.randint(len(stream) - 65, (16,))
        rows = torch.stack([stream[start : start + 65] for start in starts.tolist()])
        model(rows, labels=rows).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    model.eval()

    def log_p(tokens: list[int]) -> NDArray[np.float64]:
        with torch.inference_mode():
            logits = model(torch.tensor([tokens[-256:]])).logits[0]
        return torch.log_softmax(logits.double(), 1).numpy()  # type: ignore[no-any-return]

    return log_p


def main() -> None:
    asked = argparse.ArgumentParser(description="Trains a small causal model, and serves it until it is ended.")
    asked.add_argument("--port", type=int, default=8500)
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--steps", type=int, default=300)
    given = asked.parse_args()
    from workers.distillation.data.topics import passages

    texts = passages().texts
    tokenizer = byte_pairs(texts, 512)
    tokenizer.save(str(given.folder / "tokenizer.json"))
    log_p = trained(texts, tokenizer, steps=given.steps)
    with running(Served(log_p, tokenizer, 0, "vllm"), given.port) as served:
        print(f"serving at {served.url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
