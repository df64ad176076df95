"""What OpenAI-compatible servers answer when they are asked for log-probabilities, brought to one form.

Two shapes are in use. That of completions, as vLLM gives it: `tokens`, and for each of them an object of tokens and
numbers in `top_logprobs`; with `echo` those of the prompt come first. That of chats, which llama.cpp gives for
completions too: a list `content` of objects with a list `top_logprobs`.
"""

import json
from collections.abc import Sequence
from typing import Any

from qstill.contract.errors import Problem
from workers.distillation.teachers.remote.caller import failed

Told = dict[str, tuple[float, int | None]]  # log-probability, and the server's number of a token, by its spelling

LEAST = -1000.0  # nats: what is said to be less is said to be impossible


def choices_of(content: bytes, count: int) -> list[dict[str, Any]]:
    """An answer's choices, one for each prompt, in their order. Raises Problem endpoint_failed."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        raise failed("The server's answer is no JSON.") from None
    parts = answer if isinstance(answer, list) else [answer]  # llama.cpp answers several prompts with several answers
    lists = [part.get("choices") if isinstance(part, dict) else None for part in parts]
    if not all(isinstance(each, list) for each in lists):
        raise failed("The server's answer has no `choices`.")
    choices = [choice for each in lists if each for choice in each]
    if len(choices) != count or not all(isinstance(choice, dict) for choice in choices):
        raise failed(f"The server answered {len(choices)} choices to {count} prompts.")
    order = [choice.get("index") for choice in choices]
    if all(type(each) is int for each in order) and len(set(order)) == count:
        choices.sort(key=lambda choice: int(choice["index"]))
    return choices


def echoed(choice: dict[str, Any], length: int) -> tuple[list[str], list[Told]]:
    """(spelling of each token sent, what was said to come after it). length: tokens that were sent.

    The server says what may come in the place of each token but the first, and of one that it adds.
    Raises Problem: endpoint_failed, log_probabilities_unavailable.
    """
    said = _logprobs(choice)
    tokens, top = said.get("tokens"), said.get("top_logprobs")
    if isinstance(said.get("content"), list) or (isinstance(tokens, list) and len(tokens) == 1 < length + 1):
        raise unavailable(
            "The server does not say again what it was sent (`echo`), so that it gives no log-probabilities of it.",
            {"log_probabilities": "next_token"},
        )
    if not isinstance(top, list) or not any(top):
        raise unavailable("The server names no likeliest tokens (`top_logprobs`) beside those that it was sent.")
    if not isinstance(tokens, list) or len(tokens) != length + 1 or len(top) != length + 1:
        found = len(tokens) if isinstance(tokens, list) else 0
        raise failed(f"The server answered {found} tokens where {length} were sent and one was to follow.")
    if not all(isinstance(token, str) for token in tokens):
        raise failed("The server's tokens are no strings.")
    return tokens[:length], [_told(each) for each in top[1:]]


def next_token(choice: dict[str, Any]) -> Told:
    """What was said to come after a prompt. Raises Problem: endpoint_failed, log_probabilities_unavailable."""
    said = _logprobs(choice)
    content, top = said.get("content"), said.get("top_logprobs")
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return _told(content[0].get("top_logprobs"))
    if isinstance(top, list) and top:
        return _told(top[0])
    raise unavailable("The server names no likeliest tokens (`top_logprobs`).")


def _logprobs(choice: dict[str, Any]) -> dict[str, Any]:
    said = choice.get("logprobs")
    if not isinstance(said, dict):
        raise unavailable("The server answers without log-probabilities, although it was asked for them.")
    return said


def _told(given: Any) -> Told:
    """Of one place, in either shape."""
    pairs: list[tuple[Any, Any, Any]]
    if isinstance(given, dict):
        pairs = [(name, value, None) for name, value in given.items()]
    elif isinstance(given, list) and all(isinstance(each, dict) for each in given):
        pairs = [(each.get("token"), each.get("logprob"), each.get("id")) for each in given]
    else:
        raise failed("The server's `top_logprobs` are neither objects nor lists of them.")
    found: Told = {}
    for name, value, number in pairs:
        right = isinstance(name, str) and isinstance(value, int | float) and not isinstance(value, bool)
        if not right or not value <= 1e-3:
            raise failed("The server's `top_logprobs` are no tokens with their log-probabilities.")
        if value > LEAST:
            key = name if name not in found else f"{name}\ufffd{len(found)}"  # two that are spelled alike
            found[key] = (float(value), number if type(number) is int else None)
    return found


def unavailable(title: str, *ways_out: dict[str, Any]) -> Problem:
    """A server that does not do what is needed of it."""
    more = "" if ways_out else " A job may learn from its texts instead: the objective `sequence`."
    return Problem("log_probabilities_unavailable", title + more, pointer="/log_probabilities", ways_out=ways_out)


def spelled(places: Sequence[Told]) -> dict[str, int | None]:
    """All tokens of some places, and the server's numbers of them."""
    return {name: number for place in places for name, (_, number) in place.items()}
