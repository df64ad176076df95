"""A file that comes in parts: what is said of it first, how it is cut, and where it stands."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from qstill.contract.answers.files import Purpose
from qstill.contract.schemas import Moment, Name, Sha256, Strict, View, refuse

EXAMPLE_ID = "upload_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"
PART_BYTES = 8 << 20  # unless it is said: a second at 64 Mbit/s, which a broken connection costs
MIN_PART_BYTES, MAX_PART_BYTES = 1 << 10, 256 << 20
MAX_PARTS = 10_000  # rows of the ledger, and files until the upload is complete
MAX_BYTES = MAX_PARTS * MAX_PART_BYTES
SHOWN = 1_000  # of the parts that are missing


class NewUpload(Strict):
    """A file that will come in parts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"purpose": "dataset", "name": "pictures.npz", "bytes": 4_294_967_296},
                {"purpose": "dataset", "name": "rows.csv", "bytes": 20, "part_bytes": 1024},
            ]
        }
    )

    purpose: Annotated[Purpose, Field(strict=False)] = Field(description="What it is for.", examples=["dataset"])
    name: Name = Field(description="Its name; the ending tells the format.", examples=["pictures.npz"])
    bytes: Annotated[int, Field(ge=1, le=MAX_BYTES)] = Field(
        description="Size of the whole file. The service may allow less.", examples=[4_294_967_296]
    )
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = Field(
        None,
        description="Of the whole file, as hexadecimal digits: what differs becomes no file. `sha256sum` says it.",
        examples=["7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730"],
    )
    part_bytes: Annotated[int, Field(ge=MIN_PART_BYTES, le=MAX_PART_BYTES)] | None = Field(
        None,
        description=f"Size of each part but the last, {PART_BYTES >> 20} MiB unless more is needed for {MAX_PARTS:,} "
        "parts. Smaller ones lose less with a bad connection.",
        examples=[PART_BYTES],
    )

    @model_validator(mode="after")
    def _in_few_parts(self) -> "NewUpload":
        if parts_of(self.bytes, self.cut) > MAX_PARTS:
            reason = f"these are {parts_of(self.bytes, self.cut):,} parts, and an upload has at most {MAX_PARTS:,}; "
            reason += f"leave it out, or say at least {-(-self.bytes // MAX_PARTS):,}"
            refuse(("part_bytes",), "too_many_parts", reason, self.part_bytes)
        return self

    @property
    def cut(self) -> int:
        """Bytes of each part but the last."""
        mebibytes = -(-self.bytes // (MAX_PARTS << 20))
        return self.part_bytes or max(PART_BYTES, mebibytes << 20)


class UploadView(View):
    """A file that comes in parts, and which of them are still to be sent."""

    object: Literal["upload"] = Field("upload", description="What this is.")
    id: str = Field(description="Sorts by age.", examples=[EXAMPLE_ID])
    status: Literal["open", "complete"] = Field(description="Whether parts are still taken.", examples=["open"])
    purpose: Purpose = Field(description="What it is for.")
    name: str = Field(description="As it was said.", examples=["pictures.npz"])
    bytes: int = Field(description="Size of the whole file.", examples=[4_294_967_296])
    sha256: Sha256 | None = Field(description="Of the whole file, where it was said.")
    part_bytes: int = Field(description="Size of each part but the last.", examples=[PART_BYTES])
    parts: int = Field(description="How many parts there are, from 1 on.", examples=[512])
    received: int = Field(description="How many of them are here, and stay.", examples=[510])
    missing: list[int] | None = Field(
        description=f"The numbers of up to {SHOWN:,} of the others. Null in lists.", examples=[[511, 512]]
    )
    file: str | None = Field(
        description="The file that it became. Null while it is open.",
        examples=["file_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"],
    )
    created_at: Moment = Field(description="When it was begun.")
    expires_at: Moment = Field(
        description="An open upload is given up then, with its parts, unless another part comes before; "
        "a complete one is forgotten then, and its file stays."
    )
    links: dict[str, str] = Field(
        description="Where its parts go, and where it is completed.",
        examples=[{"self": f"/v1/uploads/{EXAMPLE_ID}", "complete": f"/v1/uploads/{EXAMPLE_ID}/complete"}],
    )


class PartView(View):
    """A part that is here, and stays."""

    object: Literal["upload.part"] = Field("upload.part", description="What this is.")
    upload: str = Field(description="Of which upload.", examples=[EXAMPLE_ID])
    number: int = Field(description="Which part it is, from 1 on.", examples=[1])
    bytes: int = Field(description="Size.", examples=[PART_BYTES])
    sha256: Sha256 = Field(description="Of the part, as hexadecimal digits.")


def parts_of(size: int, part_bytes: int) -> int:
    """How many parts a file has."""
    return -(-size // part_bytes)


def part_size(size: int, part_bytes: int, number: int) -> int:
    """Bytes of a part, counted from 1 on: the last one is what is left."""
    return min(part_bytes, size - (number - 1) * part_bytes)
