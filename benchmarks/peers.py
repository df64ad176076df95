"""Environments of their own for counterparts that cannot stand beside what the service uses."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def environment(name: str, packages: Sequence[str], *, beside: bool = False) -> Path | None:
    """The Python that packages are installed for, below ~/.cache/qstill; minutes the first time. None: it fails.

    beside: all that the service has is there, too, so that both sides run the same of what they share.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "qstill" / name
    python, ready = folder / "bin" / "python", folder / "installed"
    if ready.exists() and ready.read_text() == repr(tuple(packages)):
        return python
    # Free of this machine's choices for pip: a folder of wheels or a constraint may hold the CPU build.
    free = {name: value for name, value in os.environ.items() if name not in ("PIP_FIND_LINKS", "PIP_CONSTRAINT")}
    free["PIP_CONFIG_FILE"] = os.devnull
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir", "--only-binary", ":all:", *packages]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        if beside:
            (own,) = folder.glob("lib/python*/site-packages")
            (own / "service.pth").write_text(sysconfig.get_path("purelib"))
        subprocess.run(install, check=True, env=free)
    except subprocess.CalledProcessError as fault:
        print(f"left out, as {name} cannot be installed here: {fault}", file=sys.stderr)
        return None
    ready.write_text(repr(tuple(packages)))
    return python


def asked(python: Path, script: Path, *arguments: str) -> dict[str, Any]:
    """The JSON of the last line that a script prints, run on one thread."""
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    one_thread["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    command = [str(python), "-P", str(script), *arguments]  # -P: a script may have its package's name
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | one_thread).stdout
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return found
