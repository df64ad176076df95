"""What is asked of networks whose family does not do it."""

from qstill.contract.distillations.architectures import family_of
from qstill.contract.distillations.spec import DistillationSpec, architectures, trained_networks
from qstill.contract.schemas import refuse


def refuse_what_families_do_not_do(job: DistillationSpec) -> None:
    """Raise a validation error where a network of this job cannot be trained, shown, compressed or exported so."""
    for place, architecture in architectures(job):
        family = family_of(architecture)
        if job.compression is not None and not family.compresses:
            reason = f"a {architecture.kind} is neither pruned nor quantised"
            refuse((*place, "architecture", "kind"), "compression_unavailable", reason, architecture.kind)
    for place, architecture, training in trained_networks(job):
        if training.precision != "float32" and not family_of(architecture).half_precision:
            reason = f"a {architecture.kind} is computed in float32 alone"
            refuse((*place, "precision"), "not_for_this_network", reason, training.precision)
    student = job.student.architecture
    if job.training.bias_correction and not family_of(student).head_bias:
        reason = f"a {student.kind} has no bias of its classes to correct"
        refuse(("training", "bias_correction"), "not_for_this_network", reason, True)
    if job.evaluation.quantum is not None and not family_of(student).is_circuit:
        reason = f"a {student.kind} is no circuit: only quantum students are run on the circuit engine"
        refuse(("evaluation", "quantum"), "not_for_this_network", reason, None)
    for position, wanted in enumerate(job.export):
        if wanted in job.export[:position]:
            refuse(("export", position), "repeated_format", "a format is named twice", wanted)
        if wanted not in family_of(student).exports:
            reason = f"a {student.kind} is not exported as {wanted}"
            refuse(("export", position), "not_for_this_network", reason, wanted)
        if wanted.startswith("onnx") and (why := family_of(student).why_no_onnx(student)):
            refuse(("export", position), *why, wanted)
