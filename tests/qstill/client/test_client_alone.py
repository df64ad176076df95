"""The client with httpx, pydantic and rich, and nothing else of all that is installed here."""

import subprocess
import sys

PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())

import httpx
from pydantic import TypeAdapter
from qstill.client import Client, MissingLibrary
from qstill.client.students import onnx_student
from qstill.contract.distillations.architectures import Architecture

job = {{
    "id": "job_1", "kind": "circuit", "status": "succeeded", "name": None, "labels": {{}}, "priority": 0, "attempts": 1,
    "created_at": "2026-03-14T09:26:53Z", "started_at": None, "finished_at": None, "progress": None, "error": None,
    "headline": None, "last_event": 3,
    "result": {{}}, "links": {{}},
}}
circuit = {{"shots": 2, "seed": 1, "clbits": 1, "registers": [], "method": "statevector", "counts": {{"0": 2}}}}
results = {{"bit_order": "little", "circuits": [circuit]}}
answers = {{"/v1/circuits": job, "/v1/circuits/job_1/results": results}}
transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answers[request.url.path]))
result = Client("http://there", transport=transport).run("bell")
print(result.counts)
source = "OPENQASM 3.0; input float w; input float v; qubit q; rx(w) q; ry(v) q;"
print(TypeAdapter(Architecture).validate_python({{
    "kind": "circuit", "circuit": {{"format": "openqasm3", "source": source}}, "inputs": ["w"], "observables": ["z"],
}}, strict=False).kind)
for ask in (result.to_numpy, result.to_pandas, lambda: onnx_student(b"", {{"architecture": {{"kind": "mlp"}}}}, None)):
    try:
        ask()
    except MissingLibrary as missing:
        print(missing)
"""
ABSENT = {"numpy", "pandas", "torch", "onnxruntime", "safetensors", "qiskit", "cirq", "pennylane", "sklearn", "IPython"}
ABSENT |= {"openqasm3", "click", "fastapi", "sqlalchemy", "httpx_sse", "celery", "app", "ledger", "workers"}


def test_the_base_installation_is_enough() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(absent=ABSENT)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    counts, network, *others = ran.stdout.splitlines()
    assert (counts, network) == ("{'0': 2}", "circuit")
    assert [line.rpartition(" ")[2] for line in others] == ["numpy", "pandas", "numpy"]
    assert all("which is not installed: pip install" in line for line in others)
