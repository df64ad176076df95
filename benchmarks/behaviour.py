"""What the service answers, as one record: moving and renaming modules must not change it.

`python -m benchmarks.behaviour` compares with behaviour.json beside this file, `… --record` writes it anew (minutes).
In the record: a digest of each path and schema of the OpenAPI document, the students of examples/ that are trained in
less than a minute (the same seed trains the same bits on one machine, and on another may not), and the counts of 200
seeded circuits over all formats and methods. What has come since is listed; what has gone or changed fails, unless
INTENDED says why.
"""

import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Any

import cirq

from benchmarks.client import Client, finished
from benchmarks.servers import ROOT, qstill_up

RECORD = Path(__file__).with_suffix(".json")
CIRCUITS = 200
SHOTS = 400
EVERY = 0.2  # seconds between two looks at a job
PATIENCE = 600  # seconds for a job on a busy machine
LONG = {  # over a minute on one idle core, or of a folder or table that has to be uploaded first
    "compress-digits.json",
    "distil-digits-budget.json",
    "distil-digits-matching.json",
    "distil-digits-noise.json",
    "distil-encoder-half.json",
    "distil-encoder-words.json",
    "distil-served.json",
    "distil-table-budget.json",
    "distil-table.json",
    "distil-topics-from-encoder.json",
    "distil-topics-language-model.json",
    "distil-topics-masked.json",
}

SEED = "seeds end at 2^63 - 1 everywhere, as those of circuits did"
PROCESSES = f"{SEED}; several processes for one training are gone (ADR 14)"
TEACHERS = "teachers may have other classes than the data, and weights under other names"
EXAMPLES = "every field of an answer has an example"
NAMED = "a measure may be named by which trials are ranked"
LATER = "networks that are circuits, circuits made shorter, and encoders of texts came after the move"
INTENDED = {
    "/openapi//v1/distillations/{job_id}/report": "a report has a schema",
    "/openapi/Characterization": "its example was the moment at which the process started, another one each time",
    "/openapi/HistogramView": "the description of `name` says whose it is",
    "/openapi//v1/checkpoints/{checkpoint_id}/card": "its description names the card of a model of shots, too",
    "/openapi//v1/files": "counts of a circuit, files of splits and tokenizers are uploaded, too",
    "/openapi/Purpose": "files of splits and tokenizers are uploaded, too",
    "/openapi/TeachersTokenizer": "models in folders and servers bring a tokenizer, too",
    "/openapi/SoftLabels": "a teacher may be known by counts",
    "/openapi/Preflight": "it says how each column of a table is understood",
    **dict.fromkeys((f"/openapi/{kind}" for kind in ("EndpointTeacher", "EnsembleTeacher", "ModelTeacher")), TEACHERS),
    **dict.fromkeys((f"/openapi/{name}" for name in ("StudentTraining", "Training")), PROCESSES),
    **dict.fromkeys((f"/openapi/{name}" for name in ("FrontMember", "TrialView")), NAMED),
    **dict.fromkeys((f"/openapi//v1/sweeps/{{job_id}}/pareto{end}" for end in ("", ".svg")), NAMED),
    **dict.fromkeys(
        (
            f"/openapi/{name}"
            for name in (
                *("CheckpointView", "CircuitJob", "EventView", "FieldProblem", "FileView", "IonqBackend"),
                *("IonqEstimate", "IonqJob", "IonqJobs", "IonqSession", "IonqSessions", "JobView", "ProblemDocument"),
                *("Recommended", "RecommenderJob", "SplitView", "WhoAmI"),
                *(f"Page_{name}View_" for name in ("Checkpoint", "Event", "Export", "File", "Job", "Model")),
                *("Page_FrontMember_", "Page_TemplateView_", "Page_TrialView_"),
            )
        ),
        EXAMPLES,
    ),
    **dict.fromkeys(
        (
            f"/openapi/{name}"
            for name in (
                *("AskPrompts", "BuiltinData", "BuiltinText", "Device", "NoiseChoice", "RankingTraining", "Sweep"),
                *("SyntheticInteractions", "TextFile", "UploadedData", "UploadedInteractions"),
            )
        ),
        SEED,
    ),
    **dict.fromkeys(
        (
            f"/openapi/{name}"
            for name in (
                *("/v1/distillations", "/v1/distillations/preflight", "/v1/distillations/{job_id}/exports"),
                *(
                    "/v1/distillations/{job_id}/plots/{plot}.svg",
                    "DistillationJob",
                    "Evaluation",
                    "ExportView",
                    "Memory",
                ),
                *("/v1/checkpoints/{checkpoint_id}/content", "/v1/models/{model_id}/predict", "AskTexts"),
                *("ModelView", "NewModel", "Student", "Time", "TrainedTeacher", "UploadedTeacher"),
            )
        ),
        LATER,
    ),
}

DECIDES = "decides"  # a qubit is measured, and another turned where it was 1: without it nothing branches
CLIFFORD = ("h", "x", "s", "cx", "cz", "swap")
GATES = (*CLIFFORD, "t", "rx", "ry", "rz")
METHODS = (
    "auto",
    "statevector",
    "density_matrix",
    "matrix_product_state",
    "stabilizer",
    "trajectories",
    "shot_branching",
)
NOISE = {"model": "depolarizing", "one_qubit": 0.01, "two_qubit": 0.05}
CIRQ: dict[str, Any] = {
    "h": cirq.H,
    "x": cirq.X,
    "s": cirq.S,
    "t": cirq.T,
    "cx": cirq.CNOT,
    "cz": cirq.CZ,
    "swap": cirq.SWAP,
    "rx": cirq.rx,
    "ry": cirq.ry,
    "rz": cirq.rz,
}
HEADERS = {
    "openqasm3": 'OPENQASM 3.0; include "stdgates.inc"; qubit[{0}] q; bit[{0}] c; bit[1] m;',
    "openqasm2": 'OPENQASM 2.0; include "qelib1.inc"; qreg q[{0}]; creg c[{0}]; creg m[1];',
}
DECIDED = {
    "openqasm3": "m[0] = measure q[{}]; if (m[0]) x q[{}];",
    "openqasm2": "measure q[{}] -> m[0]; if(m==1) x q[{}];",
}
MEASURED = {"openqasm3": "c = measure q;", "openqasm2": "measure q -> c;"}

Json = dict[str, Any]
Gate = tuple[str, tuple[int, ...], float | None]


def observed() -> Json:
    with qstill_up() as server:
        client = Client(server.port)
        return {"openapi": _document(client), "students": _students(client), "counts": _counts(client)}


def _document(client: Client) -> Json:
    document = client.get("/openapi.json")
    parts = {path: document["paths"][path] for path in document["paths"]} | document["components"]["schemas"]
    return {name: _digest(part) for name, part in sorted(parts.items())}


def _students(client: Client) -> Json:
    found = {}
    for path in sorted((ROOT / "examples").glob("*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))
        if "circuit" in body or path.name in LONG:
            continue
        job = client.post("/v1/distillations", body)
        found[path.name] = client.poll(job["id"], finished, EVERY, PATIENCE)["result"]["student_sha256"]
        print(path.name, file=sys.stderr)
    return found


def _counts(client: Client) -> list[Json]:
    jobs = [client.post("/v1/circuits", job)["id"] for job in circuits()]
    return [_outcome(client, client.poll(job, finished, EVERY)) for job in jobs]


def _outcome(client: Client, job: Json) -> Json:
    results = client.get(f"/v1/circuits/{job['id']}/results?index=0")
    return {"method": results["method"], "counts": _digest(results["counts"])}


def circuits() -> list[Json]:
    """Bodies of circuit jobs, always the same."""
    return [_job(number, random.Random(number)) for number in range(CIRCUITS)]


def _job(number: int, chance: random.Random) -> Json:
    method = METHODS[number % len(METHODS)]
    qubits = chance.randint(2, 5)
    gates = [_gate(chance, qubits, CLIFFORD if method == "stabilizer" else GATES) for _ in range(chance.randint(5, 25))]
    if method == "shot_branching":
        gates.insert(len(gates) // 2, (DECIDES, (0, 1), None))
    job: Json = {
        "circuit": (_as_json, _as_qasm3, _as_qasm2, _as_cirq)[number // len(METHODS) % 4](qubits, gates),
        "shots": SHOTS,
        "seed": number,
        "method": method,
    }
    if method == "trajectories" or (method in ("auto", "density_matrix") and chance.random() < 0.4):
        job["noise"] = NOISE
    return job


def _gate(chance: random.Random, qubits: int, names: tuple[str, ...]) -> Gate:
    name = chance.choice(names)
    targets = chance.sample(range(qubits), 2 if name in ("cx", "cz", "swap") else 1)
    return name, tuple(targets), round(chance.uniform(-3, 3), 6) if name in ("rx", "ry", "rz") else None


def _as_json(qubits: int, gates: list[Gate]) -> Json:
    operations: list[Json] = []
    for name, targets, angle in gates:
        if name == DECIDES:
            operations.append({"gate": "measure", "target": targets[0], "clbit": qubits})
            operations.append({"gate": "x", "target": targets[1], "if": {"clbit": qubits, "value": 1}})
            continue
        operation: Json = {"gate": name.removeprefix("c"), "target": targets[-1]}
        if name == "swap":
            operation = {"gate": name, "targets": [*targets]}
        elif len(targets) == 2:
            operation["control"] = targets[0]
        operations.append(operation if angle is None else operation | {"rotation": angle})
    operations.append({"gate": "measure", "targets": [*range(qubits)]})
    return {"format": "json", "qubits": qubits, "operations": operations}


def _as_qasm3(qubits: int, gates: list[Gate]) -> Json:
    return _as_qasm("openqasm3", qubits, gates)


def _as_qasm2(qubits: int, gates: list[Gate]) -> Json:
    return _as_qasm("openqasm2", qubits, gates)


def _as_qasm(version: str, qubits: int, gates: list[Gate]) -> Json:
    lines = [
        DECIDED[version].format(*targets)
        if name == DECIDES
        else f"{name}{'' if angle is None else f'({angle})'} {', '.join(f'q[{qubit}]' for qubit in targets)};"
        for name, targets, angle in gates
    ]
    source = "\n".join([HEADERS[version].format(qubits), *lines, MEASURED[version]])
    return {"format": version, "source": source}


def _as_cirq(qubits: int, gates: list[Gate]) -> Json:
    line = cirq.LineQubit.range(qubits)
    circuit = cirq.Circuit(cirq.I.on_each(*line))
    for name, targets, angle in gates:
        if name == DECIDES:
            circuit.append(cirq.measure(line[targets[0]], key="m"))
            circuit.append(cirq.X(line[targets[1]]).with_classical_controls("m"))
            continue
        gate = CIRQ[name] if angle is None else CIRQ[name](angle)
        circuit.append(gate.on(*(line[qubit] for qubit in targets)))
    circuit.append(cirq.measure(*line, key="c"))
    return {"format": "cirq", "source": cirq.to_json(circuit)}


def _digest(part: object) -> str:
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:16]


def _differences(before: Any, after: Any, place: str = "") -> dict[str, Any]:
    """What was there before, by its place; None where there was nothing."""
    if isinstance(before, list) and isinstance(after, list):
        before, after = dict(enumerate(before)), dict(enumerate(after))
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return {} if before == after else {place: before}
    return {
        where: was
        for key in sorted({*before, *after}, key=str)
        for where, was in _differences(before.get(key), after.get(key), f"{place}/{key}").items()
    }


def main(arguments: list[str]) -> int:
    if arguments != ["--record"] and not RECORD.exists():
        sys.exit(f"There is no {RECORD.name} to compare with: run this with --record before the change.")
    found = observed()
    if arguments == ["--record"]:
        RECORD.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    differences = _differences(json.loads(RECORD.read_text(encoding="utf-8")), found)
    new = [place for place, before in differences.items() if before is None]
    intended = [place for place in differences if place in INTENDED]
    wrong = [place for place in differences if place not in {*new, *intended}]
    print(f"new: {', '.join(new) or 'nothing'}", *(f"{place}: {INTENDED[place]}" for place in intended), sep="\n")
    print(
        *(f"{place} was {differences[place]}" for place in wrong) if wrong else ["nothing else has changed"], sep="\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
