"""Which settings a sweep tries. Every draw is a function of the seed and of what is known so far, so that a sweep that
resumes asks the same questions again.
"""

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import optuna

from qstill.contract.sweeps.sweep import Range, Setting, Sweep, grid

ROUND = 10  # settings that an Optuna search draws before it hears how they did; as many as it draws at random first

Score = float | None  # mean validation accuracy; None: pruned or failed


class Search:
    """`rounds` gives lists of settings; before the next is asked for, `tell` how each of the last did."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._study: optuna.Study | None = None
        self._asked: list[optuna.Trial] = []

    def rounds(self) -> Iterator[list[Setting]]:
        sweep = self._sweep
        if sweep.search == "grid":
            yield list(grid(sweep.space))
        elif sweep.search == "random":
            yield list(draws(sweep))
        else:
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            sampler = optuna.samplers.TPESampler(seed=sweep.seed % 2**32, n_startup_trials=ROUND)
            self._study = optuna.create_study(direction="maximize", sampler=sampler)
            for first in range(0, sweep.count, ROUND):
                self._asked = [self._study.ask() for _ in range(min(ROUND, sweep.count - first))]
                yield [self._suggested(trial) for trial in self._asked]

    def tell(self, scores: Sequence[Score]) -> None:
        """In the order of the settings."""
        if self._study is None:
            return
        for trial, score in zip(self._asked, scores, strict=True):
            if score is None:
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                self._study.tell(trial, score)

    def _suggested(self, trial: optuna.Trial) -> Setting:
        return {path: _suggest(trial, path, choices) for path, choices in self._sweep.space.items()}


def draws(sweep: Sweep) -> Iterator[Setting]:
    """Independent draws, as many as there are trials."""
    draw = random.Random(sweep.seed)  # noqa: S311 - reproducible, not secret
    for _ in range(sweep.count):
        yield {path: _drawn(draw, choices) for path, choices in sweep.space.items()}


def _drawn(draw: random.Random, choices: Any) -> Any:
    if not isinstance(choices, Range):
        return draw.choice(choices)
    low, high = choices.ends()
    if choices.integer and not choices.log:
        return draw.randint(int(low), int(high))
    value = math.exp(draw.uniform(math.log(low), math.log(high))) if choices.log else draw.uniform(low, high)
    value = min(max(value, low), high)  # rounding of the exponential
    return round(value) if choices.integer else value


def _suggest(trial: optuna.Trial, path: str, choices: Any) -> Any:
    if not isinstance(choices, Range):
        return choices[trial.suggest_categorical(path, range(len(choices)))]
    low, high = choices.ends()
    if choices.integer:
        return trial.suggest_int(path, int(low), int(high), log=choices.log)
    return trial.suggest_float(path, low, high, log=choices.log)
