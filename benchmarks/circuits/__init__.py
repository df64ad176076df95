"""Benchmarks of circuits: each a claim, plain Aer or qiskit beside it."""
