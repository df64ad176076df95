"""What is refused at the door of a circuit that is to be made shorter, before anything reads it as a whole."""

from qstill.contract.circuits.admission import Limits, admit_reading
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.noise.model import check_rules
from qstill.contract.circuits.noise.named import as_custom
from qstill.contract.distillations.circuits.job import ShorteningJob, check_size, qubits_at_the_door
from qstill.contract.errors import Problem


def admit_shortening(job: ShorteningJob, limits: Limits) -> None:
    """Raise Problem where the job cannot succeed, as far as the circuit's text tells."""
    try:
        admit_reading(CircuitJob(circuit=job.dataset.circuit), limits)
    except Problem as problem:
        raise problem.within("/dataset") from None
    qubits = qubits_at_the_door(job)
    if qubits is not None:
        check_size(job, qubits)
        check_noise(job, qubits)


def check_noise(job: ShorteningJob, qubits: int) -> None:
    """Raise Problem where a rule of the noise is about a qubit that is not there. qubits: of the circuit."""
    device, noise = job.evaluation.device, job.evaluation.errors
    there = qubits if device is None or device.qubits is None else device.qubits
    if noise is not None:
        try:
            check_rules(as_custom(noise), there)
        except Problem as problem:
            raise problem.within("/evaluation") from None
    if there < qubits:
        title = f"The circuit has {qubits} qubits; the device has {there}."
        raise Problem("too_few_device_qubits", title, pointer="/evaluation/device/coupling_map")
