"""A checkpoint as its owner sees it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from app.schemas import View


class CheckpointView(View):
    object: Literal["checkpoint"] = Field("checkpoint", description="What this is.")
    id: str = Field(description="Its id.", examples=["ckpt_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"])
    job: str = Field(description="The distillation that made it.", examples=["job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"])
    name: str = Field(description="Unique within its job.", examples=["student-seed0.safetensors"])
    bytes: int = Field(description="Size of the content.", examples=[5192])
    sha256: str = Field(description="Of the content, as hexadecimal digits.")
    created_at: datetime = Field(description="When it was published.")
    meta: dict[str, Any] = Field(
        description="Role (teacher, student, baseline), seed, epoch, validation accuracy (of regression R²), and "
        "architecture.",
        examples=[{"role": "student", "seed": 0, "epoch": 37}],
    )
    links: dict[str, str] = Field(description="Where it and its content are.")


class ExportView(View):
    """A student in a format that other programs read."""

    object: Literal["export"] = Field("export", description="What this is.")
    job: str = Field(description="The distillation that made it.", examples=["job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"])
    name: str = Field(description="Unique within its job.", examples=["student-seed-0.onnx"])
    bytes: int = Field(description="Size of the content.", examples=[7246])
    sha256: str = Field(description="Of the content, as hexadecimal digits.")
    created_at: datetime = Field(description="When it was published.")
    meta: dict[str, Any] = Field(
        description="What running it on the test rows showed: accuracy, the largest difference of a logit from "
        "PyTorch's (`max_logit_difference`), agreement, latency; of regression RMSE, and the largest difference of a "
        "prediction; of a recommender NDCG, and the largest difference of a score. Its inputs are raw: the "
        "standardisation is inside; of text they are tokens.",
        examples=[{"format": "onnx", "max_logit_difference": 5.7e-06, "accuracy": 0.948}],
    )
    links: dict[str, str] = Field(description="Where its content is.")
