"""What `cirq.to_json` writes for a circuit, read by tables: Cirq itself is never imported, and nothing is executed."""

from workers.circuits.parse.cirq.reader import parse_cirq

__all__ = ["parse_cirq"]
