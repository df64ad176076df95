"""Every setting of Qstill, read from `QSTILL_*` environment variables. The defaults are a laptop's."""

import contextlib
import os
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from qstill.contract.kinds import Engine, Kind, Queue

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # cgroup v2, v1


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="QSTILL_", frozen=True, env_ignore_empty=True)

    data_dir: Path = Field(Path("qstill-data"), description="The one folder of an embedded service.")
    database_url: SecretStr | None = Field(None, description="postgresql+psycopg://…; SQLite in data_dir if unset.")
    broker_url: SecretStr | None = Field(None, description="redis://…; a file-system broker in data_dir if unset.")
    cache_dir: Path | None = Field(
        None, description="What can be computed again, on a disk of this machine; in data_dir if unset."
    )
    store_dir: Path | None = Field(
        None, description="Artifacts and uploads, shared by API and workers; in data_dir if unset."
    )

    host: str = "127.0.0.1"
    port: int = Field(8400, ge=0, le=65535)
    bootstrap_key: SecretStr | None = Field(None, description="An API key that `qstill migrate` makes sure exists.")

    max_body_bytes: int = Field(8 * MEBIBYTE, description="A JSON body; 100,000 circuit operations take about 6 MiB.")
    max_upload_bytes: int = Field(512 * MEBIBYTE, description="One uploaded file that comes in one request.")
    max_file_bytes: int = Field(16 * GIBIBYTE, description="One uploaded file that comes in parts.")
    max_unfinished_bytes_per_owner: int = Field(
        64 * GIBIBYTE, description="All files of one key that are coming in parts, before 429."
    )
    upload_seconds: float = Field(24 * 3600.0, description="An upload without a new part for this long is given up.")
    max_queued_per_owner: int = Field(100_000, description="Unfinished jobs of one key before 429.")
    max_wait_seconds: float = Field(60.0, description="The longest `Prefer: wait=N`; proxies often cut at 60 s.")
    max_streams: int = Field(1_000, description="Open event streams and waits of one API process.")

    max_qubits: int = Field(4_096, description="Wires of one circuit, idle ones included: bounds parsing, not memory.")
    max_operations: int = Field(200_000, description="Gates of one circuit job, written out: bounds parsing.")
    max_shots: int = Field(10_000_000, description="Shots of one circuit.")
    max_circuits: int = Field(1_000, description="Circuits of one batch.")
    max_bindings: int = Field(10_000, description="Sets of parameters of one sweep.")
    max_nesting: int = Field(64, description="Brackets, blocks and gate definitions one in another.")
    max_loop_iterations: int = Field(100_000, description="Iterations of one OpenQASM loop.")
    circuit_memory_bytes: int | None = Field(
        None, description="Memory of one circuit job; half of this machine's if unset."
    )
    circuit_seconds: float = Field(600.0, description="Wall-clock limit of one circuit job.")
    question_seconds: float = Field(30.0, description="Limit of an answer that a client waits for with its request.")
    questions_per_owner: int = Field(
        2, ge=1, description="Questions of one key that are answered at once; a worker has a place more than that."
    )
    distillation_memory_bytes: int | None = Field(
        None, description="Memory of one distillation; half the machine's if unset."
    )
    distillation_seconds: float = Field(24 * 3600.0, description="Wall-clock limit of one attempt at a distillation.")

    lease_seconds: float = Field(30.0, description="A silent worker loses its job after this long.")
    heartbeat_seconds: float = Field(5.0, description="Six heartbeats a lease: five may be lost.")
    cancel_poll_seconds: float = Field(0.25, description="How soon a worker sees that its job was cancelled or paused.")
    reap_seconds: float = Field(2.0, description="How often each process looks for lost jobs and lost wake-ups.")
    drain_seconds: float = Field(
        25.0, description="From SIGTERM to the end of a worker: under the 30 s of most schedulers."
    )
    max_attempts: int = Field(5, description="Attempts at a job whose worker dies; a drained worker does not count.")
    signal_cache_bytes: int = Field(4 * GIBIBYTE, description="Teachers' answers kept for later jobs; 0 keeps none.")
    outbound_hosts: str = Field(
        "", description="Hosts, `name` or `name:port` and commas, that may be called although they are inside."
    )
    threads: int = Field(1, description="Cores of one computation: two busy threads on one core are ten times slower.")

    @property
    def database(self) -> str:
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir.resolve() / 'ledger.db'}"

    @property
    def broker(self) -> str:
        return self.broker_url.get_secret_value() if self.broker_url is not None else "filesystem://localhost"

    @property
    def broker_dir(self) -> Path:
        return self.data_dir.resolve() / "broker"

    @property
    def store(self) -> Path:
        return (self.store_dir or self.data_dir / "store").resolve()

    @property
    def signals_dir(self) -> Path:
        return (self.cache_dir or self.data_dir / "cache").resolve() / "signals"

    @property
    def named_hosts(self) -> frozenset[str]:
        return frozenset(host.strip().lower() for host in self.outbound_hosts.split(",") if host.strip())

    def memory_limit(self, engine: Engine) -> int:
        """Bytes that what a process of this engine computes may take."""
        limits = {Engine.CIRCUITS: self.circuit_memory_bytes, Engine.DISTILLATION: self.distillation_memory_bytes}
        return limits[engine] or machine_memory() // 2

    def time_limit(self, kind: Kind) -> float:
        """Seconds that one attempt at a job of this kind may take."""
        limits = {
            Queue.CIRCUITS: self.circuit_seconds,
            Queue.DISTILLATION: self.distillation_seconds,
            Queue.QUESTIONS: self.question_seconds,
        }
        return limits[kind.queue]


@lru_cache(1)  # every submission asks
def machine_memory() -> int:
    """Bytes of memory of this machine, or of its container where that is less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for place in CONTAINER_LIMITS:
        with contextlib.suppress(OSError):
            limit = Path(place).read_text(encoding="ascii").strip()
            return physical if limit == "max" else min(physical, int(limit))
    return physical
