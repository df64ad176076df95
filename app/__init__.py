"""The front door of Qstill, and everything that both sides agree on. Imports neither torch nor qiskit."""

__version__ = "0.1.0"
