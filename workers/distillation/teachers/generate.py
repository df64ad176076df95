"""A language model goes on from the beginning of a text, a token at a time."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from qstill.contract.distillations.objectives import Sequence
from qstill.contract.errors import Problem
from qstill.contract.models.questions import AskPrompts
from workers.distillation.networks.answers import rows_at_once
from workers.distillation.networks.texts.decoder import DecoderNetwork
from workers.distillation.networks.texts.tokens import END, PAD, TokenNetwork
from workers.run import Run, Stopped


def generated(
    network: DecoderNetwork, prompt: list[int], how: AskPrompts, *, length: int, stop: Callable[[], bool]
) -> Iterator[tuple[int, float]]:
    """(token, its log probability in nats), up to and with the end mark, at most `max_tokens`. Raises Stopped, Problem.

    prompt: tokens, taken for the beginning of a text. length: tokens that the network sees, the last ones.
    """
    tokens = [END, *prompt]  # texts stand between end marks where it learned
    draw = torch.Generator().manual_seed(how.seed)
    network.eval()
    for _ in range(how.max_tokens):
        if stop():
            raise Stopped
        with torch.no_grad():
            logits = network(torch.tensor([tokens[-length:]]))[-1].double()
        if not logits.isfinite().all():
            raise Problem("not_finite", "The model answers with something that is no number.", pointer="/prompts")
        logits[PAD] = -torch.inf  # padding is nothing that one writes
        log_p = torch.log_softmax(logits, 0)
        tokens.append(_chosen(log_p, how, draw))
        yield tokens[-1], float(log_p[tokens[-1]])
        if tokens[-1] == END:
            return


def _chosen(log_p: Tensor, how: AskPrompts, draw: torch.Generator) -> int:
    """log_p: (vocabulary,), normalised."""
    if how.temperature == 0:
        return int(log_p.argmax())
    best = log_p.topk(min(how.top_k or len(log_p), len(log_p)))
    # The likeliest is at 0 before it is divided, so that no temperature overflows to a row without a number.
    chances = torch.softmax((best.values - best.values[0]) / how.temperature, 0)
    return int(best.indices[torch.multinomial(chances, 1, generator=draw)])


def continued(network: TokenNetwork, x: Tensor, spec: Sequence, run: Run | None, draw: torch.Generator) -> Tensor:
    """(rows, tokens + 1): the first `prompt` tokens of rows (rows, tokens), and how the network goes on."""
    network.eval()
    length, parts = x.shape[1] + 1, []
    with torch.no_grad():
        for prompts in torch.split(x[:, : spec.prompt], rows_at_once(x)):
            texts = prompts
            while texts.shape[1] < length:
                if run is not None and run.stop_requested():
                    raise Stopped
                logits = network(texts).view(*texts.shape, -1)[:, -1]
                logits[:, PAD] = -torch.inf  # padding is nothing that one writes
                if spec.decode == "greedy":
                    chosen = logits.argmax(1, keepdim=True)
                else:
                    chosen = torch.multinomial(logits.double().softmax(1), 1, generator=draw)
                texts = torch.cat([texts, chosen], dim=1)
            parts.append(texts)
            if run is not None:
                done = sum(map(len, parts))
                run.progress(phase="teacher's texts", done=done, total=len(x), unit="rows")
    return torch.cat(parts) if parts else x.new_empty(0, length)
