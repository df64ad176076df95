"""What a report says of a task besides: of classes, of targets, of tokens."""

from pydantic import ConfigDict, Field

from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.distillations.results import Spread, Verdict


class ClassChange(ReportPart):
    """Accuracy of one class, mean over seeds, and what the teacher changed."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str = Field(alias="class", description="The class.", examples=["setosa"])
    teacher: float | None = Field(description="Null without test rows.", examples=[0.97])
    student: float | None = Field(description="Null without test rows.", examples=[0.94])
    baseline: float | None = Field(description="Null without test rows, or without a baseline.", examples=[0.76])
    change_in_points: float | None = Field(description="Student minus baseline, times 100.", examples=[18.1])


class TargetErrors(ReportPart):
    """Mean over seeds, in the target's unit."""

    rmse: float | None = Field(description="Root of the mean squared error.", examples=[3.1])
    mae: float | None = Field(description="Mean absolute error.", examples=[2.2])
    r2: float | None = Field(description="R²; null where the test labels do not vary.", examples=[0.83])


class PredictedTarget(ReportPart):
    """What regression predicts, and how well."""

    name: str = Field(description="As the data call it.", examples=["price"])
    mean: float = Field(description="Of the training split's labels.", examples=[155.1])
    std: float = Field(description="Their standard deviation.", examples=[76.7])
    teacher: TargetErrors | None = Field(description="The teacher's.")
    student: TargetErrors | None = Field(description="The students'.")
    baseline: TargetErrors | None = Field(description="The baselines'; null without one.")


class LabelMeasures(ReportPart):
    """Mean over seeds, on the test rows."""

    f1: float = Field(description="Of its being said, where its probability is above 0.5.", examples=[0.91])
    average_precision: float | None = Field(description="Null where no test row has it.", examples=[0.95])


class LearnedLabel(ReportPart):
    """One of several labels of a row, and what each arm makes of it."""

    name: str = Field(description="As the data call it.", examples=["prime"])
    share: float = Field(description="Of the test rows that have it.", examples=[0.4])
    teacher: LabelMeasures | None = Field(description="The teacher's.")
    student: LabelMeasures | None = Field(description="The students'.")
    baseline: LabelMeasures | None = Field(description="The baselines'; null without one.")


class Saved(ReportPart):
    """Bits of the baseline less those of the student, paired by seed."""

    mean: float = Field(description="Mean difference.", examples=[0.24])
    low: float | None = Field(description="Lower end of its 95% confidence interval.", examples=[0.2])
    high: float | None = Field(description="Upper end of its 95% confidence interval.", examples=[0.27])


class LikelihoodOfTokens(ReportPart):
    """Of the tokens that follow."""

    perplexity: Spread = Field(description="Of a token.")
    bits_per_character: Spread = Field(description="Of the test texts.")


class LikelihoodOfMasks(ReportPart):
    """Of the tokens that are hidden."""

    pseudo_perplexity: Spread = Field(description="e to the nats of a hidden token: no perplexity, which sees less.")
    bits_per_token: Spread = Field(description="Of a hidden token.")


class LanguageModelSection(ReportPart):
    """Language models by likelihood, which counts every answer and not the likeliest token alone."""

    teacher: LikelihoodOfTokens | None = Field(description="The teacher's.")
    student: LikelihoodOfTokens | None = Field(description="The students'.")
    baseline: LikelihoodOfTokens | None = Field(description="The baselines'; null without one.")
    saved_bits_per_character: Saved | None = Field(description="What the teacher saved; null without a baseline.")
    test_tokens: int = Field(description="How many were to be said.", examples=[18130])
    test_characters: int = Field(description="Of the test texts, end marks not counted.", examples=[39099])
    verdict: Verdict | None = Field(description="By the bits that were saved.", examples=["BEATS"])


class MaskedLanguageModelSection(ReportPart):
    """Masked language models by likelihood."""

    teacher: LikelihoodOfMasks | None = Field(description="The teacher's.")
    student: LikelihoodOfMasks | None = Field(description="The students'.")
    baseline: LikelihoodOfMasks | None = Field(description="The baselines'; null without one.")
    saved_bits_per_token: Saved | None = Field(description="What the teacher saved; null without a baseline.")
    test_tokens: int = Field(description="How many were hidden, always the same.", examples=[2627])
    chosen: float = Field(description="The share of a row's tokens that is hidden.", examples=[0.15])
    masked: float = Field(description="Of them, the share that becomes the mask.", examples=[0.8])
    replaced: float = Field(description="Of them, the share that becomes any token.", examples=[0.1])
    verdict: Verdict | None = Field(description="By the bits that were saved.", examples=["INCONCLUSIVE"])


class TaskSections(ReportPart):
    """What each task says of itself; empty or null of others."""

    classes: list[str] = Field(description="Their names; empty of numbers and tokens.", examples=[["0", "1"]])
    per_class: list[ClassChange] = Field(description="Each class; empty of numbers and tokens.")
    targets: list[PredictedTarget] | None = Field(description="Of regression.")
    labels: list[LearnedLabel] | None = Field(None, description="Where rows have several labels.")
    language_model: LanguageModelSection | None = Field(description="Where tokens that follow are learned.")
    masked_language_model: MaskedLanguageModelSection | None = Field(description="Where hidden ones are.")


NO_SECTIONS = TaskSections(classes=[], per_class=[], targets=None, language_model=None, masked_language_model=None)
