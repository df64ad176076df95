"""An uploaded file as its owner sees it, and what may be uploaded for which purpose."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from qstill.contract.schemas import Moment, Sha256, View
from qstill.contract.tables.columns import COLUMN_EXAMPLE, Column


class Purpose(StrEnum):
    DATASET = "dataset"
    TEACHER = "teacher"
    SOFT_LABELS = "soft_labels"
    SPLIT = "split"
    CIRCUIT = "circuit"
    TOKENIZER = "tokenizer"
    SECRET = "secret"  # noqa: S105  # a purpose, and none itself


SUFFIXES = {  # no format that must run code to be read; a torch checkpoint is read as data only, or not at all
    Purpose.DATASET: (
        *(".npz", ".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".feather", ".arrow"),
        *(".jsonl", ".jsonl.gz", ".zip", ".json"),
    ),
    Purpose.TEACHER: (".safetensors", ".onnx", ".pt", ".pth", ".zip", ".json"),
    Purpose.SOFT_LABELS: (".npy", ".npz", ".parquet", ".csv", ".json"),
    Purpose.SPLIT: (
        *(".txt", ".npy", ".npz", ".json", ".csv", ".tsv", ".csv.gz", ".tsv.gz"),
        *(".parquet", ".feather", ".arrow"),
    ),
    Purpose.CIRCUIT: (".qasm", ".json"),
    Purpose.TOKENIZER: (".json",),
    Purpose.SECRET: (".json",),
}


class FileView(View):
    """An uploaded file."""

    object: Literal["file"] = Field("file", description="What this is.")
    id: str = Field(description="Sorts by age.", examples=["file_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"])
    name: str = Field(description="As uploaded.", examples=["flowers.npz"])
    purpose: Purpose = Field(description="What it is for.")
    bytes: int = Field(description="Size.", examples=[61440])
    sha256: Sha256 = Field(description="Of the content, as hexadecimal digits.")
    created_at: Moment = Field(description="When it was complete.")
    columns: list[Column] | None = Field(
        None,
        description="Of a dataset that is a csv, in the answer to its upload and where one file is asked for: what "
        "each column is taken for by the first 1,000 rows. A preflight looks at all rows of any table. Null of other "
        "files, and in lists.",
        examples=[[COLUMN_EXAMPLE]],
    )
    links: dict[str, str] = Field(
        description="Where its parts are.", examples=[{"self": "/v1/files/file_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"}]
    )
