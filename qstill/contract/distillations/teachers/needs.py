"""What a job's teachers need: files, models and addresses, each with its place in the job."""

from qstill.contract.distillations.teachers import (
    EnsembleTeacher,
    ModelTeacher,
    Single,
    SoftLabels,
    UploadedTeacher,
    parts,
)
from qstill.contract.distillations.teachers.remote import AtAnAddress, EndpointTeacher, ServedTeacher


def files_of(teacher: Single | EnsembleTeacher) -> list[tuple[str, str, str]]:
    """The uploads that a teacher needs: (JSON pointer, file id, purpose)."""
    files = []
    for place, part in parts(teacher):
        if isinstance(part, UploadedTeacher):
            files.append((_pointer(place, "file"), part.file, "teacher"))
            if part.tokenizer is not None:
                files.append((_pointer(place, "tokenizer"), part.tokenizer, "teacher"))
        if isinstance(part, SoftLabels):
            files.append((_pointer(place, "file"), part.file, "soft_labels"))
        if isinstance(part, ServedTeacher):
            files.append((_pointer(place, "tokenizer"), part.tokenizer, "tokenizer"))
        if isinstance(part, AtAnAddress) and part.headers is not None:
            files.append((_pointer(place, "headers"), part.headers, "secret"))
    return files


def formats_of(teacher: Single | EnsembleTeacher) -> list[tuple[str, str, str]]:
    """The formats that uploads must have: (JSON pointer, file id, format)."""
    found = []
    for place, part in parts(teacher):
        if isinstance(part, UploadedTeacher):
            found.append((_pointer(place, "file"), part.file, str(part.format)))
            if part.tokenizer is not None:
                found.append((_pointer(place, "tokenizer"), part.tokenizer, "tokenizer"))
    return found


def tokenizer_of(teacher: Single | EnsembleTeacher, *, folders: bool) -> tuple[tuple[str | int, ...], str] | None:
    """Where the first teacher is that may bring a tokenizer, and the id of its file; None if there is none.

    folders: whether one in a folder does: a language model, and no classifier, which reads texts by its own.
    """
    brings = ("safetensors", "folder") if folders else ("safetensors",)
    for place, part in parts(teacher):
        if isinstance(part, ModelTeacher):
            return (*place, "model"), part.model
        if isinstance(part, ServedTeacher):
            return (*place, "tokenizer"), part.tokenizer
        if isinstance(part, UploadedTeacher) and part.format in brings:
            return (*place, "file"), part.file
    return None


def models_of(teacher: Single | EnsembleTeacher) -> list[tuple[str, str]]:
    """The models and checkpoints that a teacher needs: (JSON pointer, id)."""
    return [(_pointer(place, "model"), part.model) for place, part in parts(teacher) if isinstance(part, ModelTeacher)]


def urls_of(teacher: Single | EnsembleTeacher) -> list[tuple[str, str]]:
    """The endpoints that a teacher needs: (JSON pointer, URL)."""
    remote = EndpointTeacher | ServedTeacher
    return [(_pointer(place, "url"), part.url) for place, part in parts(teacher) if isinstance(part, remote)]


def _pointer(place: tuple[str | int, ...], field: str) -> str:
    return "".join(f"/{step}" for step in (*place, field))
