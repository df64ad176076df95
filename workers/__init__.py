"""The engine room of Qstill: claims jobs from the ledger and computes them. Imports no endpoint."""
