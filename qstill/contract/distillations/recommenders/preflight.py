"""What is said of a recommender before it is submitted: as of classifiers, but of users and items."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.preflight_parts import Advice, Capacity, Memory, Time
from qstill.contract.schemas import View


class RankingShapes(View):
    """What is fed to what, and how often."""

    rows: dict[Literal["train", "validation", "test"], int] = Field(
        description="Interactions of each split.", examples=[{"train": 28110, "validation": 1000, "test": 1000}]
    )
    users: int = Field(description="All that the data names.", examples=[1000])
    items: int = Field(description="All that the data names; a ranking scores each of them.", examples=[500])
    batch_sizes: dict[Literal["teacher", "student"], int] = Field(
        description="Interactions a batch; uploaded lists are not trained.", examples=[{"teacher": 512, "student": 512}]
    )
    steps_per_epoch: dict[Literal["teacher", "student"], int] = Field(
        description="Optimizer steps; the baseline takes as many as the student.",
        examples=[{"teacher": 55, "student": 55}],
    )
    total_steps: int = Field(
        description="Of the job: teacher, students and baselines over all seeds, if none stops early.", examples=[15400]
    )


class RankingCheck(View):
    """Lists or a model that are there already, measured on the validation split of users of whom they speak."""

    pointer: str = Field(description="Where the job names it.", examples=["/teacher"])
    users: int = Field(description="Users that it speaks of.", examples=[980])
    users_asked: int = Field(
        description="Of these, with something held out for validation; of very many, some.", examples=[970]
    )
    depth: int = Field(
        description="Items of each list that the objective reads: as many as it needs, at most those of the shortest "
        "list that its user has not chosen in training.",
        examples=[50],
    )
    ndcg: float = Field(description="Its NDCG@k, between 0 and 1.", examples=[0.081])
    hit: float = Field(description="Hit@k: users one of whose held-out items is among the first k.", examples=[0.15])
    popularity_ndcg: float = Field(description="NDCG@k of the most popular items for the same users.", examples=[0.046])


class InteractionCheck(View):
    """What the interactions are like."""

    density: float = Field(description="Training interactions, of all pairs of a user and an item.", examples=[0.0562])
    median_per_user: float = Field(description="Training interactions of a user.", examples=[24.0])
    fewest_per_user: int = Field(description="Of the user who has the fewest.", examples=[1])
    most_per_user: int = Field(description="Of the user who has the most.", examples=[140])
    cold_users: int = Field(description="Users without a training interaction; nobody learns of them.", examples=[0])
    cold_items: int = Field(description="Items without a training interaction.", examples=[2])
    left_out: int = Field(
        description="Held-out interactions that are not used, because their user or item is cold.", examples=[2]
    )
    tested_users: int = Field(description="Users with something in the test split.", examples=[998])
    head_items: int = Field(
        description="Popularity's skew: the fewest items that got half of the training interactions.", examples=[61]
    )
    fewest_left: int = Field(
        description="Items that the user who has chosen most has not chosen in training.", examples=[360]
    )
    popularity_ndcg: float = Field(
        description="NDCG@k on the validation split of recommending the most popular items to everybody: what a "
        "recommender has to be better than.",
        examples=[0.046],
    )
    popularity_hit: float = Field(description="Its Hit@k.", examples=[0.09])


class RankingFound(View):
    """What was measured."""

    shapes: RankingShapes = Field(description="What is fed to what.")
    teachers: list[RankingCheck] = Field(
        description="The lists or the model that are there already; empty where the job trains its teacher."
    )
    capacity: Capacity = Field(description="Parameters of teacher and student, and multiply-adds to rank for one user.")
    time: Time = Field(description="How long it will take.")
    memory: Memory = Field(description="What it will occupy; what its teacher says is not kept on the disk.")
    data: InteractionCheck = Field(description="Users, items and how popular these are.")


class RankingPreflight(RankingFound):
    """A look at a recommender that was not submitted. Two batches were learned, and nothing is kept of them."""

    object: Literal["preflight"] = Field("preflight", description="What this is.", examples=["preflight"])
    advice: list[Advice] = Field(description="What to know of it, problems first.")
