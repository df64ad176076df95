"""Delays and boxes: read and checked, and without effect, since a simulation has no clock."""

from collections.abc import Callable
from typing import Any

from openqasm3 import ast

from app.circuits.openqasm.flow import Flow
from app.circuits.openqasm.limits import Limits
from app.circuits.openqasm.memory import Memory
from app.circuits.openqasm.types import DURATION, Fault


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
