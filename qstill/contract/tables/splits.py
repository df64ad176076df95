"""A file that says in which split each row of a data set is."""

from typing import Annotated

from pydantic import Field, StringConstraints

from qstill.contract.schemas import FileId, Strict

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SplitFile(Strict):
    """An uploaded file that says in which split each row is."""

    file: FileId = Field(
        description="An uploaded file of purpose `split`. A word a row, in the order of the rows: train, validation "
        "(val, valid, dev) or test, or 0, 1 or 2 for them; as a .txt, a table with a header, an .npy, or an .npz with "
        "the array `split`. Or the numbers of the rows of each split, from 0: a .json as `GET "
        "/v1/distillations/ID/split` answers, or an .npz, with `train`, `validation` (val) and `test`.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5f"],
    )
    column: ColumnName | None = Field(
        None,
        description="Of a table: the column with the words; null: `split`, or the only one besides `id`.",
        examples=["part"],
    )
    id: ColumnName | None = Field(
        None,
        description="Of tables: a column of the data and of the file, by which each row of the data finds its split. "
        "It is no input. Null: the file has a row for each row of the data, in their order.",
        examples=["customer"],
    )
