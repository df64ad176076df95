"""Which tokens a server means, by how it spells them; and whether its tokenizer is the one that the job carries."""

from collections.abc import Mapping, Sequence

from qstill.contract.errors import Problem
from workers.distillation.data.adopted import Adopted

BY_NUMBER = "token_id:"  # how vLLM spells tokens that it is asked to number
BYTES = "bytes:"  # how some spell a token that is no whole character
BROKEN = "\ufffd"  # stands for it elsewhere
MOST_STRANGE = 0.05  # of the tokens in one answer: servers spell some marks in ways of their own
WORTH_JUDGING = 20  # tokens; of fewer one is too large a share


class Names:
    """Spellings are of one of three ways: as the vocabulary has them, decoded, or with spaces for their marks."""

    def __init__(self, adopted: Adopted) -> None:
        self._ours = adopted.ours
        spelled = {number: adopted.original.id_to_token(number) or "" for number in self._ours}
        decoded = adopted.original.decode_batch([[number] for number in self._ours], skip_special_tokens=False)
        self._ways = (
            _unlike(spelled),
            _unlike(dict(zip(self._ours, decoded, strict=True))),
            _unlike({number: name.replace("▁", " ").replace("Ġ", " ") for number, name in spelled.items()}),
        )
        self._way = self._ways[0]
        self._known = [frozenset(way) for way in self._ways]

    def number(self, name: str, given: int | None = None) -> int | None:
        """The job's number of a token that a server names; None: one that cannot be told, or has no number here.

        given: the server's own number of it, where it says that too.
        """
        if given is not None:
            return self._ours.get(given)
        if name.startswith(BY_NUMBER):
            told = name.removeprefix(BY_NUMBER)
            return self._ours.get(int(told)) if told.isdecimal() and len(told) < 10 else None
        theirs = self._way.get(name)
        return None if theirs is None else self._ours[theirs]

    def sample(self, count: int) -> list[int]:
        """Numbers from all over the model's vocabulary: tokenizers of one kind begin alike, and end differently."""
        numbers = sorted(self._ours)
        return [numbers[place * (len(numbers) - 1) // max(count - 1, 1)] for place in range(count)]

    def settle(self, echoed: Sequence[str], sent: Sequence[int]) -> None:
        """Find how the server spells, by tokens that it was sent and says again. Raises Problem tokenizer_mismatch."""
        pairs = [(name, number) for name, number in zip(echoed, sent, strict=True) if _telling(name)]
        wrong = [sum(way.get(name, number) != number for name, number in pairs) for way in self._ways]
        unknown = [sum(name not in known for name, _ in pairs) for known in self._known]
        best = min(range(len(self._ways)), key=lambda way: wrong[way] + unknown[way])
        if wrong[best] + unknown[best] > MOST_STRANGE * max(len(pairs), WORTH_JUDGING):
            name, number = next((name, number) for name, number in pairs if self._ways[best].get(name) != number)
            raise _mismatch(name, self._spelled(number))
        self._way = self._ways[best]

    def settle_by(self, told: Mapping[str, int | None]) -> None:
        """The same, by tokens that it answers with, and their numbers where it gives them."""
        names = {name: number for name, number in told.items() if _telling(name)}
        strange = [
            [
                name
                for name, number in names.items()
                if name not in known or (number is not None and way.get(name, number) != number)
            ]
            for way, known in zip(self._ways, self._known, strict=True)
        ]
        best = min(range(len(self._ways)), key=lambda way: len(strange[way]))
        if len(strange[best]) > MOST_STRANGE * max(len(names), WORTH_JUDGING):
            name = strange[best][0]
            number = names[name]
            raise _mismatch(name, None if number is None else self._spelled(number))
        self._way = self._ways[best]

    def _spelled(self, number: int) -> str | None:
        return next((name for name, each in self._ways[0].items() if each == number), None)


def _unlike(spelled: Mapping[int, str]) -> dict[str, int | None]:
    """Numbers by their spellings; None for one that several share, or that is no whole character."""
    found: dict[str, int | None] = {}
    for number, name in spelled.items():
        found[name] = None if name in found or not _telling(name) else number
    return found


def _telling(name: str) -> bool:
    return bool(name) and BROKEN not in name and not name.startswith((BYTES, BY_NUMBER))


def _mismatch(theirs: str, ours: str | None) -> Problem:
    has = "has no such token" if ours is None else f"has {ours[:40]!r} there"
    title = (
        f"The server answers with the token {theirs[:40]!r}, and the job's tokenizer {has}: it is another tokenizer."
    )
    return Problem("tokenizer_mismatch", title, pointer="/tokenizer")
