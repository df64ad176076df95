"""Child processes of a worker: started, spoken to, and killed. Training and circuits run in them, never in the worker.

Messages are JSON lines. To the child: a request `{kind, spec, scratch, files, models, resume, threads, cache,
cache_bytes, memory, hosts}`, and `{"stop": true}`.
From it, each with `say`: ready | progress | event | publish | save, and at the end done | failed | stopped.
"""

import contextlib
import io
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from qstill.contract.kinds import Engine
from workers.memory import occupied

# Matrix products on a GPU are the same bits in every run only with workspaces of a fixed size, read once, when CUDA
# starts; without them torch refuses such products while it is asked for deterministic algorithms, as training is.
_SAME_BITS = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}

START_SECONDS = 180  # importing torch on a busy machine with a cold disk

Message = dict[str, Any]


class ChildDied(Exception):
    """The child ended on its own: killed from outside, or crashed in native code."""


class Child:
    ready = False  # it has imported what it needs, and works at what it was sent
    _scratch: Path | None = None

    def __init__(self, engine: Engine, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workers.child", engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(threads),
            process_group=0,  # Ctrl-C in a terminal is for the worker, which then drains
        )
        self._requests = io.TextIOWrapper(cast(BinaryIO, self._process.stdin), encoding="ascii")
        self._answers = io.TextIOWrapper(cast(BinaryIO, self._process.stdout), encoding="ascii")
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name=f"child-{self.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def scratch(self) -> Path:
        """The empty folder of one attempt after another: to remove one costs milliseconds where its files cost none."""
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="qstill-"))
        return self._scratch

    def tidy(self) -> None:
        """Empty the folder, of what an attempt left there."""
        if self._scratch is None:
            return
        for path in self._scratch.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def wait_until_ready(self) -> None:
        """Raises ChildDied when it does not come up."""
        if self.receive(START_SECONDS) is None:
            self.kill()
            raise ChildDied(f"child {self.pid} did not start within {START_SECONDS} s")

    def send(self, message: Message) -> None:
        """Raises ChildDied."""
        try:
            self._requests.write(json.dumps(message) + "\n")
            self._requests.flush()
        except OSError as error:
            raise ChildDied(f"child {self.pid} does not listen") from error

    def receive(self, timeout: float) -> Message | None:
        """The next message, or None when none comes within `timeout` seconds. Raises ChildDied."""
        try:
            message = self._messages.get(timeout=max(timeout, 0))
        except queue.Empty:
            return None
        if message is None:
            self._messages.put(None)
            raise ChildDied(f"child {self.pid} ended with exit status {self._process.wait()}")
        self.ready = True  # which is the first thing that one says
        return message

    def memory(self) -> int:
        """Bytes of memory that it occupies now, without the files that it has mapped; 0 once it is gone."""
        return occupied(self.pid)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(BrokenPipeError):  # what was not sent is for nobody now
                pipe.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def _read(self) -> None:
        with contextlib.suppress(ValueError):  # half a line of a child that died while it wrote
            for line in self._answers:
                self._messages.put(json.loads(line))
        self._messages.put(None)


class Nursery:
    """The children of a worker. Circuit children are kept warm and lent out again; a training child serves one job,
    after which its memory goes back to the machine.
    """

    def __init__(self, *, threads: int, warm: int, keep: int) -> None:
        """warm: circuit children to start with; keep: at most so many of them wait for their next job."""
        self._threads = threads
        self._keep = keep
        self._idle: list[Child] = [Child(Engine.CIRCUITS, threads) for _ in range(warm)]
        self._lock = threading.Lock()
        for child in self._idle:
            child.wait_until_ready()

    @contextlib.contextmanager
    def lend(self, engine: Engine) -> Iterator[Child]:
        """A child of an engine; a new one may still be starting. One that its borrower killed, or that died, is
        not lent again.
        """
        child = self._take(engine)
        try:
            yield child
        except BaseException:
            child.kill()
            raise
        with self._lock:
            if engine == Engine.CIRCUITS and child.alive and len(self._idle) < self._keep:
                self._idle.append(child)
                return
        child.kill()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.kill()

    def _take(self, engine: Engine) -> Child:
        with self._lock:
            while engine == Engine.CIRCUITS and self._idle:
                child = self._idle.pop()
                if child.alive:
                    return child
                child.kill()
        return Child(engine, self._threads)


def _environment(threads: int) -> dict[str, str]:
    """The worker's, without its secrets, and with the thread counts of every numerical library."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QSTILL_")}
    counts = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "RAYON")}
    return kept | counts | {"QISKIT_PARALLEL": "FALSE", "PYTHONUNBUFFERED": "1", **_SAME_BITS}
