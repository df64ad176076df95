"""`qstill api` in a process that also holds torch and qiskit, as that of a service that computes where it answers."""

import qiskit_aer  # noqa: F401
import torch  # noqa: F401

from app.cli.main import main

if __name__ == "__main__":
    main()
