"""Claims about distillation, each beside its counterpart, on one thread."""

import os

os.environ |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}  # before numpy counts cores
