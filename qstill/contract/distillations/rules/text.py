"""Which networks, teachers, trainings and objectives are for text: what cannot work is refused at the door."""

from qstill.contract.distillations.architectures import FAMILIES, AnyArchitecture, family_of
from qstill.contract.distillations.architectures.pretrained import Pretrained
from qstill.contract.distillations.datasets import AnyTextData, BuiltinText, TextFile
from qstill.contract.distillations.objectives import Crd, Pkt, Rkd, Sequence, Sp, singles
from qstill.contract.distillations.objectives.features import MAX_RKD_BATCH
from qstill.contract.distillations.spec import DistillationSpec, architectures, trainings
from qstill.contract.distillations.teachers import SoftLabels, UploadedTeacher, parts
from qstill.contract.distillations.teachers.needs import tokenizer_of
from qstill.contract.distillations.teachers.remote import EndpointTeacher, ServedTeacher
from qstill.contract.distillations.tokenizers import StudentsTokenizer, TeachersTokenizer
from qstill.contract.distillations.training import Training
from qstill.contract.schemas import FieldPath, refuse

MAX_LOGITS = 1 << 26  # of one batch: 256 MB in single precision, and training holds several such
MAX_SERVED = 100  # log-probabilities after one token; servers have limits of their own, 20 of vLLM
MAX_PAIRED_TOKENS = 1 << 12  # of one batch; their pairs are 16.8 million numbers, as rkd's triples

OF_TEXTS = ("classification", "multi_label")
OF_TOKENS = ("language_modelling", "masked_language_modelling")

Named = list[tuple[FieldPath, AnyArchitecture]]


def refuse_mixed_with_text(job: DistillationSpec) -> None:
    """Raise a validation error where parts of a job are for text and others are not."""
    named = architectures(job)
    if isinstance(job.dataset, TextFile | BuiltinText):
        _refuse_unfit_networks(named, job.dataset)
        _refuse_unfit_teachers(job, job.dataset)
        brought = tokenizer_of(job.teacher, folders=job.dataset.task in OF_TOKENS)
        if isinstance(job.dataset.tokenizer, TeachersTokenizer) and brought is None:
            reason = "only models of the registry, checkpoints, safetensors, folders and servers bring a tokenizer"
            refuse(("dataset", "tokenizer", "kind"), "tokenizer_unavailable", reason, "teacher")
        _refuse_others_tokens(job, job.dataset)
        for place, training in trainings(job):
            _refuse_unfit_training(place, training, job.dataset)
        _refuse_unfit_objective(job, job.dataset)
        return
    for place, teacher in parts(job.teacher):
        if isinstance(teacher, UploadedTeacher) and (teacher.format == "folder" or teacher.tokenizer is not None):
            reason = "a model with a tokenizer reads texts, and this data holds numbers"
            refuse((*place, "format"), "teaches_texts", reason, teacher.format)
        if isinstance(teacher, ServedTeacher):
            refuse((*place, "source"), "teacher_mismatch", "a served language model teaches texts", teacher.source)
    for place, architecture in named:
        if family_of(architecture).reads == "text":
            reason = f"a {architecture.kind} reads text, and this data holds numbers"
            refuse((*place, "architecture", "kind"), "architecture_mismatch", reason, architecture.kind)
    if isinstance(job.objective, Sequence):
        refuse(("objective", "kind"), "objective_mismatch", "only language models write texts", "sequence")


def _refuse_unfit_networks(named: Named, data: AnyTextData) -> None:
    for place, architecture in named:
        if family_of(architecture).reads != "text":
            reason = f"a {architecture.kind} reads numbers, and this data is text"
            refuse((*place, "architecture", "kind"), "architecture_mismatch", reason, architecture.kind)
        if isinstance(architecture, Pretrained) and data.task == "multi_label":
            reason = (
                "a network from a folder learns one class a text: choose text_cnn, bag_of_embeddings or transformer"
            )
            refuse((*place, "architecture", "kind"), "architecture_mismatch", reason, architecture.kind)
        for task in OF_TOKENS:
            if (family_of(architecture).only_for == task) != (data.task == task):
                said = " or ".join(_one(family.kind) for family in FAMILIES if family.only_for == task)
                reason = f"{task} needs {said}, and {said} is for nothing else"
                refuse((*place, "architecture", "kind"), "architecture_mismatch", reason, architecture.kind)


def _refuse_others_tokens(job: DistillationSpec, data: AnyTextData) -> None:
    """A network from a folder knows the tokens of its folder, and no other ones."""
    student, place = job.student.architecture, ("dataset", "tokenizer", "kind")
    own = isinstance(data.tokenizer, StudentsTokenizer)
    if isinstance(student, Pretrained) and not own:
        reason = 'a student from a folder reads the tokens of its folder: write {"kind": "student"}'
        refuse(place, "tokenizer_mismatch", reason, data.tokenizer.kind)
    if own and not isinstance(student, Pretrained):
        reason = f"a {student.kind} brings no tokenizer: name one to be trained, or `teacher`"
        refuse(place, "tokenizer_unavailable", reason, "student")


def _one(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _refuse_unfit_teachers(job: DistillationSpec, data: AnyTextData) -> None:
    for place, teacher in parts(job.teacher):
        if isinstance(teacher, SoftLabels) and data.task in OF_TOKENS:
            reason = "soft labels have one row for each row of the data; a language model answers every token"
            refuse((*place, "source"), "teacher_mismatch", reason, "soft_labels")
        in_folder = isinstance(teacher, UploadedTeacher) and teacher.format == "folder"
        if in_folder and data.task != "classification" and not isinstance(data.tokenizer, TeachersTokenizer):
            reason = (
                'a model in a folder answers its own tokens, and the student must read the same: {"kind": "teacher"}'
            )
            refuse(("dataset", "tokenizer", "kind"), "tokenizer_mismatch", reason, data.tokenizer.kind)
        beside = isinstance(teacher, UploadedTeacher) and teacher.tokenizer is not None
        if beside and data.task != "classification":
            reason = (
                "it answers whole texts on tokens of its own, one class each: train a teacher on this job's tokens, or "
                "choose `classification`"
            )
            refuse((*place, "format"), "tokenizer_mismatch", reason, teacher.source)
        without = isinstance(teacher, UploadedTeacher) and teacher.format == "onnx" and teacher.tokenizer is None
        if isinstance(teacher, EndpointTeacher) or without:
            reason = "it would be given numbers of tokens, and does not say which tokenizer it knows"
            refuse((*place, "source"), "teacher_mismatch", reason, teacher.source)
        if isinstance(teacher, ServedTeacher):
            _refuse_unfit_served(job, data, place)


def _refuse_unfit_served(job: DistillationSpec, data: AnyTextData, place: FieldPath) -> None:
    if data.task != "language_modelling":
        reason = "a server says what comes next: it teaches language_modelling"
        refuse((*place, "source"), "teacher_mismatch", reason, "served")
    if not isinstance(data.tokenizer, TeachersTokenizer):
        reason = 'probabilities of tokens mean something to their own tokenizer alone: {"kind": "teacher"}'
        refuse(("dataset", "tokenizer", "kind"), "tokenizer_mismatch", reason, data.tokenizer.kind)
    if job.signal.top_k is None or job.signal.top_k > MAX_SERVED:
        reason = f"a server names the likeliest tokens alone; how many, from 1 to {MAX_SERVED}, is to be said: 20, say"
        refuse(("signal", "top_k"), "top_k_needed", reason, job.signal.top_k)


def _refuse_unfit_training(place: FieldPath, training: Training, data: AnyTextData) -> None:
    if training.augmentation is not None:
        refuse((*place, "augmentation"), "augmentation_needs_images", "only images are augmented", None)
    if data.task in OF_TEXTS:
        return
    if training.balanced_batches:
        reason = "a row of a language model has a label for each token, so rows have no class to be balanced by"
        refuse((*place, "balanced_batches"), "only_for_classification", reason, True)
    if training.class_weights != "none":
        reason = "the classes of a language model are its tokens, in the order that the tokenizer finds"
        refuse((*place, "class_weights"), "only_for_classification", reason, training.class_weights)
    if isinstance(data.tokenizer, TeachersTokenizer | StudentsTokenizer):
        return  # its vocabulary is known once it is read
    if too_many := too_many_logits(training, data.max_length, data.tokenizer.vocabulary):
        refuse((*place, "batch_size"), "batch_too_large", too_many, training.batch_size)


def too_many_logits(training: Training, max_length: int, vocabulary: int) -> str | None:
    """Why a language model's batch is too large, or None."""
    logits = training.batch_size * max_length * vocabulary
    if logits <= MAX_LOGITS:
        return None
    most = max(1, MAX_LOGITS // (max_length * vocabulary))
    return (
        f"a batch has batch_size · max_length · vocabulary = {logits:,} logits, and {MAX_LOGITS:,} are computed at "
        f"once: at most {most} rows; `accumulate` makes larger batches of them"
    )


def _refuse_unfit_objective(job: DistillationSpec, data: AnyTextData) -> None:
    objective = job.objective
    if isinstance(objective, Sequence):
        if data.task != "language_modelling":
            refuse(("objective", "kind"), "objective_mismatch", "only language models write texts", "sequence")
        if objective.prompt >= data.max_length:
            reason = f"a row has {data.max_length} tokens, and one at least must be left to the teacher"
            refuse(("objective", "prompt"), "prompt_too_long", reason, objective.prompt)
    if data.task in OF_TOKENS:
        for _, single in singles(objective):
            if isinstance(single, Rkd | Sp | Pkt | Crd):
                _refuse_many_tokens(job.training, data, single)


def _refuse_many_tokens(training: Training, data: AnyTextData, objective: Rkd | Sp | Pkt | Crd) -> None:
    """Raise a validation error where too many tokens of a batch are compared with one another."""
    triples = isinstance(objective, Rkd)
    most, what = (MAX_RKD_BATCH, "triples") if triples else (MAX_PAIRED_TOKENS, "pairs")
    if training.batch_size * data.max_length > most:
        reason = (
            f"{objective.kind} compares all {what} of a batch's batch_size · max_length = "
            f"{training.batch_size * data.max_length:,} tokens: at most {most:,}; fitnet compares each token alone"
        )
        refuse(("training", "batch_size"), "batch_too_large", reason, training.batch_size)
