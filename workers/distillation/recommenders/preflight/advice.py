"""Rules of thumb of recommenders, one function each: what was found and what the job says, to advice or none.

Nothing is computed here. A threshold stands beside its reason, and each rule has a test that it fires and one that it
is silent.
"""

import math

from qstill.contract.distillations.preflight_parts import Advice, Rule, advice, at
from qstill.contract.distillations.recommenders.data import SyntheticInteractions, UploadedInteractions
from qstill.contract.distillations.recommenders.job import RecommenderJob, UploadedLists
from qstill.contract.distillations.recommenders.objectives import Rd, Rrd, SoftmaxKl, terms_of
from qstill.contract.distillations.recommenders.preflight import RankingFound
from workers.distillation.preflight.advice_common import COMMON_RULES, in_order
from workers.distillation.recommenders.signals import TAIL

FEW_PER_USER = 5  # training interactions of the median user; below, a user's numbers rest on next to nothing
FEW_TESTED = 300  # users; Hit@k of 0.1 has then a standard error of nearly two points
LEAST_STEPS = 300  # embeddings move only when their user or item is drawn
MUCH_COLD = 0.1  # of what was held out
MOST_OF_THEM = 0.5  # of the items left to a user: beyond, interesting and uninteresting ones are no choice
MANY_ITEMS = 20_000  # softmax_kl scores all of them for each user of a batch
SKEWED = 0.05  # of the items, with half of all choices


def advice_on(job: RecommenderJob, found: RankingFound, *, finite: bool) -> list[Advice]:
    """All that the rules say. finite: whether the losses of the first steps were numbers."""
    return in_order((each for rule in RULES for each in rule(job, found)), finite=finite)


# What the interactions are like


def few_interactions(job: RecommenderJob, found: RankingFound) -> Rule:
    """Users of whom next to nothing is known."""
    if found.data.median_per_user < FEW_PER_USER:
        detail = (
            f"Half of the users have {found.data.median_per_user:g} training interactions or fewer. Little can be "
            "learned of them: leave out users and items with fewer than five, as most papers do, or expect little more "
            f"than popularity (NDCG@{job.evaluation.k} {found.data.popularity_ndcg:.4f})."
        )
        yield advice("few_interactions", "warning", detail, "/dataset")


def few_tested(job: RecommenderJob, found: RankingFound) -> Rule:
    """Differences that are a user or two."""
    users = found.data.tested_users
    if users < FEW_TESTED:
        detail = (
            f"{users} users are tested, and each that is found or missed is {100 / users:.1f} points of "
            f"Hit@{job.evaluation.k}: more users, or do not trust small gains."
        )
        yield advice("few_test_users", "note", detail, "/dataset")


def cold(job: RecommenderJob, found: RankingFound) -> Rule:
    """Held-out interactions that nobody is judged by."""
    left_out, rows = found.data.left_out, found.shapes.rows
    held_out = rows["validation"] + rows["test"] + left_out
    if left_out > MUCH_COLD * held_out:
        detail = (
            f"{left_out} of {held_out} held-out interactions are left out: their user or item is new, and a "
            "recommender that knows both by number can say nothing of them. The measures are of the others only."
        )
        yield advice("cold_start", "warning", detail, "/dataset/split")


def popular_items(job: RecommenderJob, found: RankingFound) -> Rule:
    """A few items that everybody chooses."""
    head, items = found.data.head_items, found.shapes.items
    if head < SKEWED * items:
        detail = (
            f"{head} of {items} items got half of all choices. NDCG@{job.evaluation.k} is then mostly about these; the "
            "report's `by_popularity` says what became of the others."
        )
        yield advice("popularity_skew", "note", detail, "/dataset")


def drawn_split(job: RecommenderJob, found: RankingFound) -> Rule:
    """What is held out was drawn, where a time would say what came last."""
    if isinstance(job.dataset, UploadedInteractions) and job.dataset.time is None:
        detail = (
            "Without a column of times, what is held out is drawn, and users are judged by a past that is learned "
            "together with their future: measures are higher than in use."
        )
        yield advice("drawn_split", "note", detail, "/dataset/time")


def synthetic(job: RecommenderJob, found: RankingFound) -> Rule:
    """Nobody's behaviour."""
    if isinstance(job.dataset, SyntheticInteractions):
        detail = "The interactions are synthetic: they compare methods, and say nothing about people."
        yield advice("synthetic", "note", detail, "/dataset/source")


# What it is measured by


def sampled_measures(job: RecommenderJob, found: RankingFound) -> Rule:
    """Measures among drawn items."""
    drawn = job.evaluation.sampled_negatives
    if drawn is not None:
        detail = (
            f"Measures among {drawn} drawn items are far higher than those over all {found.shapes.items}, and can "
            "order models wrongly (Krichene and Rendle 2020, doi:10.1145/3394486.3403226). The verdict does not read "
            "them; neither should you."
        )
        yield advice("sampled_measures", "warning", detail, "/evaluation/sampled_negatives")


def lists_of_everything(job: RecommenderJob, found: RankingFound) -> Rule:
    """Lists so long that hardly an item is missing."""
    left = found.data.fewest_left
    if job.evaluation.k > MOST_OF_THEM * left:
        detail = (
            f"A list of {job.evaluation.k} holds most of the {left} items that some user has not chosen: nearly "
            "everything is found, whoever ranks."
        )
        yield advice("k_too_large", "warning", detail, "/evaluation/k", max(1, left // 10))


# What the teacher and the objective are like


def no_better_than_popularity(job: RecommenderJob, found: RankingFound) -> Rule:
    """Lists that have nothing to teach."""
    for check in found.teachers:
        if check.users_asked and check.ndcg <= check.popularity_ndcg:
            detail = (
                f"On {check.users_asked} validation users its NDCG@{job.evaluation.k} is {check.ndcg:.4f}, and "
                f"that of the most popular items for everybody {check.popularity_ndcg:.4f}. Of lists, look at the sign "
                "of `score` (the higher the better) and at the names of users and items."
            )
            yield advice("teacher_no_better_than_popularity", "problem", detail, check.pointer)


def silent_teacher(job: RecommenderJob, found: RankingFound) -> Rule:
    """Users of whom the lists say nothing."""
    for check in found.teachers:
        silent = found.shapes.users - check.users
        if silent > MUCH_COLD * found.shapes.users:
            detail = (
                f"The teacher says nothing of {silent} of {found.shapes.users} users, who learn from interactions "
                "alone: what it adds is diluted."
            )
            yield advice("users_without_list", "warning", detail, check.pointer)


def rrd_of_everything(job: RecommenderJob, found: RankingFound) -> Rule:
    """So many items are drawn that there is no choice. More than there are is refused."""
    left = found.data.fewest_left
    for place, _, single in terms_of(job.objective):
        if isinstance(single, Rrd) and single.interesting + single.uninteresting > MOST_OF_THEM * left:
            detail = (
                f"K + L = {single.interesting + single.uninteresting} of the {left} items that some user has not "
                "chosen: the uninteresting ones are then not far below the interesting ones. The paper drew 40 each "
                "of thousands (2012.04357)."
            )
            field = "interesting" if single.interesting >= single.uninteresting else "uninteresting"
            yield advice("rrd_of_everything", "warning", detail, at(place, field), max(1, left // 8))


def short_lists(job: RecommenderJob, found: RankingFound) -> Rule:
    """Lists that end where rrd would still draw."""
    for place, _, single in terms_of(job.objective):
        for check in found.teachers:
            wanted = single.interesting + single.sharpness if isinstance(single, Rrd) else 0
            if isinstance(single, Rrd) and check.depth < wanted:
                detail = (
                    f"rrd draws {single.interesting} interesting items with a chance that falls as e^(-r/"
                    f"{single.sharpness:g}), and the shortest list ends at {check.depth}: all of it is drawn, every "
                    f"time. Lists of {single.interesting + round(TAIL * single.sharpness)} leave nothing out."
                )
                yield advice(
                    "lists_short", "note", detail, at(place, "interesting"), max(1, math.floor(check.depth / 2))
                )


def logits_of_lists(job: RecommenderJob, found: RankingFound) -> Rule:
    """softmax_kl reads scores that were perhaps never logits."""
    for place, _, single in terms_of(job.objective):
        if isinstance(single, SoftmaxKl) and isinstance(job.teacher, UploadedLists):
            detail = (
                "softmax_kl takes the scores of the lists for logits, and items outside of a list for impossible. If "
                "they are counts, stars or distances, only their order means something: rrd and rd read that alone."
            )
            yield advice("scores_as_logits", "note", detail, at(place, "kind"), "rrd")


def softmax_over_many(job: RecommenderJob, found: RankingFound) -> Rule:
    """A step that scores a catalogue."""
    for place, _, single in terms_of(job.objective):
        if isinstance(single, SoftmaxKl) and found.shapes.items > MANY_ITEMS:
            detail = (
                f"softmax_kl scores all {found.shapes.items:,} items for each user of a batch, in teacher and student; "
                "rrd and rd look at some tens."
            )
            yield advice("softmax_over_many", "note", detail, at(place, "kind"), "rrd")


def rd_never_warm(job: RecommenderJob, found: RankingFound) -> Rule:
    """A warm-up that is longer than the training."""
    for place, _, single in terms_of(job.objective):
        if isinstance(single, Rd) and single.warm_up >= job.training.epochs:
            detail = (
                f"Weights by discrepancy begin after epoch {single.warm_up}, and there are {job.training.epochs}: the "
                "student's own ranks never count."
            )
            yield advice("warm_up_too_long", "warning", detail, at(place, "warm_up"), job.training.epochs // 4)


def few_steps(job: RecommenderJob, found: RankingFound) -> Rule:
    """Too few steps to learn anything."""
    own = getattr(job.teacher, "training", None)
    for role, training in (("student", job.training), ("teacher", own or job.training)):
        per_epoch = found.shapes.steps_per_epoch.get(role)  # type: ignore[call-overload]
        if per_epoch is None or per_epoch * training.epochs >= LEAST_STEPS:
            continue
        pointer = "/teacher/training/epochs" if role == "teacher" and own else "/training/epochs"
        detail = (
            f"The {role} takes {per_epoch * training.epochs} steps in all, and a user's numbers move only in those "
            "that draw one of its interactions: smaller batches, or more epochs."
        )
        yield advice("few_steps", "warning", detail, pointer, math.ceil(LEAST_STEPS / per_epoch))


RULES = (
    few_interactions,
    few_tested,
    cold,
    popular_items,
    drawn_split,
    synthetic,
    sampled_measures,
    lists_of_everything,
    no_better_than_popularity,
    silent_teacher,
    rrd_of_everything,
    short_lists,
    logits_of_lists,
    softmax_over_many,
    rd_never_warm,
    few_steps,
    *COMMON_RULES,
)
