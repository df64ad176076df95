"""API keys: stored as hashes, compared in constant time, read from the database at most every few seconds.

A service without keys serves whoever reaches its loopback address. From the first key on, only keys open it;
revoking the last one closes it rather than open it again.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from ledger.database import Database, Record, now
from ledger.tables import keys
from qstill.contract.errors import Problem

EVERYBODY = "local"  # the owner of all jobs of a service without keys
FRESH_SECONDS = 2.0  # a revoked key opens for this long at most
MIN_SECRET = 24  # characters of a key chosen by a person


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _id(digest: str) -> str:
    return f"key_{digest[:32]}"


def create_key(connection: Connection, name: str, token: str | None = None) -> tuple[str, str]:
    """Make a key, or make sure that a given one exists; returns its id and the token, which is shown this once."""
    if token is not None and len(token) < MIN_SECRET:
        raise Problem("key_too_short", f"A key needs at least {MIN_SECRET} characters.")
    token = token or f"qs_{secrets.token_urlsafe(32)}"
    digest = _digest(token)
    if connection.scalar(select(keys.c.id).where(keys.c.id == _id(digest))) is None:
        connection.execute(insert(keys).values(id=_id(digest), name=name, secret_sha256=digest, created_at=now()))
    return _id(digest), token


def list_keys(connection: Connection) -> Sequence[Record]:
    query = select(keys.c.id, keys.c.name, keys.c.created_at, keys.c.revoked_at).order_by(keys.c.created_at)
    return connection.execute(query).all()


def revoke_key(connection: Connection, key_id: str) -> bool:
    """Whether there was such a key to revoke."""
    revoked = connection.execute(
        update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None)).values(revoked_at=now())
    )
    return revoked.rowcount > 0


class Keyring:
    """The keys of a service, as one process knows them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._digests: dict[str, str | None] = {}  # by id; None when revoked
        self._fresh_until = 0.0

    def owner(self, token: str | None) -> str:
        """Who a token belongs to. Raises Problem (401)."""
        digests = self._current()
        if not digests:
            return EVERYBODY
        if token is not None:
            digest = _digest(token)
            known = digests.get(_id(digest))
            if known is not None and hmac.compare_digest(known, digest):
                return _id(digest)
        raise Problem(
            "unauthorized",
            "This service needs a key: send `Authorization: Bearer KEY`. `qstill keys create NAME` makes one.",
            status=401,
            headers={"WWW-Authenticate": "Bearer"},
        )

    def open_to_everybody(self) -> bool:
        return not self._current()

    def stale(self) -> bool:
        """Whether the next question reads the database."""
        return time.monotonic() >= self._fresh_until

    def _current(self) -> dict[str, str | None]:
        if self.stale():
            with self._lock:
                if self.stale():
                    rows = self._database.read(
                        lambda connection: connection.execute(
                            select(keys.c.id, keys.c.secret_sha256, keys.c.revoked_at)
                        ).all()
                    )
                    self._digests = {row.id: None if row.revoked_at else row.secret_sha256 for row in rows}
                    self._fresh_until = time.monotonic() + FRESH_SECONDS
        return self._digests
