"""Bringing a database to the schema of this version: `qstill migrate`, and `qstill up` by itself."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from ledger.database import Database


def migrate(database: Database) -> None:
    """Run the migrations that are missing. Safe to run again; raises what the database raises."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = database.engine
    command.upgrade(config, "head")
