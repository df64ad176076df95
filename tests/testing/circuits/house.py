"""A whole job without a worker: its result and what it published."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qstill.contract.circuits.job import CircuitJob
from tests.workers.circuits.test_circuit_run import FakeRun
from workers.circuits.run import simulate_job


class House(FakeRun):
    """Keeps the arrays apart."""

    def __init__(self, scratch: Path) -> None:
        super().__init__(scratch)
        self.arrays: dict[str, NDArray[np.complex128]] = {}
        self.result: dict[str, Any] = {}

    def publish(self, path: Path, *, kind: str, name: str, media_type: str, meta: dict[str, Any] | None = None) -> None:
        if path.suffix == ".npy":
            self.arrays[path.stem] = np.load(path)
        else:
            super().publish(path, kind=kind, name=name, media_type=media_type, meta=meta)


def run_job(circuit: dict[str, Any] | None = None, **job: Any) -> tuple[list[dict[str, Any]], House]:
    """The entries of `results.json`, and the house with everything else."""
    body = {"seed": 7} | ({} if circuit is None else {"circuit": circuit}) | job
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        house.result = simulate_job(CircuitJob.model_validate(body), house)
    entries: list[dict[str, Any]] = json.loads(house.published["results.json"][2])["circuits"]
    return entries, house
