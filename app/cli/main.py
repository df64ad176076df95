"""The `qstill` command."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from app.cli.commands import jobs, questions
from app.cli.commands.submit import submit
from qstill import __version__
from qstill.contract.kinds import Queue

DEFAULT_WORKERS = max(1, (os.cpu_count() or 2) // 2)  # of each kind: circuits and trainings share the cores


SERVICE_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="QSTILL_DATA_DIR",
    default=Path("qstill-data"),
    show_default=True,
    show_envvar=True,
)


class Commands(click.Group):
    """A command of the service, where only the client is installed, says what is missing."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as missing:
            raise click.ClickException(
                f"this needs {missing.name}, which runs a service: pip install 'qstill[server,worker]'"
            ) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="qstill")
def main() -> None:
    """Knowledge distillation and quantum circuits as one REST service."""


@main.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="QSTILL_PORT",
    default=8400,
    show_default=True,
    show_envvar=True,
    help="0 takes a free one.",
)
@click.option(
    "--host",
    envvar="QSTILL_HOST",
    default="127.0.0.1",
    show_default=True,
    show_envvar=True,
    help="Another address needs a key first.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=DEFAULT_WORKERS,
    show_default=True,
    help="Jobs at once, of each kind.",
)
@SERVICE_DIR
def up(port: int, host: str, workers: int, data_dir: Path) -> None:
    """Run the whole service on this machine: API, workers, ledger, broker and store in one folder."""
    from app.cli.up import serve

    sys.exit(serve(data_dir=data_dir, host=host, port=port, workers=workers))


@main.command()
@click.option("--host", default=None, help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="[default: 8400]")
def api(host: str | None, port: int | None) -> None:
    """Run the API alone, with the database and broker that QSTILL_* name."""
    from app.cli.api import serve
    from ledger.settings import Settings

    settings = Settings()
    serve(settings.model_copy(update={k: v for k, v in (("host", host), ("port", port)) if v is not None}))


@main.command()
@click.argument("queue", type=click.Choice([queue.value for queue in Queue]))
@click.option("--concurrency", type=click.IntRange(1, 64), default=1, show_default=True, help="Jobs at once.")
def worker(queue: str, concurrency: int) -> None:
    """Run a worker of one queue."""
    arguments = [sys.executable, "-m", "workers", queue, "--concurrency", str(concurrency)]
    os.execv(sys.executable, arguments)  # noqa: S606  # the front door does not import the engine room


@main.command()
def migrate() -> None:
    """Bring the database to the schema of this version, and make sure that QSTILL_BOOTSTRAP_KEY exists."""
    from app.keys.keyring import create_key
    from ledger.database import Database
    from ledger.migrations import migrate as bring_up_to_date
    from ledger.settings import Settings

    settings = Settings()
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    bring_up_to_date(database)
    if settings.bootstrap_key is not None:
        token = settings.bootstrap_key.get_secret_value()
        key_id, _ = database.write(lambda connection: create_key(connection, "bootstrap", token))
        click.echo(f"key {key_id} is there")
    database.close()
    click.echo("the database is up to date")


@main.group()
def keys() -> None:
    """Who may use the service. Without a key it is open, on this machine only."""


DATA_DIR = click.option("--data-dir", type=click.Path(path_type=Path), default=None, help="Of an embedded service.")


@keys.command("create")
@click.argument("name")
@DATA_DIR
def create(name: str, data_dir: Path | None) -> None:
    """Make a key and print it. It is not kept and cannot be shown again."""
    from app.cli.keys import create as create_one

    create_one(name, data_dir)


@keys.command("list")
@DATA_DIR
def list_all(data_dir: Path | None) -> None:
    """List the keys: id, name, when made, when revoked."""
    from app.cli.keys import list_all as list_them

    list_them(data_dir)


@keys.command("revoke")
@click.argument("key_id")
@DATA_DIR
def revoke(key_id: str, data_dir: Path | None) -> None:
    """Close the service to a key, within two seconds."""
    from app.cli.keys import revoke as revoke_one

    sys.exit(revoke_one(key_id, data_dir))


@main.command()
@SERVICE_DIR
def demo(data_dir: Path) -> None:
    """Start the service, distill on real data, run a circuit, show what came out, stop."""
    from app.cli.demo import demo as run_demo

    sys.exit(run_demo(data_dir))


@main.command()
@click.option("--data-dir", type=click.Path(path_type=Path), default=None)
def doctor(data_dir: Path | None) -> None:
    """Look for what would keep the service from running here, and say what to do about it."""
    from app.cli.doctor import examine
    from ledger.settings import Settings

    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    sys.exit(examine(settings))


for command in (submit, *jobs.ALL, *questions.ALL):
    main.add_command(command)


if __name__ == "__main__":
    main()
