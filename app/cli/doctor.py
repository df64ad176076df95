"""`qstill doctor`: what would keep the service from running here, and what to do about it."""

import importlib.util
import os
import shutil
import socket
from pathlib import Path

import click
import redis

from app.http.health import database_trouble
from app.keys.keyring import Keyring
from ledger.database import Database
from ledger.settings import GIBIBYTE, LOOPBACK, Settings, machine_memory

ENGINES = ("torch", "qiskit", "qiskit_aer", "sklearn", "safetensors")
MIN_FREE = 1 * GIBIBYTE  # of disk
MIN_MEMORY = 2 * GIBIBYTE  # a training child and a circuit child with their libraries


class Ailment(Exception):
    """What is wrong, and what to do about it."""


def examine(settings: Settings) -> int:
    """Print a line for each check; returns the exit status: 0 when all is well."""
    ill = 0
    for check in (_engines, _memory, _disk, _port, _broker, _database):
        name = check.__name__.strip("_")
        try:
            click.echo(f"{click.style('ok', fg='green'):>4}  {name:9} {check(settings)}")
        except Ailment as ailment:
            ill += 1
            click.echo(f"{click.style('no', fg='red'):>4}  {name:9} {ailment}")
    return 1 if ill else 0


def _engines(settings: Settings) -> str:
    missing = [name for name in ENGINES if importlib.util.find_spec(name) is None]
    if missing:
        raise Ailment(f"{', '.join(missing)} missing: pip install 'qstill[worker]' (an API alone does without)")
    return ", ".join(ENGINES)


def _memory(settings: Settings) -> str:
    memory, cores = machine_memory(), os.cpu_count()
    if memory < MIN_MEMORY:
        raise Ailment(f"{memory / GIBIBYTE:.1f} GiB; a training takes about 1")
    return f"{memory / GIBIBYTE:.1f} GiB, {cores} cores"


def _disk(settings: Settings) -> str:
    place = settings.store
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        raise Ailment(f"{place} cannot be written to: choose another --data-dir")
    free = shutil.disk_usage(place).free
    if free < MIN_FREE:
        raise Ailment(f"{free / GIBIBYTE:.1f} GiB free at {place}")
    return f"{free / GIBIBYTE:.1f} GiB free at {place}"


def _port(settings: Settings) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Ailment(
                f"{settings.host}:{settings.port}: {error.strerror}; set --port, or stop what uses it"
            ) from None
    return f"{settings.host}:{settings.port} is free"


def _broker(settings: Settings) -> str:
    if not settings.broker.startswith("redis"):
        return "files in the data folder"
    try:
        with redis.Redis.from_url(settings.broker, socket_connect_timeout=5) as client:
            client.ping()
    except redis.RedisError as error:
        raise Ailment(f"Redis does not answer ({type(error).__name__}): check QSTILL_BROKER_URL") from None
    return "Redis answers"


def _database(settings: Settings) -> str:
    if settings.database_url is None and not Path(settings.data_dir / "ledger.db").exists():
        return "SQLite, made by the first `qstill up`"
    database = Database(settings.database)
    try:
        trouble = database_trouble(database)
        if trouble is not None:
            raise Ailment(trouble)
        if settings.host not in LOOPBACK and Keyring(database).open_to_everybody():
            raise Ailment(f"has no keys, so {settings.host} is refused: qstill keys create NAME")
    finally:
        database.close()
    return "SQLite" if database.sqlite else "PostgreSQL"
