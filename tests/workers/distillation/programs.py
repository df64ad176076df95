"""Runs the programs of cards as a stranger would: beside a downloaded file, with numpy, safetensors and torch alone."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNNER = """
import contextlib, importlib.abc, json, os, sys

needed = {"numpy", "safetensors", "torch", "torchgen", "functorch", "_distutils_hack", "setuptools"}
needed |= {"typing_extensions", "filelock", "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "fsspec"}  # torch's


class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] not in needed | set(sys.stdlib_module_names):
            raise ModuleNotFoundError(f"No module named {name!r}: only numpy, safetensors and torch are here")


sys.meta_path.insert(0, Nothing())
import torch

torch.set_num_threads(1)
for folder in sys.argv[1:]:
    os.chdir(folder)
    with contextlib.redirect_stdout(open("printed", "w")):
        made = {"__name__": "__main__"}
        exec(compile(open("program.py").read(), f"{folder}/program.py", "exec"), made)
    answers = [made["predict"](asked) for asked in json.load(open("asked.json"))]
    json.dump([each.tolist() if hasattr(each, "tolist") else each for each in answers], open("answers.json", "w"))
"""


@dataclass(frozen=True)
class Case:
    """program: of a card. file: (name, content) of the download. asked: what `predict` is called with, one by one."""

    program: str
    file: tuple[str, bytes]
    asked: Sequence[Any]


def answers_of(cases: Sequence[Case], folder: Path) -> list[list[Any]]:
    """What the programs answer, all of them run in one process that can import nothing else."""
    places = []
    for number, case in enumerate(cases):
        place = folder / str(number)
        place.mkdir(parents=True)
        (place / "program.py").write_text(case.program)
        (place / case.file[0]).write_bytes(case.file[1])
        (place / "asked.json").write_text(json.dumps(case.asked))
        places.append(place)
    command = [sys.executable, "-I", "-c", RUNNER, *map(str, places)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert all((place / "printed").read_text() for place in places), "its own example says something"
    return [json.loads((place / "answers.json").read_text()) for place in places]


def program_in(card: str) -> str:
    """The first program of a card."""
    found = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert found is not None
    return found[1]
