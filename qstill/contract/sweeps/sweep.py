"""What a sweep may ask: a distillation, the fields of it that vary, and how they are searched."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)

from qstill.contract.distillations.domains import BUDGETED, DISTRIBUTION, EMBEDDING, RECOMMENDER, SHORTENING, domain_of
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.schemas import Seed, Strict, Submission, refuse

MAX_PATHS = 12
MAX_VALUES = 200  # of one field
MAX_TRIALS = 500
MAX_STUDENTS = 2_000  # trials times seeds; each keeps its weights until the end
VARIABLE = ("/objective", "/student/architecture", "/training")  # all else makes another teacher or other data
FIXED = (
    "/training/seed",
    "/training/device",
    "/training/checkpoint_every",
    "/training/augmentation",
)
_NOT_SWEPT = {
    BUDGETED: "a budget looks for the architecture itself, by a sweep of its own: submit it as a distillation",
    RECOMMENDER: "a sweep varies students of rows: recommenders are submitted one by one",
    SHORTENING: "a sweep varies students of rows: a circuit's own job tries a range of `layers`, from several starts",
    DISTRIBUTION: "a sweep varies students of rows: models of shots are submitted one by one",
    EMBEDDING: "a sweep varies students of rows: encoders of texts are submitted one by one",
}

Path = Annotated[str, StringConstraints(pattern=r"^(/[a-z_]+){1,6}$", max_length=100)]
Setting = dict[str, Any]  # a value for each path


class Range(Strict):
    """Numbers between two ends, both included; for random and optuna searches."""

    low: float = Field(description="The smallest.", examples=[0.001])
    high: float = Field(description="The largest.", examples=[0.1])
    log: bool = Field(False, description="Draw evenly on a logarithmic scale.", examples=[True])
    integer: bool = Field(False, description="Whole numbers only, as epochs are.", examples=[False])

    @model_validator(mode="before")
    @classmethod
    def _has_ends(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not {"low", "high"} & given.keys():
            reason = "a field varies over a list of values, [0.5, 0.9], or over a range, {low, high}"
            refuse((), "no_list_or_range", reason, given)
        return given

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        if self.high <= self.low:
            refuse(("high",), "empty_range", f"`high` has to be above `low`, which is {self.low:g}", self.high)
        if self.log and self.low <= 0:
            refuse(("low",), "no_logarithm", "a logarithmic range begins above 0", self.low)
        if self.integer and not (self.low.is_integer() and self.high.is_integer()):
            refuse(("integer",), "not_whole", "both ends of a range of whole numbers are whole", True)
        return self

    def ends(self) -> tuple[float | int, float | int]:
        return (int(self.low), int(self.high)) if self.integer else (self.low, self.high)


def _kind(given: Any) -> str:
    return "list" if isinstance(given, list) else "range"


Choices = Annotated[
    Annotated[list[JsonValue], Field(min_length=1, max_length=MAX_VALUES), Tag("list")]
    | Annotated[Range, Tag("range")],
    Discriminator(_kind),
]


class Sweep(Submission):
    """Train many students of one teacher, and find which are worth having."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "base": {
                        "dataset": {"source": "builtin", "name": "digits", "labelled": 50},
                        "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [256]}},
                        "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
                        "evaluation": {"baseline": True, "seeds": 3},
                    },
                    "space": {
                        "/objective/temperature": [1.0, 2.0, 4.0, 8.0],
                        "/objective/alpha": [0.5, 0.9],
                        "/training/learning_rate": [0.003, 0.01],
                    },
                    "search": "grid",
                    "pruning": "median",
                }
            ]
        }
    )

    base: DistillationJob = Field(
        description="The distillation that is varied. Its teacher is trained or read once, and heard once; its "
        "`evaluation.seeds` are the students of every trial. Its own name, labels and priority are not used.",
        examples=[
            {
                "dataset": {"source": "builtin", "name": "digits"},
                "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [256]}},
                "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
            }
        ],
    )
    space: Annotated[dict[Path, Choices], Field(min_length=1, max_length=MAX_PATHS)] = Field(
        description="What varies: JSON pointers into `base`, below /objective, /student/architecture or /training, "
        "each with a list of values or a range. Every value is checked against the rest of `base` at once.",
        examples=[{"/objective/temperature": [1.0, 4.0], "/training/learning_rate": {"low": 0.001, "high": 0.1}}],
    )
    search: Literal["grid", "random", "optuna"] = Field(
        "grid",
        description="grid: every combination of lists. random: `trials` independent draws. optuna: `trials` draws of "
        "its tree-structured Parzen estimator, in rounds of ten that are trained together.",
        examples=["grid"],
    )
    trials: Annotated[int, Field(ge=1, le=MAX_TRIALS)] | None = Field(
        None, description="How many to draw; not for a grid, which has as many as it has.", examples=[None]
    )
    pruning: Literal["none", "median", "successive_halving"] = Field(
        "none",
        description="median: after a quarter and after a half of its epochs, a trial whose validation accuracy (of "
        "regression R², or what `evaluation.verdict` names) is below the median of those that came as far is given up. "
        "successive_halving (Jamieson and Talwalkar 2016, 1502.07943): after a ninth and after a third of its epochs, "
        "all but the best third of those that came as far are given up; a third of the epochs of `none` where there "
        "are many trials. Trials that are trained together are compared together, others with those before them "
        "(1810.05934).",
        examples=["median"],
    )
    seed: Seed = Field(0, description="Of the draws; students have seeds of their own.", examples=[0])

    @model_validator(mode="before")
    @classmethod
    def _of_rows(cls, given: Any) -> Any:
        """What of another domain is refused would otherwise be field by field."""
        reason = _NOT_SWEPT.get(domain_of(given["base"])) if isinstance(given, dict) and "base" in given else None
        if reason is not None:
            refuse(("base", "dataset", "source"), "not_in_a_sweep", reason, None)
        return given

    @model_validator(mode="after")
    def _can_work(self) -> "Sweep":
        _refuse_foreign_paths(self.space)
        if self.base.compression is not None:
            reason = "a sweep does not prune or quantise: submit its best setting as a distillation that does"
            refuse(("base", "compression"), "not_in_a_sweep", reason, None)
        if self.base.evaluation.quantum is not None:
            reason = "a sweep runs nothing on the circuit engine: submit its best setting as a distillation that does"
            refuse(("base", "evaluation", "quantum"), "not_in_a_sweep", reason, None)
        if self.base.evaluation.minimise is not None:
            reason = "a sweep looks for no minimum: submit its best setting as a distillation that does"
            refuse(("base", "evaluation", "minimise"), "not_in_a_sweep", reason, None)
        grid = self.search == "grid"
        if grid and self.trials is not None:
            refuse(("trials",), "grid_has_its_own", "a grid has as many trials as it has combinations", self.trials)
        if not grid and self.trials is None:
            refuse(("search",), "trials_needed", "`trials` says how many draws this search makes", self.search)
        for path, choices in self.space.items():
            if isinstance(choices, Range) and grid:
                refuse(("space", path), "range_in_grid", "a grid takes lists; draw from ranges by `random`", None)
            values = choices.ends() if isinstance(choices, Range) else choices
            names: Sequence[str | int] = ("low", "high") if isinstance(choices, Range) else range(len(values))
            if isinstance(choices, Range) and not choices.integer:
                self._refuse_reals_for_whole_numbers(path, choices)
            for name, value in zip(names, values, strict=True):
                self._refuse_value(path, name, value)
        if self.count > MAX_TRIALS:
            refuse(
                ("space",), "too_many_trials", f"a sweep has at most {MAX_TRIALS}; these are {self.count}", self.count
            )
        if self.count * self.base.evaluation.seeds > MAX_STUDENTS:
            why = f"{self.count} trials of {self.base.evaluation.seeds} seeds are more than {MAX_STUDENTS} students"
            refuse(("base", "evaluation", "seeds"), "too_many_students", why, self.base.evaluation.seeds)
        if grid:
            self._refuse_combinations()
        return self

    @property
    def count(self) -> int:
        """How many trials there are."""
        if self.trials is not None:
            return self.trials
        return math.prod(len(each) for each in self.space.values() if isinstance(each, list))

    def _refuse_value(self, path: str, name: str | int, value: Any) -> None:
        try:
            apply(self.base, {path: value})
        except ValidationError as error:
            refuse(("space", path, name), "value_refused", reason(error), value)

    def _refuse_reals_for_whole_numbers(self, path: str, drawn: Range) -> None:
        try:
            apply(self.base, {path: drawn.low})
        except ValidationError as error:
            if {each["type"] for each in error.errors()} & {"int_type", "int_from_float"}:
                why = "whole numbers are wanted there: set `integer` to true"
                refuse(("space", path, "integer"), "not_whole", why, False)

    def _refuse_combinations(self) -> None:
        for setting in grid(self.space):
            try:
                apply(self.base, setting)
            except ValidationError as error:
                refuse(("space",), "combination_refused", f"{_short(setting)}: {reason(error)}", None)


def grid(space: dict[str, Any]) -> Iterator[Setting]:
    """Every combination of the lists of a space, the last path's values varying fastest."""
    for values in itertools.product(*space.values()):
        yield dict(zip(space, values, strict=True))


def apply(base: DistillationJob, setting: Setting) -> DistillationJob:
    """The distillation with other values at some paths. Raises ValidationError."""
    body = base.model_dump(mode="json", by_alias=True, exclude_none=True)
    for path, value in setting.items():
        *above, last = path.split("/")[1:]
        place = body
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    return DistillationJob.model_validate(body)


def _refuse_foreign_paths(space: dict[str, Any]) -> None:
    for path in space:
        known = any(path == root or path.startswith(f"{root}/") for root in VARIABLE) and path != "/training"
        if not known or path in FIXED:
            why = "a sweep varies what is below /objective, /student/architecture and /training, but no seed or device"
            refuse(("space", path), "unknown_path", why, path)
        if outer := next((other for other in space if path.startswith(f"{other}/")), None):
            refuse(("space", path), "overlapping_paths", f"{outer} replaces it as a whole", path)


def reason(error: ValidationError) -> str:
    """The first of its errors, as words."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'/'.join(str(part) for part in first['loc'])}: {first['msg']}"[:300]


def _short(setting: Setting) -> str:
    return ", ".join(f"{path} = {value}" for path, value in setting.items())[:300]
