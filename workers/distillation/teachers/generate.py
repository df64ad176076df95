"""A language model goes on from the beginning of a text, a token at a time."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from qstill.contract.errors import Problem
from qstill.contract.models.questions import AskPrompts
from workers.distillation.networks.texts.decoder import DecoderNetwork
from workers.distillation.networks.texts.tokens import END, PAD
from workers.run import Stopped


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
