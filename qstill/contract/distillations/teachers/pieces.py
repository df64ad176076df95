"""What teachers of several origins have in common."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from qstill.contract.schemas import Strict, refuse

MAX_CLASS_NAMES = 1_000  # as many as a data set may have

ClassName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ClassNames = Annotated[list[ClassName], Field(min_length=2, max_length=MAX_CLASS_NAMES)]
Missing = Literal["uniform", "renormalise", "ghost"]
Inputs = Literal["standardised", "raw"]
Objection = Literal["class_order", "teacher_worse_than_chance", "unknown_classes"]
ClassMap = Annotated[dict[ClassName, ClassName | None], Field(min_length=2, max_length=MAX_CLASS_NAMES)]

CLASSES = Field(
    None,
    description="The teacher's classes in the order of its answers, if that is not the data's: ascending, numbers "
    "before words; of a folder, what its `id2label` says. They must be the data's classes, or the names of "
    "`class_map`.",
    examples=[["setosa", "virginica", "versicolor"]],
)
MISSING = (
    "What the probability means that the given classes leave over. `uniform`: it is spread evenly over the others, "
    "which blurs the teacher's tail. `renormalise`: there is none, the given classes share all of it; this biases the "
    "student towards them (2503.16870), unless they were drawn at random by importance. `ghost`: it belongs to one "
    "residual class, whose share the student learns but not how to divide it: the other classes keep the student's own "
    "proportions, so that nothing is claimed that the teacher did not say."
)


class Judged(Strict):
    """A teacher that is there already: it answers the validation rows before anything is learned from it."""

    accept: Annotated[list[Objection], Field(max_length=3)] = Field(
        default_factory=list,
        description="What does not end the job, but stands in its report. `class_order`: the teacher is right if its "
        "columns are assigned to other classes; without this the job ends and names the list for `classes`. "
        "`teacher_worse_than_chance`: it is right less often than always answering the most frequent class (of real "
        "numbers: further off than their mean). `unknown_classes`: no class of the teacher becomes one of the data's, "
        "which it then gives the probability 0. A preflight says each beforehand.",
        examples=[["class_order"]],
    )


class OfOtherClasses(Judged):
    """A teacher whose classes may be more, fewer or called otherwise than the data's."""

    class_map: ClassMap | None = Field(
        None,
        description="What each of the teacher's classes is among the data's; several may be one, whose probability is "
        "then their sum. Null for a class: what the teacher says of it is left out, and the others share it. Every "
        "class of the teacher is named; its answers are in the order of `classes`, of the file's card, or ascending. "
        "Null: the data's classes.",
        examples=[{"tabby": "cat", "siamese": "cat", "beagle": "dog", "truck": None}],
    )

    @model_validator(mode="after")
    def _maps_something(self) -> Self:
        if self.class_map is not None and not any(self.class_map.values()):
            refuse(("class_map",), "maps_nothing", "every class of the teacher is left out", None)
        return self
