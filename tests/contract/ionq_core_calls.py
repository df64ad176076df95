"""What ionq-core does against a service, run by test_ionq_core.py in a Python of its own: `… ADDRESS`.

It needs Python 3.13. Its models are strict: an answer that lacks a field, or has an unknown state, raises.
"""

import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")

from ionq_core import (  # noqa: E402
    IonQClient,
    SessionManager,
    iter_jobs,
    iter_session_jobs,
    wait_for_job,
)
from ionq_core.api.backends import get_backend, get_backends  # noqa: E402
from ionq_core.api.characterizations import (  # noqa: E402
    get_characterization,
    get_characterizations_for_backend,
)
from ionq_core.api.default import (  # noqa: E402
    cancel_job,
    cancel_jobs,
    clone_job,
    create_job,
    delete_job,
    delete_jobs,
    estimate_job_cost,
    get_job,
    get_job_artifact,
    get_job_cost,
    get_job_probabilities,
    get_jobs,
    get_sessions,
    move_job,
)
from ionq_core.api.schemas import get_format_schema  # noqa: E402
from ionq_core.api.whoami import get_whoami  # noqa: E402
from ionq_core.exceptions import BadRequestError, NotFoundError  # noqa: E402
from ionq_core.models import (  # noqa: E402
    CircuitJobCreationPayload,
    CloneJobPayload,
    IonqNativeV1,
    IonqResultShotsJsonV2,
    JobsBulkOperationRequest,
    JSONMultiCircuitJob,
)

BELL = [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]
HEAVY = [{"gate": "rx", "target": qubit, "rotation": 0.1 + layer} for layer in range(300) for qubit in range(20)]


def payload(circuit: list[dict[str, Any]] = BELL, qubits: int = 2, **more: Any) -> CircuitJobCreationPayload:
    given = {"qubits": qubits, "gateset": "qis", "circuit": circuit}
    body = {"type": "ionq.circuit.v1", "backend": "simulator", "shots": 100, "input": given}
    return CircuitJobCreationPayload.from_dict(body | more)


def refused(error: type[Exception], ask: Any) -> None:
    try:
        ask()
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def jobs(client: Any) -> None:
    made = create_job.sync(client=client, body=payload(name="bell", metadata={"a": "b"}))
    done = wait_for_job(client, made.id)
    assert (done.status, done.name, done.metadata.to_dict()) == ("completed", "bell", {"a": "b"})
    found = get_job_probabilities.sync(made.id, client=client).to_dict()
    assert set(found) == {"0", "3"}
    assert set(found.values()) == {0.5}
    shots = done.results["ionq.result.shots.json.v2"]
    answer = get_job_artifact.sync_detailed(made.id, shots.id, client=client)
    assert len(IonqResultShotsJsonV2.from_dict(json.loads(answer.content)).shots) == 100
    assert get_job_cost.sync(made.id, client=client).dry_run is False
    noisy = create_job.sync(client=client, body=payload(noise={"model": "aria-1", "seed": 3}, shots=300))
    done = wait_for_job(client, noisy.id)
    assert (done.noise.model, done.noise.seed, done.shots) == ("aria-1", 3, 300)
    counts = [300 * p for p in get_job_probabilities.sync(noisy.id, client=client).to_dict().values()]
    assert sum(map(round, counts)) == 300
    program = {"qubits": 1, "data": "OPENQASM 3.0; qubit q; bit[2] c; U(pi, 0, pi) q; c[0] = measure q; reset q;"}
    qasm = payload(type="ionq.qasm3.v1", input=program)
    done = wait_for_job(client, create_job.sync(client=client, body=qasm).id)
    assert get_job_probabilities.sync(done.id, client=client).to_dict() == {"1": 1.0}
    pair = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
    exact = payload(type="ionq.qasm3.v1", input={"qubits": 2, "data": pair})
    done = wait_for_job(client, create_job.sync(client=client, body=exact).id)
    found = get_job_probabilities.sync(done.id, client=client).to_dict()
    assert all(abs(found[outcome] - 0.5) < 1e-9 for outcome in ("0", "3"))
    broken = {"qubits": 1, "data": "OPENQASM 3.0; qubit q; frobnicate q;"}
    refused(BadRequestError, lambda: create_job.sync(client=client, body=payload(type="ionq.qasm3.v1", input=broken)))
    refused(BadRequestError, lambda: create_job.sync(client=client, body=payload(backend="qpu.none")))


def several(client: Any) -> None:
    circuits = [{"gateset": "qis", "qubits": 1, "circuit": [{"gate": gate, "target": 0}]} for gate in ("x", "z")]
    body = {"type": "ionq.multi-circuit.v1", "backend": "simulator", "input": {"gateset": "qis", "circuits": circuits}}
    made = create_job.sync(client=client, body=JSONMultiCircuitJob.from_dict(body))
    done = wait_for_job(client, made.id)
    found = [get_job_probabilities.sync(child, client=client).to_dict() for child in done.child_job_ids]
    assert found == [{"1": 1.0}, {"0": 1.0}], found
    assert get_job.sync(done.child_job_ids[0], client=client).parent_job_id == made.id


def lists(client: Any) -> None:
    ids = [create_job.sync(client=client, body=payload()).id for _ in range(5)]
    listed = [job.id for job in iter_jobs(client, limit=2)]
    assert listed[:5] == ids[::-1]
    assert len(listed) == len(set(listed))
    assert {job.id for job in get_jobs.sync(client=client, ids=ids[:2]).jobs} == set(ids[:2])
    deleted = delete_jobs.sync(client=client, body=JobsBulkOperationRequest(ids=ids))
    assert (set(deleted.ids), deleted.status) == (set(ids), "deleted")
    refused(NotFoundError, lambda: get_job.sync(ids[0], client=client))


def endings(client: Any) -> None:
    made = [create_job.sync(client=client, body=payload(HEAVY, qubits=20)).id for _ in range(3)]
    assert cancel_job.sync(made[0], client=client).status == "canceled"
    canceled = cancel_jobs.sync(client=client, body=JobsBulkOperationRequest(ids=made))
    assert (canceled.ids, canceled.status) == (made, "canceled")
    assert get_job.sync(made[2], client=client).status == "canceled"
    assert delete_job.sync(made[0], client=client).status == "deleted"


def copies(client: Any) -> None:
    made = create_job.sync(client=client, body=payload(name="bell", dry_run=True))
    copy = clone_job.sync(made.id, client=client, body=CloneJobPayload(name="again", shots=50, dry_run=False))
    done = wait_for_job(client, copy.id)
    assert (done.name, done.shots, done.dry_run) == ("again", 50, False)
    assert get_job_probabilities.sync(copy.id, client=client).to_dict() == {"0": 0.5, "3": 0.5}
    refused(BadRequestError, lambda: move_job.sync(copy.id, client=client, body=CloneJobPayload()))
    compiled = wait_for_job(client, made.id).output.compilation.compiled_circuits["ionq.native.v1"]
    answer = get_job_artifact.sync_detailed(made.id, compiled.id, client=client)
    assert IonqNativeV1.from_dict(json.loads(answer.content)).qubits == 2
    assert get_format_schema.sync(compiled.format_, client=client).id == "ionq.native.v1"


def surroundings(client: Any) -> None:
    assert get_backends.sync(client=client)[0].backend == "simulator"
    assert get_backend.sync("qpu.forte-1", client=client).qubits == 36
    (known,) = get_characterizations_for_backend.sync("qpu.forte-1", client=client).characterizations
    assert get_characterization.sync("qpu.forte-1", known.id, client=client) == known
    assert known.fidelity.spam.median == 1
    estimate = estimate_job_cost.sync(client=client, backend="qpu.aria-1", qubits=2, shots=10, field_2q_gates=3)
    assert (estimate.estimated_total_cost, estimate.estimate_context.field_2q_gates) == (0, 3)
    assert get_whoami.sync(client=client).key_name == "local"


def sessions(client: Any) -> None:
    with SessionManager(client, "simulator", max_jobs=1, max_time=5, max_cost=3) as session:
        assert session.status() == "created"
        body = payload(session_id=session.session_id)
        made = create_job.sync(client=client, body=body)
        assert (made.session_id, session.status()) == (session.session_id, "started")
        assert [job.id for job in iter_session_jobs(client, session.session_id)] == [made.id]
        refused(BadRequestError, lambda: create_job.sync(client=client, body=body))
    assert session.status() == "ended"
    (found,) = (each for each in get_sessions.sync(client=client).sessions if each.id == session.session_id)
    assert (found.active, found.settings.job_count_limit) == (False, 1)


if __name__ == "__main__":
    ionq = IonQClient(api_key="any", base_url=f"{sys.argv[1]}/v0.4", raise_on_unexpected_status=True)
    for part in (jobs, several, lists, endings, copies, surroundings, sessions):
        part(ionq)
        print(part.__name__)
