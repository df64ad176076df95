"""Alembic's entry: runs on the engine that `migrate` hands over."""

from alembic import context
from sqlalchemy import Engine

from ledger.tables import metadata

engine: Engine = context.config.attributes["engine"]
options = {"begin": "BEGIN IMMEDIATE"}  # SQLite: two processes that migrate at once take turns

with engine.connect().execution_options(**options) as connection:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    with connection.begin(), context.begin_transaction():
        context.run_migrations()
