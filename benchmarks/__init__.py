"""One file for each claim about speed: `python -m benchmarks` runs all, `python -m benchmarks.accept` runs one."""
