"""A teacher behind an HTTP endpoint. What it is sent, and what it answers, is described where a job names it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch
from torch import Tensor

from qstill.contract.distillations.teachers.remote import EndpointTeacher
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.tasks.judge import SUM_TOLERANCE
from workers.distillation.teachers.base import SMALLEST_PROBABILITY, Teacher, arranged, refuse_probabilities
from workers.distillation.teachers.remote.caller import Caller, failed, secret_in
from workers.run import Run

BYTES_A_VALUE = 64  # of an answer, at most: JSON prints a double in 25 characters
BYTES_AROUND = 1 << 20  # of an answer, besides its values
OF_CLASSES, OF_NUMBERS = frozenset({"logits", "log_probabilities"}), frozenset({"values"})


def from_endpoint(spec: EndpointTeacher, headers: Path | None, data: Data, run: Run) -> Teacher:
    """Raises Problem: url_refused, secret_invalid; endpoint_failed, teacher_invalid, class_mismatch when asked."""
    secret = secret_in(headers)
    endpoint = Endpoint(spec, Caller(spec, spec.url, secret, run), spec.classes or data.classes)
    if data.task.answers == "values":
        endpoint.kinds = OF_NUMBERS
    told = [spec.url, spec.version, spec.inputs]
    teacher = Teacher(
        lambda rows: endpoint.ask(rows.raw if spec.inputs == "raw" else rows.x),
        hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        round_trips=endpoint.caller.milliseconds,
        scope=hashlib.sha256(secret).hexdigest(),
        notes=("The teacher's answers came from an endpoint; that they stay the same is its owner's word.",),
    )
    return arranged(teacher, spec.classes, data.classes)


class Endpoint:
    """kinds: that an answer may be."""

    def __init__(self, spec: EndpointTeacher, caller: Caller, classes: list[str]) -> None:
        self._spec, self.caller, self._classes = spec, caller, classes
        self.kinds = OF_CLASSES

    def ask(self, inputs: Tensor) -> Tensor:
        """Logits (rows, classes) of inputs (rows, …)."""
        with self.caller.client() as client:
            answers: list[Tensor] = []
            for part in torch.split(inputs, self._spec.rows_per_request):
                answers.append(self._batch(client, part))
                if self.kinds is OF_CLASSES:
                    refuse_probabilities(torch.cat(answers[-2:]), "/url")  # a request of one row alone shows nothing
            return torch.cat(answers)

    def _batch(self, client: httpx.Client, inputs: Tensor) -> Tensor:
        limit = len(inputs) * len(self._classes) * BYTES_A_VALUE + BYTES_AROUND
        return self._read(self.caller.post(client, {"inputs": inputs.tolist()}, limit=limit), len(inputs))

    def _read(self, content: bytes, rows: int) -> Tensor:
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            raise failed("The endpoint's answer is no JSON.") from None
        kinds = self.kinds & answer.keys() if isinstance(answer, dict) else set()
        if len(kinds) != 1:
            raise failed(f"The endpoint's answer is no object with one of {', '.join(sorted(self.kinds))}.")
        if "classes" in answer and answer["classes"] != self._classes:
            raise self._other_classes(answer["classes"])
        (kind,) = kinds
        return self._values(answer[kind], rows, kind)

    def _other_classes(self, theirs: Any) -> Problem:
        """The same classes in another order have a way out: to name that order."""
        names = theirs if isinstance(theirs, list) and all(isinstance(name, str) for name in theirs) else []
        reordered = sorted(names) == sorted(self._classes)
        what = "the classes in another order" if reordered else "other classes"
        title = f"The endpoint answers in {what}: {str(theirs)[:200]}, where {self._classes[:10]} are expected."
        return Problem("class_mismatch", title, pointer="/classes", ways_out=[{"classes": names}] if reordered else ())

    def _values(self, given: Any, rows: int, kind: str) -> Tensor:
        try:
            values = np.asarray(given)
        except ValueError:
            raise failed("The endpoint's rows are not all of one length.") from None
        if values.dtype.kind not in "fiu" or values.shape != (rows, len(self._classes)):
            title = f"The endpoint answered {values.shape} values; ({rows}, {len(self._classes)}) numbers are needed."
            raise Problem("class_mismatch", title, pointer="/url")
        if kind == "values":
            return torch.from_numpy(values.astype(np.float64))
        logits = torch.from_numpy(values.astype(np.float32))
        if kind == "logits":
            return logits
        logits = logits.nan_to_num(nan=torch.nan, neginf=float(np.log(SMALLEST_PROBABILITY)))
        if bool((logits.exp().sum(1) - 1).abs().gt(SUM_TOLERANCE).any()):
            raise failed('The endpoint\'s "log_probabilities" are not: their exponentials do not sum to 1.')
        return logits
