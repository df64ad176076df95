"""What a client of the IonQ door asks."""

from typing import Any

import httpx

Json = dict[str, Any]

BELL = {
    "type": "ionq.circuit.v1",
    "backend": "simulator",
    "shots": "1000",
    "name": "bell",
    "metadata": {"shots": "1000", "qiskit_header": "H4sI…"},
    "settings": {"compilation": {"opt": 1}},
    "input": {
        "gateset": "qis",
        "qubits": 2,
        "circuit": [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}],
    },
}
COUNTS = {"00": 507, "11": 493}
HEADERS = {"Authorization": "apiKey anything", "User-Agent": "qiskit-ionq/1.1.1 (qiskit/2.6.2)"}


def submit(client: httpx.Client, body: Json = BELL) -> str:
    answer = client.post("jobs", json=body)
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"id", "status", "session_id"}
    assert answer.json()["status"] in ("submitted", "ready")
    return str(answer.json()["id"])


def get(client: httpx.Client, job_id: str) -> Json:
    answer = client.get(f"jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found
