"""`celery -A benchmarks.plain.tasks worker`: one task for each job."""

import os

from celery import Celery
from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator
from sqlalchemy.orm import Session

from benchmarks.plain.database import DIRECTORY, Job, engine, utc_now
from qstill.contract.circuits.formats import JsonCircuit
from qstill.contract.circuits.job import CircuitJob

MESSAGES = DIRECTORY / "messages"
CONTROL = DIRECTORY / "control"
for folder in (MESSAGES, CONTROL):
    folder.mkdir(exist_ok=True)

celery = Celery("plain", broker="filesystem://")
celery.conf.broker_transport = "benchmarks.plain.broker:Transport"
celery.conf.broker_transport_options = {
    "data_folder_in": str(MESSAGES),
    "data_folder_out": str(MESSAGES),
    "control_folder": str(CONTROL),
}
if "PLAIN_POLLING_SECONDS" in os.environ:
    celery.conf.broker_transport_options["polling_interval"] = float(os.environ["PLAIN_POLLING_SECONDS"])


@celery.task
def run_circuit(job_id: str) -> None:
    with Session(engine) as session:
        row = session.get_one(Job, job_id)
        row.status, row.started_at = "running", utc_now()
        session.commit()
        job = CircuitJob.model_validate(row.spec)
        circuit = build(job.circuit)
        simulator = AerSimulator()
        result = simulator.run(transpile(circuit, simulator), shots=job.shots, seed_simulator=job.seed).result()
        row.result = {"counts": result.get_counts()}
        row.status, row.finished_at = "succeeded", utc_now()
        session.commit()


def build(definition: object) -> QuantumCircuit:
    """The gates that the benchmarks send."""
    assert isinstance(definition, JsonCircuit)
    circuit = QuantumCircuit(definition.qubits)
    for operation in definition.operations:
        match operation.gate, operation.control, operation.target:
            case "h", None, int(target):
                circuit.h(target)
            case "x", int(control), int(target):
                circuit.cx(control, target)
            case _:
                raise NotImplementedError(operation.gate)
    circuit.measure_all()
    return circuit
