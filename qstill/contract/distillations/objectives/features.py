"""Losses on features, the tensors inside a network: the student's layers are compared with the teacher's.

Each is hard_weight·CE + weight·Σ over the compared layers, and says nothing about the teacher's logits: add a term on
logits with an objective of kind `sum`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from qstill.contract.distillations.objectives.pieces import FeatureWeight, Weight, refuse_all_zero
from qstill.contract.schemas import Strict

MAX_PAIRS = 8  # of layers, in one term
MAX_RKD_BATCH = 256  # rows; their triples' cosines are 16.8 million numbers

LayerName = Annotated[str, StringConstraints(min_length=1, max_length=50)]


class OnFeatures(Strict):
    """What all losses on features share. needs: which features it can compare, and how.

    any: flattened rows of any width. same: both flat, or both images; a trained projection widens the student's to the
    teacher's. image: both with height and width.
    """

    needs: ClassVar[Literal["any", "same", "image"]] = "any"

    layers: Annotated[dict[LayerName, LayerName], Field(min_length=1, max_length=MAX_PAIRS)] | None = Field(
        None,
        description="{student's layer: teacher's layer}, by the names that the architectures give; null: the last of "
        "both that fit.",
        examples=[{"hidden.0": "hidden.1"}],
    )
    hard_weight: Weight = Field(
        1.0,
        description="The weight of the labels' cross-entropy; of regression, of their squared error.",
        examples=[1.0],
    )


class Weighted(OnFeatures):
    """A loss on features with one weight."""

    weight: FeatureWeight = Field(description="The weight of what is compared.", examples=[1.0])

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "Weighted":
        refuse_all_zero(self.hard_weight, self.weight)
        return self


class FitNet(Weighted):
    """CE + λ·mean squared difference of features: the hints of Romero and others (2015)."""

    needs: ClassVar[Literal["any", "same", "image"]] = "same"

    kind: Literal["fitnet"] = Field(
        description="Match the teacher's features through a linear map (1x1 convolution for images) that is trained "
        "with the student and thrown away. Here the hint is learned along with the labels, not in a stage before.",
        examples=["fitnet"],
    )
    weight: FeatureWeight = Field(
        100.0, description="λ: the weight of the squared difference; CRD's comparison has 100.", examples=[100.0]
    )


class At(Weighted):
    """CE + λ·squared difference of attention maps: attention transfer of Zagoruyko and Komodakis (2017)."""

    needs: ClassVar[Literal["any", "same", "image"]] = "image"

    kind: Literal["at"] = Field(
        description="Match where in the image features are large: the mean over channels of |feature|^p, of length 1 "
        "in each row. For images only.",
        examples=["at"],
    )
    p: Annotated[float, Field(ge=1, le=8)] = Field(
        2.0, description="The power: larger looks at the strongest channel more.", examples=[2.0]
    )
    weight: FeatureWeight = Field(
        1000.0,
        description="λ: the weight of the difference, a mean over rows and places: the β of the authors' code.",
        examples=[1000.0],
    )


class Rkd(OnFeatures):
    """CE + λ_d·distances + λ_a·angles between rows: relational distillation of Park and others (2019)."""

    kind: Literal["rkd"] = Field(
        description="Match how far rows of a batch are from one another, in units of their mean distance, and the "
        "angles that triples of them form. Takes time and memory with the cube of the batch size.",
        examples=["rkd"],
    )
    distance_weight: FeatureWeight = Field(25.0, description="λ_d: the weight of the distances.", examples=[25.0])
    angle_weight: FeatureWeight = Field(50.0, description="λ_a: the weight of the angles.", examples=[50.0])

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "Rkd":
        refuse_all_zero(self.hard_weight, self.distance_weight, self.angle_weight)
        return self


class Sp(Weighted):
    """CE + γ·squared difference of row similarities: similarity-preserving distillation of Tung and Mori (2019)."""

    kind: Literal["sp"] = Field(
        description="Match which rows of a batch activate alike: the matrices of inner products, each row of length 1.",
        examples=["sp"],
    )
    weight: FeatureWeight = Field(3000.0, description="γ: the weight of the difference.", examples=[3000.0])


class Pkt(Weighted):
    """CE + λ·KL of neighbourhoods: probabilistic knowledge transfer of Passalis and Tefas (2018)."""

    kind: Literal["pkt"] = Field(
        description="Match the probability with which each row of a batch picks another as its neighbour, by cosine "
        "similarity.",
        examples=["pkt"],
    )
    weight: FeatureWeight = Field(
        30000.0, description="λ: the weight of the divergence, a mean over pairs of rows.", examples=[30000.0]
    )


class Crd(Weighted):
    """CE + β·contrastive loss: contrastive representation distillation of Tian and others (2020)."""

    kind: Literal["crd"] = Field(
        description="Tell the teacher's feature of the same row from those of other rows, in a space of `width` "
        "numbers that two trained linear maps lead to. The other rows are those of the batch, not a memory of stale "
        "features: prefer large batches.",
        examples=["crd"],
    )
    weight: FeatureWeight = Field(0.8, description="β: the weight of the contrastive loss.", examples=[0.8])
    temperature: Annotated[float, Field(ge=0.01, le=10)] = Field(
        0.07, description="τ: divides the cosine similarities.", examples=[0.07]
    )
    width: Annotated[int, Field(ge=2, le=512)] = Field(128, description="Numbers of an embedding.", examples=[128])


class Cosine(Weighted):
    """CE + λ·(1 - cosine of features): the third term of DistilBERT, of Sanh and others (2019)."""

    needs: ClassVar[Literal["any", "same", "image"]] = "same"

    kind: Literal["cosine"] = Field(
        description="Match the direction of the teacher's features, of images at each place; a language model's are "
        "those of each token. Where the widths differ, the student's are led through a linear map that is trained with "
        "it and thrown away. DistilBERT's three terms, 5·KL + 2·cross-entropy + 1·cosine at T=2, are a `sum` of `kd` "
        "with temperature 2, alpha 5/7 and weight 7, and of `cosine` with hard_weight 0.",
        examples=["cosine"],
    )
    weight: FeatureWeight = Field(1.0, description="λ: the weight of 1 - cosine, from 0 to 2.", examples=[1.0])


FeatureObjective = FitNet | At | Rkd | Sp | Pkt | Crd | Cosine
