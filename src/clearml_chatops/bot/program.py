"""The assembly of the program from its settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from clearml_chatops.bot.dispatcher import Dispatcher
from clearml_chatops.bot.settings import Settings
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import TERMINAL
from clearml_chatops.services.clearml_gateway import ClearMLConnections
from clearml_chatops.services.clearml_gateway.session import ClearMLCredentials
from clearml_chatops.services.process import ProcessContext
from clearml_chatops.storage.database import Database

_DELIVERY_LOG_NAME = "delivered"
_FORMER_DELIVERY_LOG_NAME = "told"
"""The name up to database revision 0011. The file may hold notifications of a process that was killed."""


@dataclass(frozen=True, slots=True)
class Program:
    """The assembled program, without its front ends."""

    process: ProcessContext
    dispatcher: Dispatcher


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_program(settings: Settings) -> AsyncIterator[Program]:
    """Open the program and check its database; close everything at the end.

    Raises:
        SettingsError, DatabaseOutdatedError, DatabaseUnusableError: The program can't start.
        DatabaseBusyError: It can't start at the moment.
    """
    async with assemble_program(settings) as program:
        await program.process.database.prepare()
        yield program


@asynccontextmanager
async def assemble_program(settings: Settings) -> AsyncIterator[Program]:
    """Assemble the program without using its database or ClearML yet; close everything at the end.

    Raises:
        SettingsError, DatabaseUnusableError: A setting is malformed.
    """
    make_data_folder(settings)
    process = ProcessContext(
        database=Database(settings.effective_database_url),
        clearml=ClearMLConnections(
            ClearMLCredentials(
                api_host=settings.clearml_api_host,
                access_key=settings.clearml_api_access_key,
                secret_key=settings.clearml_api_secret_key.get_secret_value(),
                web_host=settings.clearml_web_host,
            )
        ),
        clock=utc_now,
        host=settings.host,
        agent_folder=settings.data_folder / "agents",
        cache_folder=settings.data_folder / "cache",
        delivery_log_path=settings.data_folder / _DELIVERY_LOG_NAME,
        poll_interval=settings.poll_interval,
        idle_poll_interval=settings.idle_poll_interval,
        alert_interval=settings.alert_interval,
        alarm_thresholds=settings.alarm_thresholds,
        trusted_platforms=frozenset({TERMINAL}),
    )
    try:
        yield Program(process, Dispatcher(process, build_registry()))
    finally:
        await process.aclose()


def make_data_folder(settings: Settings) -> None:
    """Create the data folder, readable by its owner only. Raises SettingsError."""
    try:
        settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            name="CHATOPS_DATA",
            reason=f"can't create the folder {settings.data_folder} ({error.strerror}). Choose another one.",
        ) from error
    former_log = settings.data_folder / _FORMER_DELIVERY_LOG_NAME
    if former_log.exists() and not (delivery_log := settings.data_folder / _DELIVERY_LOG_NAME).exists():
        former_log.rename(delivery_log)


async def upgrade_database(settings: Settings) -> bool:
    """Upgrade the database to this version and return True. Raises SettingsError, DatabaseUnusableError."""
    make_data_folder(settings)
    database = Database(settings.effective_database_url)
    try:
        await database.upgrade()
    finally:
        await database.aclose()
    return True
