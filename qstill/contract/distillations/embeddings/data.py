"""Sentences to learn vectors of: where they come from, how they are divided, and which of them belong together."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.distillations.datasets import MAX_LENGTH
from qstill.contract.distillations.datasets.splitting import Fraction
from qstill.contract.schemas import FileId, Seed, Strict, refuse
from qstill.contract.tables.splits import ColumnName


class _Sentences(Strict):
    """What both sources have in common."""

    max_length: Annotated[int, Field(ge=3, le=MAX_LENGTH)] = Field(
        64,
        description="Tokens of a sentence that the networks read, the teacher's own marks among them; what is longer "
        "is cut off, and the report says how many are.",
        examples=[64],
    )
    validation: Fraction = Field(0.1, description="Share of the rows that chooses the best epoch.", examples=[0.1])
    test: Fraction = Field(0.2, description="Share of the rows that is read once, at the end.", examples=[0.2])
    split_seed: Seed = Field(0, description="Draws the splits.", examples=[0])


class SentenceFile(_Sentences):
    """Sentences that you uploaded."""

    source: Literal["sentence_file"] = Field(description="Sentences that you uploaded.", examples=["sentence_file"])
    file: FileId = Field(
        description="An uploaded file of purpose `dataset`: .jsonl with an object a line, .csv with a header, or "
        ".parquet. No labels are needed.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"],
    )
    text: ColumnName = Field("text", description="The column with the sentence.", examples=["question"])
    pair: ColumnName | None = Field(
        None,
        description="A column with a text that belongs to it, as an answer to a question: it is learned from, too, and "
        "retrieval is judged by whether a sentence finds its own. Null: by whether it finds what the teacher finds.",
        examples=["answer"],
    )

    @model_validator(mode="after")
    def _two_columns(self) -> "SentenceFile":
        if self.pair == self.text:
            refuse(("pair",), "same_column", "a sentence and what belongs to it are columns of their own", self.pair)
        return self


class PythonSentences(_Sentences):
    """Sentences that come with Python."""

    source: Literal["builtin_sentences"] = Field(
        description="Sentences that need no upload.", examples=["builtin_sentences"]
    )
    name: Literal["python_reference"] = Field(
        description="Those of Python's own `help()`, the language reference. A row is a paragraph, whose sentences "
        "stay in one split; one sentence and the next belong together.",
        examples=["python_reference"],
    )


AnySentences = SentenceFile | PythonSentences
Sentences = Annotated[AnySentences, Field(discriminator="source")]
