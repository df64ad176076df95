"""What a distillation job may ask, field by field. `job.py` says which jobs of these fields can work."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import ConfigDict, Field

from qstill.contract.distillations.architectures import AnyArchitecture, Architecture
from qstill.contract.distillations.architectures.family import ExportFormat
from qstill.contract.distillations.architectures.fourier import Fourier
from qstill.contract.distillations.architectures.pretrained import Pretrained
from qstill.contract.distillations.compression import Compression
from qstill.contract.distillations.datasets import Dataset, has_several_labels, is_regression
from qstill.contract.distillations.evaluation import Evaluation
from qstill.contract.distillations.initialisation import FromTeacher
from qstill.contract.distillations.measures.measure import Learned
from qstill.contract.distillations.objectives import Kd, Objective
from qstill.contract.distillations.teachers import Teacher, TrainedTeacher, UploadedTeacher, parts
from qstill.contract.distillations.teachers.circuit import INPUT_SOURCE, CircuitTeacher
from qstill.contract.distillations.teachers.storage import Storage
from qstill.contract.distillations.training import StudentTraining, Training
from qstill.contract.schemas import FieldPath, Strict, Submission


class Student(Strict):
    """The network to be taught."""

    architecture: Architecture = Field(
        description="The student's network; the baseline has the same.", examples=[{"kind": "mlp", "hidden": [16]}]
    )
    initialise_from_teacher: FromTeacher | None = Field(
        None,
        description="Begin from the teacher's weights instead of random ones: transformers of one kind and width, "
        "whose weights are at hand. Null: do not.",
        examples=[None],
    )


S = TypeVar("S", bound=Strict)


class DistillationFields(Submission, Generic[S]):
    """All that a job says, whatever it says of its student."""

    dataset: Dataset = Field(
        description="The rows to learn from.", examples=[{"source": "builtin", "name": "digits", "labelled": 50}]
    )
    teacher: Teacher = Field(
        description="Who teaches.",
        examples=[{"source": "train", "architecture": {"kind": "mlp", "hidden": [256, 256]}}],
    )
    signal: Storage = Field(
        default_factory=lambda: Storage(),
        description="How the teacher's answers are kept.",
        examples=[{"precision": "float32"}],
    )
    student: S = Field(description="Who learns.", examples=[{}])
    objective: Objective = Field(
        default_factory=lambda: Kd(),
        description="What the student minimises; kd where no `kind` is given.",
        examples=[{"kind": "kd", "temperature": 2.0, "alpha": 0.9}],
    )
    training: StudentTraining = Field(
        default_factory=lambda: StudentTraining(),
        description="How it is trained.",
        examples=[{"epochs": 40, "batch_size": 64, "optimizer": "adam", "learning_rate": 0.01, "seed": 0}],
    )
    evaluation: Evaluation = Field(
        default_factory=lambda: Evaluation(),
        description="What it is compared with.",
        examples=[{"baseline": True, "seeds": 3}],
    )
    export: Annotated[list[ExportFormat], Field(max_length=4)] = Field(
        default_factory=list,
        description="Also publish the first seed's student in these formats, each run on the test rows and compared "
        "with the network that it came from: `onnx` in float32, `onnx_int8` with weights of 8 bits. Both take inputs "
        "as they were uploaded: the standardisation is inside. Those of text take numbers of tokens, int64 (batch, "
        "length), and `tokenizer.json` is published beside them. Seconds for each. Circuits also as `openqasm3`, once "
        "with the trained angles in it and once with its weights as inputs, and `cirq`, Cirq's JSON.",
        examples=[["onnx", "onnx_int8"]],
    )
    compression: Compression | None = Field(
        None,
        description="Set distillation beside pruning and quantisation, at equal bytes and at equal latency; null: do "
        "not. Costs about as much again as the students, for each way of pruning. It lands in the report.",
        examples=[None],
    )


class DistillationSpec(DistillationFields[Student]):
    """What a job says of its data, teacher, student, objective, training and answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset": {"source": "builtin", "name": "digits", "labelled": 50},
                    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [256, 256]}},
                    "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
                    "objective": {"kind": "kd", "temperature": 2.0, "alpha": 0.9},
                    "training": {
                        "epochs": 40,
                        "batch_size": 64,
                        "optimizer": "adam",
                        "learning_rate": 0.01,
                        "seed": 0,
                    },
                    "evaluation": {"baseline": True, "seeds": 3},
                },
                {
                    "dataset": {
                        "source": "builtin_text",
                        "name": "python_topics",
                        "task": "classification",
                        "tokenizer": {"kind": "word", "vocabulary": 2000},
                        "labelled": 160,
                    },
                    "teacher": {"source": "train", "architecture": {"kind": "text_cnn", "sizes": [1, 2, 3]}},
                    "student": {"architecture": {"kind": "bag_of_embeddings", "width": 8}},
                    "training": {"epochs": 30, "learning_rate": 0.01},
                },
                {
                    "dataset": {"source": "uniform", "ranges": [[0.0, 6.283185307179586]] * 2, "rows": 100},
                    "teacher": {
                        "source": "circuit",
                        "circuit": {"format": "openqasm3", "source": INPUT_SOURCE},
                        "inputs": ["x0", "x1"],
                        "observables": [{"terms": [{"paulis": "Z", "qubits": [0], "coefficient": 1.0}]}],
                        "shots": 8192,
                        "noise": {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.02},
                        "mitigation": {"kind": "clifford_gains", "variants": 16},
                    },
                    "student": {"architecture": {"kind": "fourier"}},
                    "objective": {"kind": "logit_mse"},
                    "export": ["onnx"],
                },
                {
                    "dataset": {"source": "uniform", "ranges": [[-1.5708, 1.5708], [-3.1416, 3.1416]], "rows": 200},
                    "teacher": {
                        "source": "circuit",
                        "circuit": {"format": "template", "template": {"name": "maxcut", "layers": 1}},
                        "shots": 256,
                    },
                    "student": {"architecture": {"kind": "fourier"}},
                    "objective": {"kind": "logit_mse"},
                    "evaluation": {"minimise": {"observable": 0}},
                },
                {
                    "dataset": {"source": "builtin", "name": "iris", "labelled": 15},
                    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [32]}},
                    "student": {
                        "architecture": {
                            "kind": "quantum",
                            "qubits": 4,
                            "layers": 3,
                            "encoding": {"kind": "angle"},
                            "entanglement": "ring",
                            "observables": ["z"],
                        }
                    },
                    "objective": {"kind": "kd", "temperature": 2.0, "alpha": 1.0},
                    "training": {"epochs": 40, "batch_size": 16, "learning_rate": 0.05},
                    "evaluation": {
                        "seeds": 3,
                        "quantum": {
                            "shots": [64, 1024],
                            "rows": 32,
                            "noise": {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01},
                            "noise_scales": [4.0],
                            "mitigation": {"kind": "zne", "scales": [1, 3, 5], "fit": "linear"},
                        },
                    },
                    "export": ["onnx"],
                },
            ]
        }
    )

    student: Student = Field(description="Who learns.", examples=[{"architecture": {"kind": "mlp", "hidden": [16]}}])


def architectures(job: DistillationSpec) -> list[tuple[FieldPath, AnyArchitecture]]:
    """The networks that a job names, and where: its teachers', where they are said, and the student's."""
    named: list[tuple[FieldPath, AnyArchitecture]] = [
        (place, teacher.architecture)
        for place, teacher in parts(job.teacher)
        if isinstance(teacher, TrainedTeacher | UploadedTeacher) and teacher.architecture is not None
    ]
    return [*named, (("student",), job.student.architecture)]


def folders(job: DistillationFields[Any]) -> list[tuple[str, Pretrained]]:
    """The networks that are begun from a folder, each with the JSON pointer of its definition."""
    named: list[tuple[FieldPath, AnyArchitecture]] = [
        (place, teacher.architecture) for place, teacher in parts(job.teacher) if isinstance(teacher, TrainedTeacher)
    ]
    if isinstance(job.student, Student):
        named.append((("student",), job.student.architecture))
    return [
        ("/" + "/".join(map(str, (*place, "architecture"))), architecture)
        for place, architecture in named
        if isinstance(architecture, Pretrained)
    ]


def trainings(job: DistillationSpec) -> list[tuple[FieldPath, Training]]:
    """The student's training and those that teachers have of their own, each with its place in the job."""
    own = [(place, training) for place, _, training in trained_networks(job) if place != ("training",)]
    return [(("training",), job.training), *own]


def trained_networks(job: DistillationSpec) -> list[tuple[FieldPath, AnyArchitecture, Training]]:
    """Every network that a job trains, and how, with the place that says how."""
    found: list[tuple[FieldPath, AnyArchitecture, Training]] = [(("training",), job.student.architecture, job.training)]
    for place, teacher in parts(job.teacher):
        if isinstance(teacher, TrainedTeacher):
            own = teacher.training is not None
            where: FieldPath = (*place, "training") if own else ("training",)
            found.append((where, teacher.architecture, teacher.training or job.training))
    return found


def learns_numbers(job: DistillationSpec) -> bool:
    """Whether what is learned are real numbers: labels of a regression, or a circuit's expectation values."""
    return is_regression(job.dataset) or isinstance(job.teacher, CircuitTeacher)


def learned(job: DistillationSpec) -> Learned:
    """What labels are."""
    if learns_numbers(job):
        return "numbers"
    if has_several_labels(job.dataset):
        return "labels"
    return "classes" if job.dataset.task == "classification" else "tokens"


def trains_baseline(job: DistillationSpec) -> bool:
    """Whether there are labels, and baselines that learn from them alone."""
    return job.evaluation.baseline and not isinstance(job.teacher, CircuitTeacher)


def is_solved(job: DistillationSpec) -> bool:
    """Whether the student's weights follow from what a circuit answers, with nothing trained."""
    return isinstance(job.teacher, CircuitTeacher) and isinstance(job.student.architecture, Fourier)


def student_count(job: DistillationSpec) -> int:
    """How many students a job has."""
    return 1 if is_solved(job) else job.evaluation.seeds
