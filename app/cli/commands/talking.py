"""What every command that talks to a service has in common: where it is, who asks, and how an answer is written."""

import functools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import click
from rich.console import Console

from app.cli.client import Client

Form = Literal["words", "json", "quiet"]

SERVER = click.option(
    "--server",
    envvar="QSTILL_SERVER",
    default=lambda: f"http://127.0.0.1:{port}" if (port := os.environ.get("QSTILL_PORT")) else None,
    show_default="that of ~/.config/qstill/client.toml, or http://127.0.0.1:8400, or the port in QSTILL_PORT",
    show_envvar=True,
)
KEY = click.option("--key", envvar="QSTILL_KEY", default=None, help="Also from QSTILL_KEY.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Write the service's own answer, as JSON.")
QUIET = click.option("--quiet", "-q", is_flag=True, help="Write ids and names alone, one a line.")


@dataclass(frozen=True)
class Talk:
    """console: for people, on standard output."""

    client: Client
    form: Form
    console: Console

    def tell(self, document: Any, brief: str, words: Callable[[Console], None]) -> None:
        """An answer as it was asked for: as JSON, in a word, or in words."""
        if self.form == "json":
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        elif self.form == "quiet":
            click.echo(brief)
        else:
            words(self.console)


def talking(command: Callable[..., int | None]) -> Callable[..., None]:
    """A command whose first argument is the talk; what it returns is the exit status."""

    @SERVER
    @KEY
    @AS_JSON
    @QUIET
    @functools.wraps(command)
    def asked(*args: Any, server: str | None, key: str | None, as_json: bool, quiet: bool, **kwargs: Any) -> None:
        form: Form = "json" if as_json else "quiet" if quiet else "words"
        with Client(server, key) as client:
            status = command(Talk(client, form, Console(soft_wrap=True, highlight=False)), *args, **kwargs)
        click.get_current_context().exit(status or 0)

    return asked
