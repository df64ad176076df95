"""Rules of thumb of distillation, one function each: what was found and what the job says, to advice or none.

Nothing is computed here. A threshold stands beside its reason, and each rule has a test that it fires and one that it
is silent.
"""

import math

from qstill.contract.distillations.datasets import BuiltinText, TextFile
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import Dkd, Kd, LogitMse, LogitStd, Ramp, singles
from qstill.contract.distillations.preflight import Found
from qstill.contract.distillations.preflight_parts import Advice, Rule, advice, at
from qstill.contract.distillations.spec import is_solved
from qstill.contract.distillations.teachers import SoftLabels, TrainedTeacher, parts
from workers.distillation.data.faults import said_of_leaked
from workers.distillation.data.files.table import ReadingNote
from workers.distillation.inputs.text import Text
from workers.distillation.inputs.values import Values
from workers.distillation.preflight.advice_common import COMMON_RULES, in_order
from workers.distillation.preflight.advice_teacher import TEACHER_RULES

FEW_LABELS = 10  # a class; below, a pool that the teacher speaks for decides
HIGH_ALPHA = 0.7
EASY = 0.9  # accuracy above which labels already say what there is to say
LEAST_STEPS = 200  # of a student; digits in miniature need some 300
FEW_CLASSES = 5
MANY_EQUAL = 10.0  # labels of the most frequent class for each of the rarest
FEW_TEST_ROWS = 100


def advice_on(
    job: DistillationJob,
    found: Found,
    *,
    finite: bool,
    warnings: tuple[str, ...] = (),
    notes: tuple[ReadingNote, ...] = (),
) -> list[Advice]:
    """All that the rules say, and what the files of teacher and data do.

    finite: whether the losses of the first steps were numbers. warnings, notes: of the teacher and of the data, where
    they were read.
    """
    of_data = [advice(each.code, "warning" if each.doubt else "note", each.said, "/dataset") for each in notes]
    of_teacher = [advice("teacher_of_another_split", "warning", said, "/teacher") for said in warnings]
    return in_order((*of_teacher, *of_data, *(each for rule in RULES for each in rule(job, found))), finite=finite)


# What is to be expected


def few_labels(job: DistillationJob, found: Found) -> Rule:
    """With few labels and a pool the teacher is most of what a student can hear."""
    data = found.data
    if not data.labels or data.labelled_rows > FEW_LABELS * found.shapes.classes or not data.unlabelled_rows:
        return
    for place, single in singles(job.objective):
        alpha = getattr(single, "alpha", None)
        if isinstance(single, Kd) and isinstance(alpha, float) and alpha < HIGH_ALPHA:
            detail = (
                f"There are {data.labelled_rows} labels and {data.unlabelled_rows} rows without one. The soft term is "
                f"all that these teach, and alpha = {alpha:g} makes it small."
            )
            yield advice("alpha_low", "warning", detail, at(place, "alpha"), 0.9)


def pool_unused(job: DistillationJob, found: Found) -> Rule:
    """Rows that only the teacher can speak for are left out."""
    data = job.dataset
    if data.labelled is not None and not data.unlabelled_pool:
        detail = (
            "The training rows whose labels are hidden are not used. The teacher speaks for them, and with few labels "
            "that is where distillation wins most."
        )
        yield advice("pool_unused", "note", detail, "/dataset/unlabelled_pool", True)


def full_clean_data(job: DistillationJob, found: Found) -> Rule:
    """All labels, none of them wrong: plain training often wins."""
    data = job.dataset
    all_labels = data.labelled is None and not found.data.unlabelled_rows
    if data.task != "classification" or not all_labels or data.label_noise or data.leave_out:
        return
    if all(check.accuracy >= EASY for check in found.teachers):
        detail = (
            "The student sees every label. On full, clean and easy data the same student trained without a teacher is "
            "often as good: expect NO BEATS or INCONCLUSIVE. Distillation shows with few labels (`labelled`), noisy "
            "ones, or a much better teacher."
        )
        yield advice("expect_no_beats", "note", detail, "/dataset/labelled")


def few_test_rows(job: DistillationJob, found: Found) -> Rule:
    """Differences that are a row or two."""
    rows = found.shapes.rows["test"]
    if found.data.labels and rows < FEW_TEST_ROWS:
        detail = (
            f"There are {rows} test rows, and each is {100 / rows:.1f} points of accuracy: more seeds, or more rows."
        )
        yield advice("few_test_rows", "note", detail, "/dataset/test")


# What the training and the objective are like


def batch_larger_than_rows(job: DistillationJob, found: Found) -> Rule:
    """One step an epoch, whatever the batch size says."""
    rows = found.data.labelled_rows + found.data.unlabelled_rows
    if job.training.batch_size > rows:
        fitting = max(1, 2 ** int(math.log2(max(1, rows / 4))))
        detail = f"The student learns from {rows} rows, so an epoch is one step with all of them."
        yield advice("batch_larger_than_rows", "warning", detail, "/training/batch_size", fitting)


def few_steps(job: DistillationJob, found: Found) -> Rule:
    """Too few steps to learn anything, for teacher or student."""
    if is_solved(job):
        return  # in none
    for role, pointer in (("student", "/training/epochs"), ("teacher", _teacher_epochs(job))):
        per_epoch = found.shapes.steps_per_epoch.get(role)  # type: ignore[call-overload]
        epochs = job.training.epochs if role == "student" else _epochs_of_teacher(job)
        if per_epoch is None or per_epoch * epochs >= LEAST_STEPS:
            continue
        detail = f"The {role} takes {per_epoch * epochs} steps in all; small networks need some hundreds."
        yield advice("few_steps", "warning", detail, pointer, math.ceil(LEAST_STEPS / per_epoch))


def _trained(job: DistillationJob) -> tuple[str, TrainedTeacher] | None:
    return next(
        (
            ("".join(f"/{step}" for step in place), spec)
            for place, spec in parts(job.teacher)
            if isinstance(spec, TrainedTeacher)
        ),
        None,
    )


def _epochs_of_teacher(job: DistillationJob) -> int:
    first = _trained(job)
    own = first[1].training if first else None
    return (own or job.training).epochs


def _teacher_epochs(job: DistillationJob) -> str:
    first = _trained(job)
    return f"{first[0]}/training/epochs" if first and first[1].training else "/training/epochs"


def dkd_few_classes(job: DistillationJob, found: Found) -> Rule:
    """Little is left to compare among the other classes."""
    for place, single in singles(job.objective):
        if isinstance(single, Dkd) and found.shapes.classes < FEW_CLASSES:
            others = found.shapes.classes - 1
            detail = (
                "dkd divides the teacher's answer into the target and the ranking of the other classes, of which "
                f"there are {others}. It was made for a hundred (2203.08679); kd says the same here with less."
            )
            yield advice("dkd_few_classes", "note", detail, at(place, "kind"), "kd")


def dkd_never_warm(job: DistillationJob, found: Found) -> Rule:
    """A warm-up that is longer than the training."""
    for place, single in singles(job.objective):
        if isinstance(single, Dkd) and single.warm_up > job.training.epochs:
            detail = (
                f"The soft term grows over {single.warm_up} epochs, and there are {job.training.epochs}: it never has "
                "its full weight."
            )
            yield advice("warm_up_too_long", "warning", detail, at(place, "warm_up"), job.training.epochs // 4)


def ramp_never_ends(job: DistillationJob, found: Found) -> Rule:
    """A number that is still on its way when the training ends."""
    for place, single in singles(job.objective):
        for field, value in single:
            if isinstance(value, Ramp) and value.epochs > job.training.epochs:
                detail = (
                    f"{field} moves over {value.epochs} epochs, and there are {job.training.epochs}: it never reaches "
                    f"{value.end:g}."
                )
                reachable = job.training.epochs if job.training.epochs > 1 else None
                yield advice("ramp_too_long", "warning", detail, f"{at(place, field)}/epochs", reachable)


def logit_std_calibration(job: DistillationJob, found: Found) -> Rule:
    """A student that is not to be believed about how sure it is."""
    for place, single in singles(job.objective):
        if isinstance(single, LogitStd):
            detail = "logit_std leaves the size of the student's logits free: its probabilities at T = 1 mean little."
            yield advice("logit_std_calibration", "note", detail, at(place, "kind"))


def storage(job: DistillationJob, found: Found) -> Rule:
    """How answers are kept, where it has no effect or costs something."""
    if isinstance(job.teacher, SoftLabels) and job.signal.precision == "float16":
        detail = "Soft labels are used as they were uploaded, in single precision: this setting has no effect on them."
        yield advice("precision_unused", "note", detail, "/signal/precision", "float32")
    if not isinstance(job.teacher, SoftLabels) and job.signal.precision == "float16":
        for _, single in singles(job.objective):
            if isinstance(single, LogitMse):
                detail = "float16 rounds large logits by up to some thousandths of their size, which logit_mse squares."
                yield advice("rounded_logits", "note", detail, "/signal/precision", "float32")


def left_out(job: DistillationJob, found: Found) -> Rule:
    """Classes that a student never sees are rarely answered unless its bias is corrected."""
    if job.dataset.leave_out and not job.training.bias_correction:
        detail = (
            f"The student never sees {', '.join(job.dataset.leave_out[:5])}; the teacher's soft answers teach it, but "
            "too timidly. Hinton and others corrected the bias of such a class (1503.02531, section 3)."
        )
        yield advice("bias_uncorrected", "note", detail, "/training/bias_correction", True)


# What the data is like


def imbalance(job: DistillationJob, found: Found) -> Rule:
    """Frequent classes decide."""
    ratio, training = found.data.imbalance, job.training
    if ratio is not None and ratio >= MANY_EQUAL and training.class_weights == "none" and not training.balanced_batches:
        detail = f"The most frequent class has {ratio:.0f} labels for each of the rarest, and accuracy hides the rare."
        yield advice("imbalanced", "warning", detail, "/training/class_weights", "balanced")


def empty_classes(job: DistillationJob, found: Found) -> Rule:
    """Classes without a label, that nobody left out on purpose."""
    empty = [name for name in found.data.empty_classes if name not in job.dataset.leave_out]
    if empty:
        detail = f"The student sees no label of {', '.join(empty[:5])}; the baseline can never answer it."
        yield advice("empty_classes", "warning", detail, "/dataset")


def constant_features(job: DistillationJob, found: Found) -> Rule:
    """Inputs that say nothing."""
    if found.data.constant_features == math.prod(found.shapes.inputs):
        detail = "All inputs are the same in all training rows: there is nothing to tell classes, or targets, apart by."
        yield advice("constant_features", "problem", detail, "/dataset")
    elif found.data.constant_features:
        detail = (
            f"{found.data.constant_features} inputs are the same in all training rows. They do no harm: what does not "
            "vary is shifted to 0 and not scaled."
        )
        yield advice("constant_features", "note", detail, "/dataset")


def leaked_rows(job: DistillationJob, found: Found) -> Rule:
    """A test that was seen in training."""
    if found.data.duplicates_in_test:
        inputs = Text if isinstance(job.dataset, TextFile | BuiltinText) else Values
        detail = said_of_leaked(found.data.duplicates_in_test, found.shapes.rows["test"], inputs)
        yield advice("leaked_rows", "warning", detail, "/dataset")


def truncated_texts(job: DistillationJob, found: Found) -> Rule:
    """Tokens that nobody reads."""
    if found.data.truncated_texts and isinstance(job.dataset, TextFile | BuiltinText):
        detail = f"{found.data.truncated_texts} texts are cut off after {job.dataset.max_length} tokens."
        yield advice("truncated_texts", "note", detail, "/dataset/max_length")


RULES = (
    *TEACHER_RULES,
    few_labels,
    pool_unused,
    full_clean_data,
    few_test_rows,
    batch_larger_than_rows,
    few_steps,
    dkd_few_classes,
    dkd_never_warm,
    ramp_never_ends,
    logit_std_calibration,
    storage,
    left_out,
    imbalance,
    empty_classes,
    constant_features,
    leaked_rows,
    truncated_texts,
    *COMMON_RULES,
)
