"""Delays and boxes: read and checked, and without effect, since a simulation has no clock."""

from collections.abc import Callable
from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical.memory import Memory
from qstill.contract.circuits.openqasm3.classical.types import DURATION, Fault
from qstill.contract.circuits.openqasm3.flow import Flow
from qstill.contract.circuits.openqasm3.limits import Limits


class Timing(Flow):
    def __init__(self, memory: Memory, limits: Limits) -> None:
        super().__init__(memory, limits)
        timed: dict[type[Any], Callable[[Any], None]] = {ast.DelayInstruction: self._delay, ast.Box: self._box}
        self.does |= timed

    def _delay(self, node: ast.DelayInstruction) -> None:
        self._time(node.duration, "a delay")
        for operand in node.qubits:
            self.qubits(operand)
        self.without_effect("delay")

    def _box(self, node: ast.Box) -> None:
        if node.duration is not None:
            self._time(node.duration, "a box")
        self.nested(node.body)

    def _time(self, node: ast.Expression, of: str) -> None:
        found = self.value(node).type
        if found != DURATION:
            raise Fault(f"the time of {of} is a duration, not {found}")
