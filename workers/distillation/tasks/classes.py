"""Classification: of rows of numbers, of images, of texts."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from qstill.contract.distillations.report.tasks import NO_SECTIONS, ClassChange, TaskSections
from workers.distillation.quality import Quality, mean
from workers.distillation.tasks.of_classes import OfClasses
from workers.distillation.tasks.task import Arms


@dataclass(frozen=True)
class Classes(OfClasses):
    """A class for each row."""

    class_names: list[str] = field()  # not the default of `Task`

    @property
    def names(self) -> list[str]:
        return self.class_names

    def exported(self, network: nn.Module) -> nn.Module:
        return network

    def outputs(self) -> dict[str, Any]:
        return {"outputs": "logits, one column a class", "classes": self.names}

    def sections(self, arms: Arms[Quality], labels: Tensor) -> TaskSections:
        """Accuracy of each class, mean over seeds, and what the teacher changed, in points."""
        changes = [_changed(code, name, arms) for code, name in enumerate(self.names)]
        return NO_SECTIONS.model_copy(update={"classes": self.names, "per_class": changes})


def _changed(code: int, name: str, arms: Arms[Quality]) -> ClassChange:
    found = {
        role: mean([value for one in arm if (value := one.per_class[code]) is not None])
        for role, arm in arms.by_role().items()
    }
    student, baseline = found["student"], found["baseline"]
    change = None if student is None or baseline is None else 100 * (student - baseline)
    return ClassChange(name=name, **found, change_in_points=change)
