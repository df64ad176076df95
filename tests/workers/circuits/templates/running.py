"""Running a template without a worker, and histograms that are wrong."""

from collections import Counter
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.templates import Template
from qstill.contract.circuits.templates.answer import Answer
from workers.circuits.examine.shape import examine
from workers.circuits.program import Ask, Program
from workers.circuits.route import route, simulate
from workers.circuits.templates import prepare
from workers.circuits.templates.prepared import Prepared

ADAPTER: TypeAdapter[Template] = TypeAdapter(Template)
MEMORY = 2**31


def prepared(name: str, *, seed: int = 7, **parameters: Any) -> Prepared:
    template = ADAPTER.validate_python({"name": name, **parameters})
    return prepare(template, seed=seed, between=lambda: None)


def counts_of(ready: Prepared, *, shots: int, seed: int) -> dict[str, int]:
    """By the method that a job would take."""
    body = {"circuit": {"format": "template", "template": {"name": "bell"}}, "shots": shots}
    program = Program(ready.circuit, examine(ready.circuit))
    routed = route(program, CircuitJob.model_validate(body), locations=0, memory_available=MEMORY, pointer="/circuit")
    sample, _ = simulate(routed, Ask(shots=shots, seed=seed))
    return sample.counts


def answer(name: str, *, shots: int = 4000, seed: int = 7, **parameters: Any) -> Answer:
    ready = prepared(name, seed=seed, **parameters)
    return ready.interpret(counts_of(ready, shots=shots, seed=seed), shots)


def noise(clbits: int, shots: int) -> dict[str, int]:
    """Every bit a coin."""
    rows = np.random.default_rng(1).integers(0, 2, (shots, clbits))
    return dict(Counter("".join(map(str, row)) for row in rows.tolist()))


def mixed(counts: dict[str, int], ready: Prepared, shots: int, share: float) -> dict[str, int]:
    """A share of the shots replaced by noise, the most frequent outcomes first."""
    spoilt = Counter(noise(ready.circuit.num_clbits, round(share * shots)))
    left = round(share * shots)
    kept = Counter(counts)
    for key, count in kept.most_common():
        taken = min(count, left)
        kept[key] -= taken
        left -= taken
    return {key: count for key, count in (kept + spoilt).items() if count}
