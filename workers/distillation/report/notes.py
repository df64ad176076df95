"""What a reader must know to judge a report's numbers, and what speaks against believing them, in plain words."""

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import LogitStd, Sequence, singles
from qstill.contract.distillations.report.tasks import TaskSections
from qstill.contract.distillations.teachers import (
    ModelTeacher,
    Single,
    SoftLabels,
    TrainedTeacher,
    UploadedTeacher,
    parts,
)
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.distillations.teachers.remote import EndpointTeacher, ServedTeacher
from workers.distillation.data.dataset import Data
from workers.distillation.data.faults import duplicates_in_test, said_of_leaked
from workers.distillation.quality import Comparison
from workers.distillation.report.measurements import RowMeasurements, row_counts
from workers.distillation.report.surrogate import circuit_notes
from workers.distillation.report.texts import sequence_note
from workers.distillation.teachers import Use
from workers.distillation.teachers.initialise import initialisation_note
from workers.distillation.training.hearing import SILENT


def notes(job: DistillationJob, data: Data, measured: RowMeasurements, sections: TaskSections) -> list[str]:
    """What a reader must know to judge the numbers, in plain words. sections: the task's."""
    rows, use = row_counts(data), measured.signal
    if isinstance(job.teacher, CircuitTeacher):
        return circuit_notes(job, data, measured)
    chosen = f", by {data.task.measure.chosen}" if data.task.named is not None else ""
    said = [
        data.task.lesson_note(data.train, data.seen, data.learned),
        *dict.fromkeys(_teacher_note(teacher, rows) for _, teacher in parts(job.teacher)),
        *measured.teacher_notes,
        f"The {rows['validation']} validation labels chose the best epoch of every network trained here{chosen}; the "
        f"{rows['test']} test rows were read once, at the end.",
        "The interval covers initial weights and batch order over paired seeds. It does not cover which rows were "
        "labelled or held out, nor another teacher: repeat the job with other split seeds to see what those change.",
    ]
    if isinstance(job.objective, Sequence):
        said.append(sequence_note(job.objective, use))
    else:
        said.append(data.task.hearing_note(use.computed_rows + use.reused_rows) or _signal_note(use))
    if job.student.initialise_from_teacher is not None:
        said.append(initialisation_note(job.student.initialise_from_teacher))
    said += _data_notes(job, data)
    said += data.inputs.notes(data.task, data.test.labels, rows=data.total, row=data.input_shape)
    parameters = {"student": measured.student_parameters, "teacher": measured.teacher_parameters}
    return said + data.task.likelihood_notes(sections, **parameters)


def warnings(job: DistillationJob, data: Data, measured: RowMeasurements) -> list[str]:
    """What speaks against believing the numbers, or using the student as it is."""
    said = []
    if data.task.useless(measured.teacher.quality, data.test.y):
        said.append(data.task.no_better)
    if measured.soft_gradient is not None and not measured.soft_gradient > 0:
        said.append(SILENT)
    if any(isinstance(single, LogitStd) for _, single in singles(job.objective)):
        said.append(
            "The student follows the teacher's logits only up to scale and shift (logit_std), which spoils calibration "
            "at T=1: judge it by its accuracy, and rescale its logits before reading them as probabilities."
        )
    if 0 < measured.teacher_parameters < measured.student_parameters:
        said.append("The student is larger than the teacher.")
    said += measured.student_warnings
    said += measured.teacher_warnings
    said += [note.said for note in data.reading_notes if note.doubt]
    if leaked := duplicates_in_test(data):
        said.append(said_of_leaked(leaked, len(data.test.y), type(data.inputs)))
    if not isinstance(job.teacher, CircuitTeacher):
        said += few_seeds(measured.gain)
    if seen := _perhaps_seen(job, measured):
        said.append(seen)
    return said


def few_seeds(difference: Comparison | None) -> list[str]:
    """What a verdict lacks to be believed."""
    if difference is None:
        return ["No baseline was asked for, so there is no verdict."]
    match len(difference.differences):
        case 1:
            return ["One seed gives no interval, so the verdict is INCONCLUSIVE."]
        case 2:
            return [
                "Two seeds decide next to nothing: the interval reaches 9 standard deviations to each side. Take five."
            ]
    return []


def _perhaps_seen(job: DistillationJob, measured: RowMeasurements) -> str | None:
    """No test row is wrong for a teacher from elsewhere, while the students find some of them hard."""
    if any(isinstance(teacher, TrainedTeacher) for _, teacher in parts(job.teacher)):
        return None
    if not measured.task.perhaps_seen(measured.arms):
        return None
    return (
        "The teacher makes no mistake on the test rows, and the students make several: it may have been trained on "
        "them. Its own numbers then say nothing, and the students' are too good."
    )


def _teacher_note(teacher: Single, rows: dict[str, int]) -> str:
    flatters = "If it was trained on test rows, every number here flatters it."
    match teacher:
        case TrainedTeacher(labels="seen"):
            return f"The teacher was trained in this job on the {rows['labels_seen']} labels that the student saw."
        case TrainedTeacher():
            return f"The teacher was trained in this job on all {rows['train_labels']} labels of the training split."
        case SoftLabels():
            return f"The teacher's answers were uploaded. {flatters}"
        case UploadedTeacher():
            return f"The teacher's weights were uploaded. {flatters}"
        case ModelTeacher():
            return f"The teacher is {teacher.model}, made elsewhere. {flatters}"
        case CircuitTeacher():
            return "The teacher is a quantum circuit, simulated here."
        case ServedTeacher():
            return f"The teacher is {teacher.model}, behind a server. {flatters}"
        case EndpointTeacher():
            return f"The teacher is behind an endpoint. {flatters}"


def _signal_note(use: Use) -> str:
    if use.computed_rows + use.reused_rows == 0:
        return "The teacher's answers were read from the file that holds them."
    if use.reused_rows:
        said = f"The teacher's answers to {use.reused_rows} training rows were there from an earlier job."
    elif use.again:
        said = f"The teacher was asked about {use.computed_rows} training rows, again after the job was interrupted."
    else:
        said = f"The teacher was asked once about each of {use.computed_rows} training rows."
    if use.draws is not None:
        said += (
            f" Kept are, of each answer, {use.draws} draws from its probabilities: right on average at temperature 1."
        )
    if use.dtype == "float16":
        said += f" Kept in half precision, which changed no probability by more than {use.rounding:.1e}."
    return said


def _data_notes(job: DistillationJob, data: Data) -> list[str]:
    """How the data set was read, and what was done to the training rows, if anything."""
    said = [note.said for note in data.reading_notes if not note.doubt]
    said += data.task.data_notes()
    if job.dataset.label_noise:
        said.append(
            f"{job.dataset.label_noise:.0%} of the training split's labels were replaced by another class, for "
            "teacher, student and baseline alike; validation and test labels were not."
        )
    if data.left_out:
        names = ", ".join(data.classes[code] for code in data.left_out)
        said.append(f"Neither student nor baseline was shown a training row of these classes: {names}.")
        if job.training.bias_correction:
            said.append("The logits of these classes were shifted by the number that served the validation rows best.")
    if job.training.patience is not None:
        said.append("Training could end early, so student and baseline may have taken different numbers of steps.")
    return said
