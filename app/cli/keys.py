"""`qstill keys`."""

from datetime import UTC, datetime
from pathlib import Path

import click

from app.keys.keyring import create_key, list_keys, revoke_key
from ledger.database import Database
from ledger.migrations import migrate
from ledger.settings import Settings


def _database(data_dir: Path | None) -> Database:
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    migrate(database)
    return database


def create(name: str, data_dir: Path | None) -> None:
    database = _database(data_dir)
    key_id, token = database.write(lambda connection: create_key(connection, name))
    database.close()
    click.echo(f"{key_id}  {name}", err=True)
    click.echo(token)


def list_all(data_dir: Path | None) -> None:
    database = _database(data_dir)
    for row in database.read(list_keys):
        state = "revoked" if row.revoked_at else "valid"
        click.echo(f"{row.id}  {datetime.fromtimestamp(row.created_at, UTC):%Y-%m-%d %H:%M}  {state:7}  {row.name}")
    database.close()


def revoke(key_id: str, data_dir: Path | None) -> int:
    """The exit status."""
    database = _database(data_dir)
    revoked = database.write(lambda connection: revoke_key(connection, key_id))
    database.close()
    click.echo(f"{key_id} is revoked" if revoked else f"there is no valid key {key_id}", err=not revoked)
    return 0 if revoked else 1
