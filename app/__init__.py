"""The front door: HTTP, the command, the pages. Imports neither torch nor qiskit nor the engine room."""
