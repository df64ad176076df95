"""Where the service is, and who asks.

What is said in the call counts, then QSTILL_SERVER and QSTILL_KEY, then the file `~/.config/qstill/client.toml`:

    server = "https://qstill.example"
    key = "qs_..."

A key from the file goes to the file's server and to no other.
"""

import os
import stat
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

DEFAULT_SERVER = "http://127.0.0.1:8400"


@dataclass(frozen=True)
class Access:
    """server: with its scheme, without a slash at its end. key: never shown."""

    server: str
    key: str | None = field(default=None, repr=False)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


def access(
    server: str | None = None,
    key: str | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    file: Path | None = None,
) -> Access:
    """Raises ValueError for what is no address or no key, and for a file that cannot be read as TOML."""
    there = file if file is not None else config_file(environment)
    written = _read(there)
    own_server = written.get("server")
    where = _address(server if server is not None else environment.get("QSTILL_SERVER") or own_server or DEFAULT_SERVER)
    who = key or environment.get("QSTILL_KEY")
    if not who and where == _address(own_server or DEFAULT_SERVER):
        who = written.get("key")
        if who:
            _warn_if_others_read(there)
    if who is not None and not (who.isascii() and who.isprintable() and " " not in who):
        raise ValueError("the key holds characters that no key has")  # which it is, stands nowhere
    return Access(where, who or None)


def config_file(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "qstill" / "client.toml"


def _read(file: Path) -> dict[str, str]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    except ValueError as error:
        raise ValueError(f"{file} is not TOML: {error}") from None
    return {name: value for name, value in found.items() if name in ("server", "key") and isinstance(value, str)}


def _warn_if_others_read(file: Path) -> None:
    if os.name == "posix" and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        warnings.warn(f"{file} holds a key, and others may read it: chmod 600 {file}", stacklevel=4)


def _address(server: str) -> str:
    """With `http://` where no scheme is given. Raises ValueError."""
    address = (server if "://" in server else f"http://{server}").rstrip("/")
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise ValueError(f"{server!r} is no address of a server: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{server!r} is no address of a server; write http://HOST:PORT")
    return address
