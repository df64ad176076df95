"""What stands where a gate has a number: a number, or Qiskit's expression of free parameters."""

from typing import TypeAlias

from qiskit.circuit import ParameterExpression

Value: TypeAlias = float | ParameterExpression
