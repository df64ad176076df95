"""What an endpoint has at hand: `Front`, made once per process by the application's lifespan."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from app.http.limits import Backlog
from app.http.tailer import Tailer
from app.keys.keyring import Keyring
from ledger.broker.wakeups import Waker
from ledger.database import Change, Database
from ledger.settings import Settings
from ledger.store.folder import FolderStore

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Front:
    settings: Settings
    database: Database
    store: FolderStore
    waker: Waker
    tailer: Tailer
    keyring: Keyring
    backlog: Backlog

    async def read(self, query: Change[T]) -> T:
        return await run_in_threadpool(self.database.read, query)

    async def read_by_key(self, query: Change[T]) -> T:
        """A read of a row or a few by their keys: on SQLite in place, which takes less time than a thread's turn."""
        return self.database.read(query) if self.database.sqlite else await self.read(query)

    async def write(self, change: Change[T]) -> T:
        return await asyncio.wrap_future(self.database.submit(change))


async def _front(request: Request) -> Front:  # async: FastAPI sends a plain function to a thread
    front: Front = request.app.state.front
    return front


AtHand = Annotated[Front, Depends(_front)]
