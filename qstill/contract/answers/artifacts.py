"""What a distillation leaves behind, as its owner sees it: checkpoints, exports, and which rows went where."""

from typing import Any, Literal

from pydantic import Field

from qstill.contract.schemas import Moment, Sha256, View


class CheckpointView(View):
    object: Literal["checkpoint"] = Field("checkpoint", description="What this is.")
    id: str = Field(description="Its id.", examples=["ckpt_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"])
    job: str = Field(description="The distillation that made it.", examples=["job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"])
    name: str = Field(description="Unique within its job.", examples=["student-seed0.safetensors"])
    bytes: int = Field(description="Size of the content.", examples=[5192])
    sha256: Sha256 = Field(description="Of the content, as hexadecimal digits.")
    created_at: Moment = Field(description="When it was published.")
    meta: dict[str, Any] = Field(
        description="Role (teacher, student, baseline), seed, epoch, validation accuracy (of regression R²), and "
        "architecture.",
        examples=[{"role": "student", "seed": 0, "epoch": 37}],
    )
    links: dict[str, str] = Field(
        description="Where it and its content are.",
        examples=[{"self": "/v1/checkpoints/ckpt_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"}],
    )


class ExportView(View):
    """A student in a format that other programs read."""

    object: Literal["export"] = Field("export", description="What this is.")
    job: str = Field(description="The distillation that made it.", examples=["job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"])
    name: str = Field(description="Unique within its job.", examples=["student-seed-0.onnx"])
    bytes: int = Field(description="Size of the content.", examples=[7246])
    sha256: Sha256 = Field(description="Of the content, as hexadecimal digits.")
    created_at: Moment = Field(description="When it was published.")
    meta: dict[str, Any] = Field(
        description="What running it on the test rows showed: accuracy, the largest difference of a logit from "
        "PyTorch's (`max_logit_difference`), agreement, latency; of regression RMSE, and the largest difference of a "
        "prediction; of a recommender NDCG, and the largest difference of a score. Its inputs are raw: the "
        "standardisation is inside; of text they are tokens. Of a student that is a circuit, the parameters that stand "
        "open and the largest difference of an expectation value from the network's (`max_difference`); of a circuit "
        "that was made shorter, its depth, gates and fidelities.",
        examples=[{"format": "onnx", "max_logit_difference": 5.7e-06, "accuracy": 0.948}],
    )
    links: dict[str, str] = Field(
        description="Where its content is.",
        examples=[{"content": "/v1/distillations/job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b/exports/student-seed-0.onnx"}],
    )


class SplitView(View):
    """Which rows of a data set went where. Rows are numbered from 0, in the order of the data set."""

    object: Literal["split"] = Field("split", description="What this is.")
    digest: Sha256 = Field(description="Of the data set as it was read; the report has the same.")
    unit: Literal["rows", "texts", "interactions"] = Field(
        description="What the numbers count. Language modelling joins the texts of a split and cuts them anew, so that "
        "they count texts. Interactions are the rows of a recommender's table; those that were left out, as the "
        "repeated, and the held out of users or items that training does not know, are in no split.",
        examples=["rows"],
    )
    rows: int = Field(description="How many the data set has.", examples=[150])
    train: list[int] = Field(description="The training split.", examples=[[0, 2, 5]])
    validation: list[int] = Field(description="What chose the best epochs.", examples=[[1, 6]])
    test: list[int] = Field(description="What every measure of the report is of.", examples=[[3, 4]])
    labelled: list[int] | None = Field(
        description="The training rows whose labels student and baseline saw; null where they saw parts of texts, "
        "and of recommenders.",
        examples=[[2, 5]],
    )
    learned: list[int] | None = Field(
        description="The training rows that the student learned from, with a label or without; null as above.",
        examples=[[0, 2, 5]],
    )


class PlotView(View):
    """A picture of a report."""

    object: Literal["plot"] = Field("plot", description="What this is.")
    name: str = Field(description="Unique within its report.", examples=["curves"])
    title: str = Field(description="What it shows.", examples=["Learning, epoch by epoch"])
    links: dict[str, str] = Field(
        description="Where it is.",
        examples=[{"self": "/v1/distillations/job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b/plots/curves.svg"}],
    )
