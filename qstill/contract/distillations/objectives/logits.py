"""Losses on logits: one model a loss, its parameters with the defaults of the paper."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.distillations.objectives.pieces import MAX_WARM_UP, Share, Temperature, Weight, refuse_all_zero
from qstill.contract.schemas import Strict


class Kd(Strict):
    """(1-α)·CE + α·T²·KL(teacher ‖ student) of Hinton, Vinyals and Dean (2015)."""

    kind: Literal["kd"] = Field("kd", description="Knowledge distillation on logits.", examples=["kd"])
    temperature: Temperature = Field(4.0, description="T: softens both distributions.", examples=[2.0])
    alpha: Share = Field(
        0.9, description="α: the weight of the soft term; 0 is labels only, 1 the teacher only.", examples=[0.9]
    )


class HardLabel(Strict):
    """(1-α)·CE(label) + α·CE(the teacher's class): hard-label distillation of Touvron and others (2021)."""

    kind: Literal["hard_label"] = Field(
        description="Learn the class that the teacher names, as if it were a label.", examples=["hard_label"]
    )
    alpha: Share = Field(
        0.5,
        description="α: the weight of the teacher's class, 1-α that of the label, as in kd; the paper's is one half.",
        examples=[0.5],
    )


class LogitMse(Strict):
    """(1-α)·CE + α·mean squared difference of centred logits: Ba and Caruana (2014), Kim and others (2021)."""

    kind: Literal["logit_mse"] = Field(
        description="Match the teacher's logits, each row less its mean: the limit of kd at high temperature, twice. "
        "Regression: (1-α)·mean squared error of the label + α·mean squared difference from the teacher, on "
        "standardised targets, nothing subtracted.",
        examples=["logit_mse"],
    )
    alpha: Share = Field(
        0.9,
        description="α: the weight of the squared difference, 1-α that of the label, as in kd and with its default.",
        examples=[0.9],
    )


class Dkd(Strict):
    """w·CE + T²·(α·TCKD + β·NCKD): decoupled distillation of Zhao and others (2022). Three classes or more."""

    kind: Literal["dkd"] = Field(
        description="Weigh how sure the teacher is of the target class apart from how it ranks the others. A row "
        "without a label takes the teacher's class as its target.",
        examples=["dkd"],
    )
    alpha: Weight = Field(
        1.0,
        description="α: the weight of target-class distillation. The paper's α, not kd's: the label's weight is "
        "`hard_weight`.",
        examples=[1.0],
    )
    beta: Weight = Field(8.0, description="β: the weight of distillation among the other classes.", examples=[8.0])
    temperature: Temperature = Field(4.0, description="T: softens both distributions.", examples=[4.0])
    warm_up: Annotated[int, Field(ge=0, le=MAX_WARM_UP)] = Field(
        20,
        description="Epochs over which the soft term grows to its full weight, epoch/warm_up; 0: full at once. A "
        "training that is shorter never gets there.",
        examples=[20],
    )
    hard_weight: Weight = Field(1.0, description="w: the weight of the labels' cross-entropy.", examples=[1.0])

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "Dkd":
        refuse_all_zero(self.hard_weight, self.alpha, self.beta)
        return self


class Dist(Strict):
    """w·CE + β·inter-class + γ·intra-class distance by Pearson correlation: DIST of Huang and others (2022)."""

    kind: Literal["dist"] = Field(
        description="Match how the teacher's probabilities vary over the classes of a row, and over the rows of a "
        "batch, not their values.",
        examples=["dist"],
    )
    beta: Weight = Field(
        1.0,
        description="β: the weight of the inter-class distance, over the classes of each row. With two classes it has "
        "no gradient: all pairs of numbers correlate fully.",
        examples=[1.0],
    )
    gamma: Weight = Field(
        1.0, description="γ: the weight of the intra-class distance, over the batch for each class.", examples=[1.0]
    )
    temperature: Temperature = Field(
        1.0,
        description="T: softens both distributions. There is no factor T²: a correlation's gradient does not fall "
        "with T.",
        examples=[1.0],
    )
    hard_weight: Weight = Field(
        1.0, description="w: the weight of the labels' cross-entropy; the paper calls it α.", examples=[1.0]
    )

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "Dist":
        refuse_all_zero(self.hard_weight, self.beta, self.gamma)
        return self


class LogitStd(Strict):
    """w·CE + λ·T²·KL on logits standardised row by row, of Sun and others (2024)."""

    kind: Literal["logit_std"] = Field(
        description="kd on logits less their row's mean and divided by its standard deviation: the student need not "
        "match their size. It spoils calibration at T=1.",
        examples=["logit_std"],
    )
    temperature: Temperature = Field(
        2.0, description="T: softens both distributions, in standard deviations.", examples=[2.0]
    )
    weight: Weight = Field(9.0, description="λ: the weight of the soft term.", examples=[9.0])
    hard_weight: Weight = Field(
        0.1, description="w: the weight of the labels' cross-entropy; the authors' code has 0.1.", examples=[0.1]
    )

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "LogitStd":
        refuse_all_zero(self.hard_weight, self.weight)
        return self


class ReverseKl(Strict):
    """(1-α)·CE + α·T²·KL(student ‖ teacher), as in GKD of Agarwal and others (2023)."""

    kind: Literal["reverse_kl"] = Field(
        description="kd with the roles exchanged: the student seeks one of the teacher's modes rather than all.",
        examples=["reverse_kl"],
    )
    temperature: Temperature = Field(1.0, description="T: softens both distributions.", examples=[1.0])
    alpha: Share = Field(
        0.9,
        description="α: the weight of the soft term, 1-α that of the label, as in kd and with its default; the paper "
        "has no labels.",
        examples=[0.9],
    )


class Jsd(Strict):
    """(1-α)·CE + α·T²·JSD(β), the generalised Jensen-Shannon divergence in GKD of Agarwal and others (2023)."""

    kind: Literal["jsd"] = Field(
        description="β·KL(teacher ‖ M) + (1-β)·KL(student ‖ M) with the mixture M = β·teacher + (1-β)·student.",
        examples=["jsd"],
    )
    beta: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.5,
        description="β: the teacher's share of the mixture. Near 0 the divergence is β times kd's, near 1 it is 1-β "
        "times reverse_kl's; at both ends it vanishes.",
        examples=[0.5],
    )
    temperature: Temperature = Field(1.0, description="T: softens both distributions.", examples=[1.0])
    alpha: Share = Field(
        0.9,
        description="α: the weight of the soft term, 1-α that of the label, as in kd and with its default; the paper "
        "has no labels.",
        examples=[0.9],
    )


class TfKd(Strict):
    """(1-α)·CE + α·T²·KL(virtual teacher ‖ student): teacher-free distillation of Yuan and others (2020)."""

    kind: Literal["tf_kd"] = Field(
        description="Learn from a teacher that nobody trained: it gives the label's class the probability "
        "`correct` and all others the same. It needs labels, and does not listen to the job's teacher; for the paper's "
        "self-training use kd with a teacher of the student's own architecture and `labels` seen.",
        examples=["tf_kd"],
    )
    correct: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.99,
        description="The virtual teacher's probability of the label's class before it is softened.",
        examples=[0.99],
    )
    temperature: Temperature = Field(
        20.0,
        description="T: softens both distributions. The authors' code softens the virtual teacher only, and its "
        "probabilities instead of their logarithms; here it is as in the paper's equation.",
        examples=[20.0],
    )
    alpha: Share = Field(
        0.1, description="α: the weight of the virtual teacher, 1-α that of the label.", examples=[0.1]
    )


OnLogits = Kd | HardLabel | LogitMse | Dkd | Dist | LogitStd | ReverseKl | Jsd | TfKd
