"""The database: connections that are safe with concurrent writers, transactions, the schema's revision."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from clearml_chatops.models.errors import DatabaseBusyError, DatabaseOutdatedError, DatabaseUnusableError
from clearml_chatops.storage.busy_databases import is_busy

_BUSY_TIMEOUT_MILLISECONDS = 5000


class Database:
    """Transactions on the tables of `storage.schema`.

    Reading and writing transactions are separate. SQLite cannot safely upgrade a read lock to a write lock
    when two transactions try at once, so a writer takes its lock at the beginning (BEGIN IMMEDIATE).
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = create_async_engine(_to_async_url(url))
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise DatabaseUnusableError(url=mask_password(url), reason=error) from error
        except ValueError:
            # The error text may contain a part of the password, so it is not shown.
            raise DatabaseUnusableError(
                url=mask_password(url),
                reason="it has text where a number belongs; in a password, write @ : / as %40 %3A %2F",
            ) from None
        self._masked_url = mask_password(url)
        self._is_preparing = False
        self._preparation_lock = asyncio.Lock()
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite_connection)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite_transaction)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that only reads. Raises DatabaseUnusableError, DatabaseBusyError."""
        await self._require_prepared()
        with self._translate_errors():
            async with AsyncSession(self._engine, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that writes: committed at the end, rolled back on any exception.

        Keep it short, and never call ClearML or a chat platform inside it.

        Raises:
            DatabaseBusyError: the database is locked or doesn't answer.
            DatabaseUnusableError: it is full, missing or broken.
        """
        await self._require_prepared()
        engine = self._engine.execution_options(writes=True)
        with self._translate_errors():
            async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
                yield session

    async def _require_prepared(self) -> None:
        """Wait while `prepare` runs. Raise DatabaseBusyError if it failed: there may be no tables yet."""
        if self._is_preparing:
            async with self._preparation_lock:
                pass
        if self._is_preparing:
            raise DatabaseBusyError(url=self._masked_url, reason="not ready yet")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Translate errors of the database to DatabaseUnusableError, but not mistakes of the program."""
        try:
            yield
        except (DatabaseError, PoolTimeoutError, OSError) as error:
            # A damaged file raises the bare DatabaseError; other subclasses are mistakes of the program.
            if isinstance(error, DatabaseError) and type(error) not in {DatabaseError, OperationalError}:
                raise
            raise self._to_unusable_error(error) from error

    def _to_unusable_error(self, error: Exception) -> DatabaseUnusableError:
        error_class = DatabaseBusyError if is_busy(error) else DatabaseUnusableError
        return error_class(url=self._masked_url, reason=_get_first_line(error))

    async def prepare(self) -> None:
        """Create the tables in an empty database; check the revision of any other.

        After a failure the database stays closed to transactions until this is repeated with success.

        Raises:
            DatabaseOutdatedError: the tables belong to another version of the program.
            DatabaseBusyError: the database is locked or doesn't answer.
            DatabaseUnusableError: the database cannot be opened.
        """
        self._is_preparing = True
        async with self._preparation_lock:
            await self._prepare()
            self._is_preparing = False

    async def _prepare(self) -> None:
        found = await self._create_tables_or_get_revision()
        if found != get_newest_revision():
            raise DatabaseOutdatedError(url=self._masked_url, found=found or "none", needed=get_newest_revision())

    async def _create_tables_or_get_revision(self) -> str | None:
        try:
            async with self._engine.execution_options(writes=True).begin() as connection:
                found = await connection.run_sync(_get_revision)
                if found is None and not await connection.run_sync(_has_tables):
                    await connection.run_sync(_upgrade)
                    return get_newest_revision()
                return found
        except (SQLAlchemyError, OSError) as error:
            raise self._to_unusable_error(error) from error

    async def upgrade(self) -> None:
        """Upgrade the tables to this program's revision. Raises DatabaseUnusableError, DatabaseBusyError."""
        try:
            async with self._engine.execution_options(writes=True).begin() as connection:
                await connection.run_sync(_upgrade)
        except (SQLAlchemyError, OSError) as error:
            raise self._to_unusable_error(error) from error

    async def aclose(self) -> None:
        await self._engine.dispose()


@cache
def get_newest_revision() -> str:
    """Return the revision of this program's tables. Found once, because Alembic loads every migration for it."""
    return ScriptDirectory.from_config(build_migration_config()).get_current_head() or ""


def build_migration_config(connection: Connection | None = None) -> Config:
    """Return Alembic's settings; built here, so no alembic.ini is needed and no logger is changed."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def mask_password(url: str) -> str:
    """Return the URL without its password, and without options, which may contain a password too."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "(not a database URL)"
    if "@" in (parsed.host or ""):  # an @ in the password that is not written as %40
        return "(not a database URL)"
    return parsed.set(query={}).render_as_string(hide_password=True)


def _to_async_url(url: str) -> str:
    """Return the URL with an asynchronous driver if it names no driver."""
    parsed = make_url(url)
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    return parsed.set(drivername=drivers.get(parsed.drivername, parsed.drivername)).render_as_string(
        hide_password=False
    )


def _prepare_sqlite_connection(connection: Any, _record: object) -> None:
    # Keep the driver from beginning transactions by itself: they would be deferred ones (see Database).
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_TIMEOUT_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite_transaction(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


def _get_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _has_tables(connection: Connection) -> bool:
    return bool(inspect(connection).get_table_names())


def _upgrade(connection: Connection) -> None:
    command.upgrade(build_migration_config(connection), "head")


def _get_first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).partition("\n")[0]
