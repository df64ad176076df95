"""Whether a student hears its teacher at all: the gradient of the teacher's term, before anything is trained."""

from workers.distillation.data.dataset import Data
from workers.distillation.quality import soft_gradient
from workers.distillation.training.learner import Learner
from workers.distillation.training.plan import Lesson, Stage
from workers.run import Run

GRADIENT_ROWS = 256  # enough to see whether the teacher is heard
GRADIENT_TEXTS = 4  # rows of a language model, which has an answer for each of their tokens
SILENT = "The soft term has no gradient; the student cannot learn from this teacher."


def gradient_of_teacher(stage: Stage, lesson: Lesson, data: Data) -> float | None:
    """Of the untrained student, on some of the rows that it learns from; None where the teacher only wrote labels."""
    if lesson.signal is None:
        return None
    heard = data.learned[: GRADIENT_TEXTS if data.task.every_token else GRADIENT_ROWS]
    learner = Learner(stage, lesson, data)
    if data.task.hides:
        learner.begin_epoch()  # there is nothing to say of whole texts
    return soft_gradient(learner.terms(heard.to(learner.device))["soft"], learner.network)


def warn_of_silence(gradient: float | None, run: Run) -> None:
    """Say at once what the report would say at the end."""
    if gradient is not None and not gradient > 0:
        run.event("warning", {"code": "teacher_silent", "detail": SILENT})
