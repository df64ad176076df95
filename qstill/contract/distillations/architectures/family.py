"""What all but its makers must know of a family of networks: one record beside its definition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar, get_args

from qstill.contract.schemas import Strict

FeatureKind = Literal["flat", "image"]
Question = Literal["inputs", "texts", "prompts", "masked", "users"]  # which field of a question to `/predict`
OnnxFormat = Literal["onnx", "onnx_int8"]
ExportFormat = Literal[OnnxFormat, "openqasm3", "cirq"]

A = TypeVar("A", bound=Strict)


class Named(Protocol):
    """Every definition."""

    @property
    def kind(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Blocks(Generic[A]):
    """Blocks after one another, of which a student may take its teacher's. alike: fields that must be the same then."""

    depth: Callable[[A], int]
    alike: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Form(Generic[A]):
    """Networks that differ in one width alone. words: what they are. widths: ascending; what networks take grows with
    them.
    """

    words: str
    of: Callable[[int], A]
    widths: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Family(Generic[A]):
    """reads: what its rows are; rows of numbers may be images, too. only_for: the one task that it is for.

    features: what a network can be asked for, in the order in which it computes them. flat: (rows, width), of a
    language model (tokens, width). image: (rows, channels, height, width).
    program: its forward as a function of its weights, in plain torch: `network(x)` over `weights`, by their names, and
    `architecture`, with `linear(name, x)`. Cards make a program of it that whoever has torch and safetensors can run.
    blocks: None where no student can begin from its teacher. why_no_units: why units of a network cannot be removed,
    or None where they can. is_circuit: whether the circuit engine can run it. controls: simpler networks of the family,
    by name, beside which a report stands it.
    why_no_onnx: (code, reason) why a network does not leave as ONNX, or None where it does.
    forms: of which candidates for a budget are made, for rows of a shape; none: no budget chooses the family.
    ending: of its checkpoints' names: weights with a card, or a folder that `transformers` opens.
    The rest says what can be done with it: by default, what can be done with layers that end in one linear `head`.
    """

    definition: type[A]
    reads: Literal["numbers", "images", "text"]
    question: Question
    features: Callable[[A], dict[str, FeatureKind]]
    why_no_units: Callable[[A], str | None]
    program: str
    only_for: Literal["language_modelling", "masked_language_modelling"] | None = None
    blocks: Blocks[A] | None = None
    half_precision: bool = True
    head_bias: bool = True  # a number for each class that a correction can be added to
    compresses: bool = True
    exports: tuple[ExportFormat, ...] = ("onnx", "onnx_int8")
    ending: Literal[".safetensors", ".zip"] = ".safetensors"
    is_circuit: bool = False
    controls: Callable[[A], Mapping[str, A]] = lambda _: {}
    why_no_onnx: Callable[[A], tuple[str, str] | None] = lambda _: None
    forms: Callable[[tuple[int, ...]], Sequence[Form[A]]] = lambda _: ()

    @property
    def kind(self) -> str:
        """As jobs name it."""
        return str(get_args(self.definition.model_fields["kind"].annotation)[0])


def numbered(name: str, count: int, kind: FeatureKind) -> dict[str, FeatureKind]:
    """Features `name.0`, `name.1`, ..."""
    return {f"{name}.{number}": kind for number in range(count)}


def widths(least: int, most: int, *, multiple: int = 1) -> tuple[int, ...]:
    """Multiples of a number, about four to each doubling, from `least` to `most`."""
    found = [least]
    while found[-1] < most:
        wider = round(found[-1] * 2**0.25 / multiple) * multiple
        found.append(min(most, max(wider, found[-1] + multiple)))
    return tuple(found)


def units_are_added(architecture: Named) -> str:
    """Why none can be removed where every layer's go into one sum."""
    return f"units of a {architecture.kind} are not removed here: every layer of it adds to the same features"


def units_can_go(_: Named) -> None:
    """Nothing keeps them from being removed."""
