"""Each rule of advice on recommenders fires where it should, and a job without faults is left in peace."""

from collections.abc import Callable
from typing import Any

import pytest

from qstill.contract.distillations.recommenders.job import RecommenderJob
from qstill.contract.distillations.recommenders.preflight import RankingFound
from tests.workers.distillation.untroubled import CAPACITY, MEMORY, TIME, Json
from workers.distillation.preflight import advice_common as common_rules
from workers.distillation.recommenders.preflight import advice as rules

Rule = Callable[..., Any]

LISTS = {"source": "lists", "file": "file_2"}
CHECK = {
    "pointer": "/teacher",
    "users": 5000,
    "users_asked": 2000,
    "depth": 200,
    "ndcg": 0.2,
    "hit": 0.3,
    "popularity_ndcg": 0.1,
}
JOB: Json = {
    "dataset": {"source": "interactions", "file": "file_1", "time": "time"},
    "teacher": {"source": "train", "architecture": {"kind": "matrix_factorisation", "dimensions": 32}},
    "student": {"architecture": {"kind": "matrix_factorisation", "dimensions": 4}},
    "objective": {"kind": "rrd"},
    "training": {"epochs": 40},
}
FOUND: Json = {
    "shapes": {
        "rows": {"train": 100_000, "validation": 5000, "test": 5000},
        "users": 5000,
        "items": 2000,
        "total_steps": 40_000,
        "batch_sizes": {"student": 512, "teacher": 512},
        "steps_per_epoch": {"student": 196, "teacher": 196},
    },
    "teachers": [],
    "capacity": CAPACITY,
    "time": TIME,
    "memory": MEMORY | {"cache": 0, "cache_limit": 0},
    "data": {
        "density": 0.01,
        "median_per_user": 20.0,
        "fewest_per_user": 3,
        "most_per_user": 300,
        "cold_users": 0,
        "cold_items": 5,
        "left_out": 10,
        "tested_users": 4900,
        "head_items": 300,
        "fewest_left": 1700,
        "popularity_ndcg": 0.1,
        "popularity_hit": 0.2,
    },
}


def job_of(**changes: Json) -> RecommenderJob:
    body = JOB | {
        part: change if {"kind", "source"} & change.keys() else JOB.get(part, {}) | change
        for part, change in changes.items()
    }
    return RecommenderJob.model_validate(body)


def found_of(*, check: Json | None = None, **changes: Json) -> RankingFound:
    body = FOUND | {part: FOUND[part] | change for part, change in changes.items()}
    return RankingFound.model_validate(body | ({} if check is None else {"teachers": [CHECK | check]}))


def test_a_job_without_faults_is_left_in_peace() -> None:
    assert rules.advice_on(job_of(), found_of(), finite=True) == []
    assert rules.advice_on(job_of(teacher=LISTS), found_of(check={}), finite=True) == []


RD = {"kind": "rd", "warm_up": 40}
FIRES: list[tuple[Rule, Json, Json, str, object]] = [
    (rules.few_interactions, {}, {"data": {"median_per_user": 3.0}}, "/dataset", None),
    (rules.few_tested, {}, {"data": {"tested_users": 40}}, "/dataset", None),
    (rules.cold, {}, {"data": {"left_out": 3000}}, "/dataset/split", None),
    (rules.popular_items, {}, {"data": {"head_items": 20}}, "/dataset", None),
    (rules.drawn_split, {"dataset": {"time": None}}, {}, "/dataset/time", None),
    (rules.synthetic, {"dataset": {"source": "synthetic_interactions"}}, {}, "/dataset/source", None),
    (
        rules.sampled_measures,
        {"evaluation": {"sampled_negatives": 99}},
        {},
        "/evaluation/sampled_negatives",
        None,
    ),
    (rules.lists_of_everything, {"evaluation": {"k": 100}}, {"data": {"fewest_left": 170}}, "/evaluation/k", 17),
    (
        rules.no_better_than_popularity,
        {"teacher": LISTS},
        {"check": {"ndcg": 0.05}},
        "/teacher",
        None,
    ),
    (rules.silent_teacher, {"teacher": LISTS}, {"check": {"users": 3000}}, "/teacher", None),
    (
        rules.rrd_of_everything,
        {"objective": {"kind": "rrd", "interesting": 30, "uninteresting": 60}},
        {"data": {"fewest_left": 160}},
        "/objective/uninteresting",
        20,
    ),
    (rules.short_lists, {"teacher": LISTS}, {"check": {"depth": 40}}, "/objective/interesting", 20),
    (
        rules.logits_of_lists,
        {"teacher": LISTS, "objective": {"kind": "softmax_kl"}},
        {"check": {}},
        "/objective/kind",
        "rrd",
    ),
    (
        rules.softmax_over_many,
        {"objective": {"kind": "softmax_kl"}},
        {"shapes": {"items": 50_000}, "data": {"head_items": 5_000}},
        "/objective/kind",
        "rrd",
    ),
    (rules.rd_never_warm, {"objective": RD}, {}, "/objective/warm_up", 10),
    (
        rules.few_steps,
        {"training": {"epochs": 40}},
        {"shapes": {"steps_per_epoch": {"student": 3}}},
        "/training/epochs",
        100,
    ),
    (
        rules.few_steps,
        {"teacher": JOB["teacher"] | {"training": {"epochs": 1}}},
        {},
        "/teacher/training/epochs",
        2,
    ),
    (common_rules.one_seed, {"evaluation": {"seeds": 1}}, {}, "/evaluation/seeds", 3),
    (common_rules.no_baseline, {"evaluation": {"baseline": False}}, {}, "/evaluation/baseline", True),
    (common_rules.sizes, {}, {"capacity": {"ratio": 0.5}}, "/student/architecture", None),
    (common_rules.too_large, {}, {"memory": {"peak": 20_000}}, "/training/batch_size", 256),
    (common_rules.too_long, {}, {"time": {"limit": 1.0}}, "/training/epochs", None),
]


@pytest.mark.parametrize(("rule", "job", "found", "pointer", "value"), FIRES)
def test_a_rule_fires_alone_and_says_what_to_change(
    rule: Rule, job: Json, found: Json, pointer: str, value: object
) -> None:
    changed, seen = job_of(**job), found_of(**found)
    (said,) = rule(changed, seen)
    assert rules.advice_on(changed, seen, finite=True) == [said]
    assert (said.pointer, said.suggestion.value if said.suggestion else None) == (pointer, value)


def test_every_rule_is_shown_to_fire() -> None:
    assert {rule for rule, *_ in FIRES} == set(rules.RULES)


@pytest.mark.parametrize(("rule", "job", "found", "pointer", "value"), [case for case in FIRES if case[4] is not None])
def test_a_suggestion_that_is_followed_is_a_job_and_is_not_made_again(
    rule: Rule, job: Json, found: Json, pointer: str, value: object
) -> None:
    body = job_of(**job).model_dump(mode="json", exclude_none=True)
    *path, last = pointer.split("/")[1:]
    place = body
    for step in path:
        place = place.setdefault(step, {})
    place[last] = value
    if pointer == "/objective/kind":
        body["objective"] = {"kind": value}
    again = list(rule(RecommenderJob.model_validate(body), found_of(**found)))
    assert again == [] or rule is common_rules.too_large  # which was measured with the old job
