"""A distillation whose student is said by a budget: it is a `DistillationJob` once its architecture is chosen."""

from typing import Any

from pydantic import ConfigDict, Field, ValidationError, model_validator

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.architectures.texts import BagOfEmbeddings
from qstill.contract.distillations.architectures.transformers import Decoder, Encoder
from qstill.contract.distillations.budget.budget import BudgetedStudent
from qstill.contract.distillations.compression import Compression, Pruning
from qstill.contract.distillations.datasets import BuiltinText, TextFile
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import OnFeatures, singles
from qstill.contract.distillations.spec import DistillationFields, Student
from qstill.contract.distillations.teachers import SoftLabels, parts
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.distillations.teachers.remote import EndpointTeacher, ServedTeacher
from qstill.contract.schemas import refuse

BUDGET = ("student", "budget")
MAGNITUDE, STRUCTURED = Pruning(kind="magnitude", sparsity=0.8), Pruning(kind="structured", sparsity=0.5)


class BudgetedJob(DistillationFields[BudgetedStudent]):
    """Find the network that learns best from a teacher within a budget, teach it, and measure whether it helped."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset": {"source": "builtin", "name": "digits", "labelled": 50},
                    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [64, 64]}},
                    "student": {"budget": {"times_smaller": 10}},
                    "training": {"epochs": 30, "learning_rate": 0.01},
                }
            ]
        }
    )

    student: BudgetedStudent = Field(description="Who learns.", examples=[{"budget": {"times_smaller": 10}}])

    @model_validator(mode="after")
    def _can_work(self) -> "BudgetedJob":
        if isinstance(self.teacher, CircuitTeacher):
            reason = "a circuit's student follows from its frequencies, or is a circuit: name its `architecture`"
            refuse(BUDGET, "no_budget_here", reason, None)
        for place, objective in singles(self.objective):
            if isinstance(objective, OnFeatures):
                reason = (
                    f"{objective.kind} compares layers, and nobody knows those of a student that is looked for: say kd"
                )
                refuse((*place, "kind"), "layers_unknown", reason, objective.kind)
        if self.student.budget.times_smaller is not None:
            self._refuse_teacher_without_size(self.student.budget.times_smaller)
        self.standing_in()
        return self

    def _refuse_teacher_without_size(self, asked: float) -> None:
        for _, teacher in parts(self.teacher):
            if isinstance(teacher, SoftLabels | EndpointTeacher | ServedTeacher):
                reason = "nobody knows how large this teacher is, only what it answers: say `bytes` or `multiply_adds`"
                refuse((*BUDGET, "times_smaller"), "teacher_without_size", reason, asked)

    def standing_in(self) -> DistillationJob:
        """The job with some architecture that its data allow, for what does not depend on which. Raises ValidationError
        where the job could have none.
        """
        return self.with_architecture(_any_architecture(self.dataset))

    def with_architecture(
        self, architecture: AnyArchitecture, *, compression: Compression | None = None
    ) -> DistillationJob:
        """The job with a student that is said. compression: in place of none. Raises ValidationError."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        fields |= {"student": Student(architecture=architecture), "compression": self.compression or compression}
        return DistillationJob(**fields)

    def comparing(self, architecture: AnyArchitecture) -> tuple[DistillationJob, str | None]:
        """The same, with the comparison that goes without saying; or why there is none."""
        if self.compression is not None or not self.student.compare:
            return self.with_architecture(architecture), None
        why = None
        for pruning in ([MAGNITUDE, STRUCTURED], [MAGNITUDE]):
            asked = Compression(pruning=pruning, quantisation=["int8_dynamic"])
            try:
                return self.with_architecture(architecture, compression=asked), None
            except ValidationError as error:
                why = error.errors(include_url=False, include_context=False, include_input=False)[0]["msg"]
        return self.with_architecture(architecture), why


def _any_architecture(dataset: Any) -> AnyArchitecture:
    if not isinstance(dataset, TextFile | BuiltinText):
        return Mlp(kind="mlp", hidden=[1])
    match dataset.task:
        case "language_modelling":
            return Decoder(kind="decoder")
        case "masked_language_modelling":
            return Encoder(kind="encoder")
        case "classification" | "multi_label":
            return BagOfEmbeddings(kind="bag_of_embeddings")
