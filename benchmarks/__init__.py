"""One file for each claim about speed: `python -m benchmarks` runs all, `python -m benchmarks.accept` runs one.

Both sides have one thread, as the processes that compute have in the service: where BLAS takes more for small matrices,
their waiting counts as CPU time.
"""

import os

os.environ |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}  # before numpy counts cores
