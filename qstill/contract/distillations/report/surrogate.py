"""What a report says where a circuit teaches: what stands for the circuit now, how well, and what it cost."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.report.part import ReportPart

JudgedBy = Literal["exact", "teacher"]


class SurrogateErrors(ReportPart):
    """Of values for the test rows, from the circuit's own without shots and noise, over all observables."""

    rmse: float = Field(description="Root of the mean squared error.", examples=[0.012])
    max_error: float = Field(description="The largest error.", examples=[0.031])


class Spectrum(ReportPart):
    """The trigonometric sum that the circuit is, found in its gates."""

    frequencies: list[int] = Field(description="The highest of each input, in units.", examples=[[1, 1, 1, 1]])
    units: list[float] = Field(description="Radians for each unit of an input at frequency 1.", examples=[[1.0] * 4])
    nodes: int = Field(description="Its coefficients, and the nodes of the grid that gives them.", examples=[81])
    ranks: list[int] = Field(
        description="Of the student's coefficients, the inputs cut in two after each but the last: how much the "
        "two sides have to do with one another. Empty where the student is no such sum.",
        examples=[[3, 6, 3]],
    )


class MitigatedTeacher(ReportPart):
    """What error mitigation did for the circuit's answers to the test rows."""

    kind: str = Field(description="As in `teacher.mitigation`.", examples=["zne"])
    without: SurrogateErrors = Field(
        description="Of asking the circuit without mitigation, with as many shots for a row in all; `direct` is with."
    )
    helped: bool = Field(description="Whether the RMSE is smaller with it.", examples=[True])
    circuits_before: int = Field(
        description="Circuits that were run once for the gains, and are in `circuits`; 0 of extrapolation.",
        examples=[0],
    )
    gains: list[float] | None = Field(
        description="Of each observable: what is measured is multiplied by them. Null of extrapolation.",
        examples=[[1.21]],
    )
    sentence: str = Field(
        description="The same in words.",
        examples=["helped: an RMSE of 0.012 with it and of 0.094 without, for as many shots"],
    )


class SlicePoint(ReportPart):
    """Values along one input."""

    at: float = Field(description="The input.", examples=[0.4])
    student: float = Field(description="The student's value.", examples=[-6.1])
    circuit: float = Field(description="The circuit's own, as `judged_by` says.", examples=[-6.12])
    asked: float = Field(description="What the circuit says with its shots and noise.", examples=[-6.3])


class Slice(ReportPart):
    """The student beside the circuit along one input, the others held: at the minimum, or in the middle of the rows."""

    input: str = Field(description="The circuit's parameter that moves.", examples=["gamma0"])
    observable: str = Field(description="Of which the values are.", examples=["cost"])
    through: dict[str, float] = Field(description="All inputs where it is held.", examples=[{"beta0": 0.4}])
    points: list[SlicePoint] = Field(description="Over the span of the rows.")


class SurrogatePoint(ReportPart):
    """A test row: values of the first observable, or of the minimised one."""

    circuit: float = Field(description="The circuit's own.", examples=[-5.2])
    student: float = Field(description="The student's.", examples=[-5.19])
    asked: float = Field(description="Of asking the circuit with its shots and noise.", examples=[-5.3])


SearchName = Literal["surrogate", "start", "best_asked", "cobyla", "spsa"]


class Searched(ReportPart):
    """Angles that a search found."""

    angles: list[float] = Field(description="By the teacher's inputs.", examples=[[0.41, -0.62]])
    value: float = Field(
        description="The circuit's own value there, as `judged_by` says, whatever the search saw.", examples=[-6.35]
    )
    evaluations: int = Field(description="Rows that the circuit was asked about, with shots and noise.", examples=[75])


class Refined(ReportPart):
    """BFGS with the circuit's exact values, as no hardware gives them, from two starts: what a warm start is worth."""

    start: float = Field(description="Where it ends from the start of the others.", examples=[-6.352])
    start_steps: int = Field(description="Its iterations.", examples=[7])
    surrogate: float = Field(description="Where it ends from the student's minimum.", examples=[-6.352])
    surrogate_steps: int = Field(description="Its iterations.", examples=[2])


class Optimum(ReportPart):
    """Where the student is lowest, what the circuit says there, and what others find with as many evaluations."""

    observable: str = Field(description="What is minimised.", examples=["cost"])
    inputs: list[str] = Field(
        description="The angles, in the order of the numbers here.", examples=[["beta0", "gamma0"]]
    )
    predicted: float = Field(description="The student's value at its minimum.", examples=[-6.36])
    searches: dict[SearchName, Searched] = Field(
        description="surrogate: the student's minimum. start: where the others begin. best_asked: the node or row at "
        "which the circuit's answer was lowest, of those that the student was made of. cobyla, spsa: asking the "
        "circuit as often as that, from `start`; COBYLA begins anew at random where it ends before.",
        examples=[{"surrogate": {"angles": [0.41, -0.62], "value": -6.35, "evaluations": 75}}],
    )
    tolerance: float = Field(
        description="What counts as the same value: the standard error at the minimum of as many shots as the student "
        "cost; of exact answers a millionth of their range.",
        examples=[0.02],
    )
    gain: bool = Field(
        description="Whether the student's minimum is lower than all others by more than the tolerance.",
        examples=[False],
    )
    verdict: str = Field(
        description="One sentence.", examples=["no gain: cobyla finds -6.35 with 75 evaluations, the student -6.35"]
    )
    refined: Refined | None = Field(description="Null where the circuit has no exact values, or is slow to compute.")
    certificate: str = Field(
        description="The circuit job that runs the circuit at the student's minimum, queued when this one succeeded: "
        "its `expectations[0].value` is `expected`. The export `certificate.json` is its request.",
        examples=["job_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"],
    )
    expected: float | None = Field(
        description="What the certificate finds, noise included; null of a circuit that decides by what it measures.",
        examples=[-6.35],
    )


class SurrogateSection(ReportPart):
    """The student in place of its circuit; of the first seed."""

    nodes: int | None = Field(
        description="Of the grid at which the circuit was run; null where it was run for the rows of the data.",
        examples=[81],
    )
    exact: bool = Field(
        description="Whether the student is the circuit's function but for shots, noise and rounding: it has all of "
        "its frequencies, and was solved on their grid.",
        examples=[True],
    )
    rmse: float = Field(description="Of the student, as in `student`.", examples=[0.012])
    student: SurrogateErrors = Field(description="The student's.")
    direct: SurrogateErrors = Field(
        description="Of asking the circuit itself, with its shots, its noise and its mitigation."
    )
    linear: SurrogateErrors = Field(
        description="Of a linear model on the circuit's own values for the training rows: what needs no circuit and "
        "no student."
    )
    mitigation: MitigatedTeacher | None = Field(description="Null where the teacher asked for none.")
    judged_by: JudgedBy = Field(
        description="`exact`: what the errors are from is the circuit without shots and noise. `teacher`: a circuit "
        "that decides by what it measures has no such values here, and its answers stand for them.",
        examples=["exact"],
    )
    standard_error: float | None = Field(
        description="Of a student's value by its shots, at most, whatever the inputs: that of the node that is worst. "
        "On the grid a value is a sum of nodes' whose squared weights add up to 1. That of gains by which all are "
        "multiplied is left out. Null without shots, or off the grid.",
        examples=[0.011],
    )
    rounding: float | None = Field(
        description="How far single precision can be off, at most; null where the student is no sum.", examples=[1e-6]
    )
    spectrum: Spectrum | None = Field(description="Null where the circuit is not periodic in its inputs.")
    circuits: int = Field(
        description="That were run to learn from: rows or nodes, times measurements and scales.",
        examples=[81],
    )
    shots_spent: int = Field(description="Circuits × shots; 0 for exact values.", examples=[663552])
    circuits_per_query: int = Field(description="That asking the circuit about one row takes.", examples=[1])
    shots_per_query: int = Field(description="Circuits × shots of one row.", examples=[8192])
    pays_after_queries: int = Field(
        description="From so many rows on, what the student cost is less than asking the circuit: from then on its "
        "answers cost no circuit.",
        examples=[81],
    )

    slice: Slice | None = Field(None, description="Null of a report that an earlier version wrote.")
    points: list[SurrogatePoint] = Field(
        default_factory=list, description="Test rows, at most 200: the picture `surrogate` is of these and `slice`."
    )
    optimum: Optimum | None = Field(None, description="Where `evaluation.minimise` asked for it.")

    @property
    def is_sum(self) -> bool:
        """Whether the student was solved as a trigonometric sum, on the grid or on rows, and reads rows as they are."""
        return self.rounding is not None
