"""`qstill demo`: the service, a distillation on real data, a circuit, a circuit made shorter, and what came out."""

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from app.cli.client import Client, Job
from app.cli.show import show
from app.cli.watch import watch
from ledger.guard import PARENT

READY_SECONDS = 120
STOP_SECONDS = 40

DISTILLATION: dict[str, Any] = {
    "name": "digits: 50 labels and an unlabelled pool",
    "dataset": {"source": "builtin", "name": "digits", "labelled": 50},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [256, 256]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
    "objective": {"kind": "kd", "temperature": 2.0, "alpha": 0.9},
    "training": {"epochs": 40, "batch_size": 64, "optimizer": "adam", "learning_rate": 0.01, "seed": 0},
    "evaluation": {"baseline": True, "seeds": 3},
}

GHZ: dict[str, Any] = {
    "name": "GHZ state of 5 qubits",
    "circuit": {
        "format": "json",
        "qubits": 5,
        "operations": [
            {"gate": "h", "target": 0},
            *({"gate": "x", "target": qubit + 1, "control": qubit} for qubit in range(4)),
        ],
    },
    "shots": 1000,
    "seed": 11,
}

ISING = (  # a chain of six spins in a transverse field to t = 1.5, in 20 Trotter steps: 200 CX
    'OPENQASM 3.0; include "stdgates.inc"; qubit[6] q; for int step in [1:20] { '
    "for int i in [0:4] { cx q[i], q[i + 1]; rz(-0.15) q[i + 1]; cx q[i], q[i + 1]; } "
    "for int i in [0:5] { rx(-0.15) q[i]; } }"
)
SHORTENING: dict[str, Any] = {
    "name": "200 CX made into a dozen that survive noise",
    "dataset": {"source": "circuit", "circuit": {"format": "openqasm3", "source": ISING}, "keep": "state"},
    "student": {
        "architecture": {"kind": "quantum", "layers": {"from": 4, "to": 6}, "entanglement": "brickwork"},
    },
    "training": {"steps": 400, "restarts": 4, "seed": 1},
    "evaluation": {
        "noise": {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01},
        "device": {"coupling_map": {"shape": "line", "qubits": 6}},
    },
}
CERTIFICATE = "certificate.json"


def demo(data_dir: Path) -> int:
    """Returns the exit status."""
    console = Console()
    with _service(data_dir) as address, Client(address) as client:
        console.print(f"[bold]Qstill[/bold] is at {address}")
        made = [_run(client, body, data_dir / "demo", console) for body in (DISTILLATION, GHZ, SHORTENING)]
        made += [_certified(client, job, console) for job, _ in made if "certificate" in (job["result"] or {})]
    console.rule("what it left behind")
    for path in (path for _, paths in made for path in paths):
        console.print(str(path))
    console.print(f"\nRun [bold]qstill up --data-dir {data_dir}[/bold] and open http://127.0.0.1:8400 to go on.")
    return 0 if all(job["status"] == "succeeded" for job, _ in made) else 1


def _run(client: Client, body: dict[str, Any], folder: Path, console: Console) -> tuple[Job, list[Path]]:
    console.rule(body["name"])
    job = watch(client, client.submit(body), console)
    show(client, job, console)
    return job, _download(client, job, folder) if job["status"] == "succeeded" else []


def _certified(client: Client, shortened: Job, console: Console) -> tuple[Job, list[Path]]:
    """What was said of the short circuit, run again by an ordinary circuit job."""
    console.rule("its certificate, as an ordinary circuit job")
    job = watch(client, client.get(f"/v1/jobs/{shortened['result']['certificate']}"), console)
    if job["status"] == "succeeded":
        console.print(f"fidelity under the noise: {job['result']['expectations'][0]['value']:.6f}")
    return job, []


def _download(client: Client, job: Job, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    links = job["links"]
    if job["kind"] == "circuit":
        return [
            client.download(links["histogram"], folder / "histogram.json"),
            client.download(links["histogram_svg"], folder / "histogram.svg"),
            client.download(links["diagram"], folder / "diagram.svg"),
        ]
    if "certificate" in job["result"]:
        report = client.download(links["report"], folder / "shorter.json")
        exports = links["report"].removesuffix("report") + "exports"
        return [
            report,
            *(client.download(f"{exports}/{name}", folder / name) for name in ("student.qasm", CERTIFICATE)),
        ]
    checkpoints = client.get(links["checkpoints"])["data"]
    student = next(checkpoint for checkpoint in checkpoints if checkpoint["meta"]["role"] == "student")
    return [
        client.download(links["report"], folder / "report.json"),
        client.download(student["links"]["content"], folder / "student.safetensors"),
    ]


@contextlib.contextmanager
def _service(data_dir: Path) -> Iterator[str]:
    """The address of an embedded service on a free port, stopped in good order afterwards."""
    command = [sys.executable, "-m", "app.cli.main", "up", "--data-dir", str(data_dir)]
    command += ["--host", "127.0.0.1", "--port", "0"]  # whatever QSTILL_HOST and QSTILL_PORT say
    environment = os.environ | {PARENT: str(os.getpid())}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, process_group=0)
    giving_up = threading.Timer(READY_SECONDS, process.kill)
    giving_up.start()
    try:
        assert process.stdout is not None
        found = next((match for line in process.stdout if (match := re.search(r"http://[^/\s]+", line))), None)
        giving_up.cancel()
        if found is None:
            raise click.ClickException("the service did not start; its messages are above")
        yield found[0]
    finally:
        giving_up.cancel()
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)
