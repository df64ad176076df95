"""ionq-core, unmodified, against a started service. It needs Python 3.13, and so an environment of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testing.service import Service

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("ionq"), pytest.mark.timeout(300)]

CALLS = Path(__file__).with_name("ionq_core_calls.py")
RELEASE = "ionq-core==0.2.0"
OTHER_PLACES = "~/.pyenv/versions/3.13*/bin/python3.13"


def python_3_13() -> str | None:
    """A Python 3.13 that runs; the one on the path may be a shim that does not."""
    if sys.version_info[:2] == (3, 13):
        return sys.executable
    pattern = Path(OTHER_PLACES).expanduser()
    found = [shutil.which("python3.13"), *sorted(map(str, Path(pattern.anchor).glob(str(pattern.relative_to("/")))))]
    for python in filter(None, found):
        if subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0:
            return python
    return None


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An environment with ionq-core."""
    newest = python_3_13()
    if newest is None:
        pytest.skip("Python 3.13 is not installed, which ionq-core needs")
    folder = tmp_path_factory.mktemp("ionq-core")
    subprocess.run([newest, "-m", "venv", folder], check=True, env=_environment())
    made = str(folder / "bin" / "python")
    install = [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", RELEASE]
    installed = subprocess.run(install, capture_output=True, text=True, check=False, env=_environment())
    if installed.returncode != 0:
        pytest.skip(f"{RELEASE} cannot be installed: {installed.stderr.strip().splitlines()[-1]}")
    return made


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def test_all_its_calls(ionq: Service, python: str) -> None:
    made = subprocess.run(
        [python, str(CALLS), ionq.address], capture_output=True, text=True, check=False, env=_environment(), timeout=200
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.split() == ["jobs", "several", "lists", "endings", "copies", "surroundings", "sessions"]
