"""Networks that a job begins from a folder: where it is, and the data in its tokens."""

from torch import nn

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.pretrained import Pretrained
from qstill.contract.distillations.datasets import BuiltinText, TextFile
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.inputs.folder_text import FolderText, in_tokens_of
from workers.distillation.networks.pretrained.classifier import Classifier, TextClassifier
from workers.distillation.networks.pretrained.source import Source, source_of
from workers.distillation.teachers.base import Teacher
from workers.distillation.teachers.files.weights import trained
from workers.distillation.teachers.folders.classifier import from_classifier
from workers.run import Run


def begun_from(architecture: Pretrained, run: Run, pointer: str) -> Source:
    """The folder of a network. pointer: of its definition. Raises Problem: file_gone, and what reading it raises."""
    field = "file" if architecture.file is not None else "model"
    path = run.files.get(architecture.origin)
    if path is None or not path.is_file():
        title = f"{architecture.origin} was deleted before the job could read it."
        raise Problem("file_gone", title, pointer=f"{pointer}/{field}")
    try:
        return source_of(architecture, path, run.scratch, memory=run.memory)
    except Problem as problem:
        if problem.pointer == "/file":
            problem.pointer = f"/{field}"
        raise problem.within(pointer) from None


def trained_here(network: nn.Module, file: bytes, data: Data) -> Teacher:
    """A network that this job trained. file: its published checkpoint. data: as it reads them."""
    if not isinstance(network, TextClassifier):
        return trained(network, file)
    assert isinstance(data.text, FolderText)
    own = Classifier(network.eval(), data.text.source.tokenizer, data.classes, ())
    return from_classifier(ModelFormat(format="folder"), own, file, data)


def as_read_by(architecture: AnyArchitecture, job: DistillationJob, data: Data, run: Run, pointer: str) -> Data:
    """The data as a network reads them: in the tokens of its folder, or as they are."""
    if not isinstance(architecture, Pretrained):
        return data
    assert data.text is not None
    assert isinstance(job.dataset, TextFile | BuiltinText)
    return in_tokens_of(begun_from(architecture, run, pointer), data, data.text.texts, job.dataset.max_length)
