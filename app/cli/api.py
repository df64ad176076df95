"""`qstill api`: one API process."""

import gc
import logging
import sys

import click
import uvicorn

from app.http.health import database_trouble
from app.keys.keyring import Keyring
from app.main import create_app
from ledger.database import Database
from ledger.guard import end_with_parent
from ledger.settings import LOOPBACK, Settings

SWITCH_SECONDS = 0.001  # the event loop waits this long for the ledger's thread, not Python's 5 ms
GRACE_SECONDS = 5  # an event stream does not end by itself


def serve(settings: Settings) -> None:
    """Listen until told to stop. Raises ClickException when the database is not ready, or the door would stand open."""
    database = Database(settings.database)
    trouble = database_trouble(database)
    if trouble is not None:
        raise click.ClickException(f"the database {trouble}")
    refuse_open_door(settings.host, Keyring(database))
    database.close()
    end_with_parent()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.setswitchinterval(SWITCH_SECONDS)
    application = create_app(settings)
    gc.freeze()  # what was imported stays: a full collection need not look at it, which takes tens of milliseconds
    uvicorn.run(
        application,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def refuse_open_door(host: str, keyring: Keyring) -> None:
    """A service without keys must not listen where others reach it."""
    if host not in LOOPBACK and keyring.open_to_everybody():
        raise click.ClickException(
            f"without keys the service listens on this machine only, not on {host}; "
            "make one first: qstill keys create NAME"
        )
