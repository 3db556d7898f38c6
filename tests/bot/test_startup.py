"""The start while ClearML or the database can't be used, and settings that are wrong."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.bot.background_loops import build_background_loops
from clearml_chatops.bot.program import Program, assemble_program
from clearml_chatops.bot.settings import Settings
from clearml_chatops.bot.startup import Startup
from clearml_chatops.models.errors import (
    ChatOpsError,
    ClearMLCredentialsError,
    DatabaseOutdatedError,
    SettingsError,
)
from clearml_chatops.models.people import ConfiguredPerson, Identity, Role
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.faults import Faults
from tests.support.platform_chats import build_bot_settings
from tests.support.polling import wait_until
from tests.support.processes import PROGRAM, build_process_environment
from tests.support.program import create_database
from tests.support.telegram import TelegramServer

_BOB = Identity("telegram", "7")


@pytest.fixture
def stop_event() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def program(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Program]:
    await create_database(tmp_path / "chatops.db")
    async with assemble_program(Settings.model_validate(build_bot_settings(sandbox, tmp_path))) as program:
        yield program


@pytest.fixture
def startup(program: Program, sandbox: Sandbox, stop_event: asyncio.Event) -> Startup:
    return _create_startup(program, sandbox.bob.name, stop_event)


def _create_startup(program: Program, clearml_user: str, stop_event: asyncio.Event) -> Startup:
    bob = ConfiguredPerson("Bob", Role.MEMBER, clearml_user, (_BOB,))
    return Startup(program.process, [bob], stop_event, retry_interval=timedelta(milliseconds=10))


async def _list_clearml_users(program: Program) -> list[str]:
    with sqlite3.connect(program.process.agent_folder.parent / "chatops.db") as connection:
        return [user for (user,) in connection.execute("SELECT clearml_user_id FROM people")]


@pytest.mark.parametrize(
    "simulate_outage",
    [
        lambda faults: faults.disconnect("*"),
        lambda faults: faults.disconnect("users.get_all_ex"),
        lambda faults: faults.answer("*", status=503, body="starting"),
        lambda faults: faults.answer("*", status=200, body="<html>Soon back</html>"),
    ],
)
async def test_an_outage_of_clearml_is_waited_for(
    startup: Startup,
    program: Program,
    sandbox: Sandbox,
    simulate_outage: Callable[[Faults], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulate_outage(sandbox.faults)
    async with startup.running():
        assert startup.database_ready.is_set(), "what needs no ClearML begins"
        await wait_until(lambda: len(list(sandbox.requests)) > 5)
        assert await _list_clearml_users(program) == [], "nobody acts in the bot's name"
        caplog.set_level(logging.INFO)
        sandbox.faults.clear()
        await wait_until(lambda: "The start is complete." in caplog.text)
        assert await _list_clearml_users(program) == [sandbox.bob.id]
    assert caplog.text.count("keeps trying") == 1


async def test_the_watcher_waits_until_everybody_is_known(
    startup: Startup, program: Program, sandbox: Sandbox
) -> None:
    """What it finds in one poll it never finds again, so an owner who isn't known yet would miss it."""
    poll = next(
        loop.work
        for loop in build_background_loops(program.process)
        if "poll ClearML for ch" in loop.failure_message
    )
    sandbox.faults.disconnect("users.get_all_ex")
    async with startup.running():
        with pytest.raises(ChatOpsError):
            await poll()
        assert not sandbox.requests.find_by_endpoint("tasks.get_all_ex")
        sandbox.faults.clear()
        await poll()
    assert await _list_clearml_users(program) == [sandbox.bob.id]


async def test_a_locked_database_is_waited_for(
    startup: Startup, program: Program, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearml_chatops.storage.database._BUSY_TIMEOUT_MILLISECONDS", 20)
    async with _locked(tmp_path / "chatops.db") as release, startup.running():
        assert not startup.database_ready.is_set()
        release()
        await startup.database_ready.wait()
        await wait_until(lambda: _list_clearml_users(program))


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[Callable[[], object]]:
    """Lock the database until the function that is yielded is called."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield lambda: connection.execute("ROLLBACK")
    finally:
        connection.close()


async def test_wrong_credentials_end_the_start(startup: Startup, sandbox: Sandbox) -> None:
    sandbox.faults.reject_credentials()
    with pytest.raises(ClearMLCredentialsError, match="CLEARML_API_ACCESS_KEY"):
        async with startup.running():
            pytest.fail("the front ends must not start")


async def test_credentials_that_turn_out_wrong_after_an_outage_stop_the_bot(
    startup: Startup, sandbox: Sandbox, stop_event: asyncio.Event
) -> None:
    sandbox.faults.disconnect("*")

    async def run_until_stopped() -> None:
        async with startup.running():
            sandbox.faults.clear()
            sandbox.faults.reject_credentials()
            await stop_event.wait()

    with pytest.raises(ClearMLCredentialsError):
        await run_until_stopped()


async def test_an_unknown_name_stops_the_bot(program: Program, stop_event: asyncio.Event) -> None:
    with pytest.raises(SettingsError, match="no users named “bop”"):
        async with _create_startup(program, "bop", stop_event).running():
            pytest.fail("the front ends must not start")


async def test_an_outdated_database_ends_the_start(startup: Startup, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "chatops.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(DatabaseOutdatedError):
        async with startup.running():
            pytest.fail("the front ends must not start")


async def test_a_stop_does_not_wait_for_a_server_that_hangs(
    startup: Startup, sandbox: Sandbox, stop_event: asyncio.Event
) -> None:
    sandbox.faults.delay("auth.login", 14)
    stop_event.set()
    async with asyncio.timeout(2):
        async with startup.running():
            pass


async def test_wrong_credentials_are_one_line_and_exit_code_78(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.reject_credentials()
    async with TelegramServer() as telegram:
        variables = {
            "CLEARML_API_HOST": sandbox.url,
            "CLEARML_API_ACCESS_KEY": "revoked",
            "CLEARML_API_SECRET_KEY": "secret",
            "CHATOPS_DATA": str(tmp_path / "data"),
            "TELEGRAM_BOT_TOKEN": telegram.token,
            "TELEGRAM_API_URL": telegram.url,
        }
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            "run",
            env=build_process_environment(tmp_path, **variables),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    assert process.returncode == 78
    assert output.decode().count("\n") == 1, output.decode()
    assert "CLEARML_API_SECRET_KEY" in output.decode()
