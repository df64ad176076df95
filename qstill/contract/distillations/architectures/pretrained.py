"""Encoders of texts that somebody trained, with a head for this data's classes."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.distillations.architectures.family import Family, units_are_added
from qstill.contract.schemas import FileId, ReadableId, Strict, refuse

MAX_LAYERS = 48
MAX_WIDTH = 4096


class BertShape(Strict):
    """How large a BERT of your own is."""

    layers: Annotated[int, Field(ge=1, le=MAX_LAYERS)] = Field(2, description="How many.", examples=[2])
    width: Annotated[int, Field(ge=4, le=MAX_WIDTH)] = Field(128, description="Numbers of a token.", examples=[128])
    heads: Annotated[int, Field(ge=1, le=64)] = Field(
        4, description="Attention heads; they share the width evenly.", examples=[4]
    )
    inner: Annotated[int, Field(ge=1, le=4 * MAX_WIDTH)] = Field(
        512, description="Units of each feed-forward layer.", examples=[512]
    )

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "BertShape":
        if self.width % self.heads:
            reason = f"{self.heads} heads cannot share a width of {self.width} evenly"
            refuse(("heads",), "heads_do_not_divide_width", reason, self.heads)
        return self


class Pretrained(Strict):
    """An encoder out of a folder, as `save_pretrained` writes it, with a fresh head for the data's classes.

    It reads the folder's own tokens. Its checkpoint is a zip of a folder that `AutoModelForSequenceClassification`
    opens. Feature: `pool`, the mean of the last layer's states.
    """

    kind: Literal["pretrained"] = Field(
        description="An encoder from a folder, with a fresh head; text classification.", examples=["pretrained"]
    )
    file: FileId | None = Field(
        None,
        description="An uploaded .zip of purpose `teacher` with `config.json`, `model.safetensors` (one, or several "
        "with their index) and `tokenizer.json`. Either this or `model`.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e"],
    )
    model: ReadableId | None = Field(
        None,
        description="Instead of a file: a model of the registry, or a checkpoint, that is such a folder.",
        examples=[None],
    )
    layers: Annotated[int, Field(ge=1, le=MAX_LAYERS)] | None = Field(
        None, description="Only so many of its layers, the first ones. Null: all.", examples=[3]
    )
    train: Literal["all", "head"] = Field(
        "all",
        description="What learns: every weight, or the head alone (with BERT's pooling layer, where there is one).",
        examples=["all"],
    )
    own: BertShape | None = Field(
        None,
        description="A BERT of these measures from random weights; of the folder only the tokenizer is taken. Null: "
        "the folder's own weights.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _of_one_origin(self) -> "Pretrained":
        if (self.file is None) == (self.model is None):
            refuse(("file",), "one_origin", "name a file or a model, and not both", self.file)
        if self.own is not None and self.layers is not None:
            refuse(("layers",), "own_measures", "`own` says how many layers there are", self.layers)
        if self.own is not None and self.train == "head":
            reason = "below the head there would be random weights that nobody trained"
            refuse(("train",), "own_measures", reason, self.train)
        return self

    @property
    def origin(self) -> str:
        """The id of what it is begun from."""
        return self.file or self.model or ""


PROGRAM = """\
import zipfile

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

zipfile.ZipFile("{file}").extractall("student")
tokenizer = AutoTokenizer.from_pretrained("student")
model = AutoModelForSequenceClassification.from_pretrained("student").eval()


def predict(texts):
    \"\"\"Probabilities (texts, classes).\"\"\"
    with torch.no_grad():
        given = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, return_token_type_ids=False)
        return model(**given).logits.double().softmax(1)


for row in predict(["Put yours here."]):
    print(model.config.id2label[int(row.argmax())], float(row.max()))
"""

PRETRAINED = Family(
    definition=Pretrained,
    reads="text",
    question="texts",
    features=lambda _: {"pool": "flat"},
    why_no_units=units_are_added,
    program=PROGRAM,
    half_precision=False,
    head_bias=False,
    compresses=False,
    ending=".zip",
)
