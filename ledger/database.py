"""The ledger's database: SQLite with one writer and group commit, or PostgreSQL with a pool. One way to use both.

    database = Database("sqlite:///ledger.db")
    database.write(lambda connection: ledger.submit(connection, job))      # one transaction, durable when it returns
    await asyncio.wrap_future(database.submit(change))                      # the same from a coroutine

A change is a function of a connection. It may be run again after a conflict, so it touches nothing but the database.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypedDict, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Float, Row, Select, create_engine, event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

T = TypeVar("T")
Record = Row[*tuple[Any, ...]]  # one row of a result; its columns are attributes
Change = Callable[[Connection], T]

GROUP = 256  # changes per commit: at 0.5 ms each a waiter behind a full group still answers in about 0.1 s
POOL = 10  # PostgreSQL connections of one process; its default limit is 100
TRIES = 3
BUSY_SECONDS = 30  # wait for another process's write before SQLite gives up


class now(FunctionElement[float]):  # noqa: N801  # reads as the SQL function that it is
    """The database's clock in seconds since 1970: processes disagree about the time, the ledger does not."""

    type = Float()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(element: now, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_postgresql(element: now, compiler: Any, **options: Any) -> str:
    return "extract(epoch from clock_timestamp())::float8"


class Database:
    """Reads and writes of one process. Safe to use from any thread; `close()` ends its threads."""

    def __init__(self, url: str) -> None:
        self.sqlite = url.startswith("sqlite")
        self.engine = _sqlite_engine(url) if self.sqlite else create_engine(url, pool_size=POOL, pool_pre_ping=True)
        self._pool = None if self.sqlite else ThreadPoolExecutor(POOL, thread_name_prefix="database")
        self._changes: queue.SimpleQueue[tuple[Change[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._starting = threading.Lock()

    def read(self, query: Change[T]) -> T:
        """Run a query. Each of its statements sees one moment."""
        with self.engine.connect() as connection:
            return query(connection)

    def submit(self, change: Change[T]) -> Future[T]:
        """Run a change in a transaction. The future is done once it is durable; an exception rolled it back."""
        if self._pool is not None:
            return self._pool.submit(_run, self.engine, change)
        self._start_writer()
        future: Future[T] = Future()
        self._changes.put((change, future))
        return future

    def write(self, change: Change[T]) -> T:
        """Run a change in a transaction and wait until it is durable."""
        return self.submit(change).result()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        if self._writer is not None:
            self._changes.put(None)
            self._writer.join()
        self.engine.dispose()

    def _start_writer(self) -> None:
        if self._writer is None:
            with self._starting:
                if self._writer is None:
                    self._writer = threading.Thread(target=self._write_groups, name="database-writer", daemon=True)
                    self._writer.start()

    def _write_groups(self) -> None:
        while (first := self._changes.get()) is not None:
            group = [first]
            while len(group) < GROUP:
                try:
                    following = self._changes.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._changes.put(None)
                    break
                group.append(following)
            _commit_together(self.engine, group)


class Cursors(TypedDict):
    """Where a page is: up to `limit` rows older than `after`, or the nearest ones newer than `before`."""

    after: str | None
    before: str | None
    limit: int


def page_of(query: Select[Any], column: ColumnElement[str], cursors: Cursors) -> Select[Any]:
    """The rows of a page by a column that sorts by age, nearest first."""
    query = query.limit(cursors["limit"])
    if cursors["before"] is not None:
        return query.where(column > cursors["before"]).order_by(column)
    if cursors["after"] is not None:
        query = query.where(column < cursors["after"])
    return query.order_by(column.desc())


def newest_first(
    connection: Connection, query: Select[Any], column: ColumnElement[str], cursors: Cursors
) -> Sequence[Record]:
    """The rows of a page by a column that sorts by age."""
    rows = connection.execute(page_of(query, column, cursors)).all()
    return rows if cursors["before"] is None else rows[::-1]


def _commit_together(engine: Engine, group: list[tuple[Change[Any], Future[Any]]]) -> None:
    """One commit for many changes, each in a savepoint of its own: one that fails takes no other with it.

    A change that its caller gave up before is left out; from here on nobody can give one up.
    """
    group = [(change, future) for change, future in group if future.set_running_or_notify_cancel()]
    if len(group) == 1:
        _commit_alone(engine, *group[0])
        return
    outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
    try:
        with _writing(engine) as connection, connection.begin():
            for change, future in group:
                savepoint = connection.begin_nested()
                try:
                    value = change(connection)
                    savepoint.commit()
                    outcomes.append((future, value, None))
                except Exception as error:  # noqa: BLE001  # belongs to the caller of this change, who gets it below
                    savepoint.rollback()
                    outcomes.append((future, None, error))
    except Exception as error:  # noqa: BLE001  # the commit failed: nobody's change is durable
        for _, future in group:
            future.set_exception(error)
        return
    for future, value, failure in outcomes:
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(value)


def _commit_alone(engine: Engine, change: Change[T], future: Future[T]) -> None:
    """The transaction is the savepoint: two statements fewer for a worker that has a writer to itself."""
    try:
        with _writing(engine) as connection, connection.begin():
            value = change(connection)
    except Exception as error:  # noqa: BLE001  # of the change, or of the commit
        future.set_exception(error)
        return
    future.set_result(value)


def _writing(engine: Engine) -> Connection:
    return engine.connect().execution_options(begin="BEGIN IMMEDIATE")


def _run(engine: Engine, change: Change[T]) -> T:
    """One change in one transaction. A deadlock, a lost connection and a race between two inserts are tried again."""
    for attempt in range(1, TRIES + 1):
        try:
            with engine.begin() as connection:
                return change(connection)
        except (OperationalError, IntegrityError):
            if attempt == TRIES:
                raise
    raise AssertionError("unreachable")


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, pool_size=POOL, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(dbapi_connection: Any, record: Any) -> None:
        dbapi_connection.isolation_level = None  # the driver would otherwise begin transactions of its own
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get("begin")
        if statement is not None:  # a reader needs none: in WAL mode each of its statements sees one moment anyway
            connection.exec_driver_sql(statement)

    return engine
