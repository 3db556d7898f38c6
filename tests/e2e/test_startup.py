"""The bot is started while ClearML or the database can't be used, and later does its job without a restart."""

import sqlite3
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import run_bot_in_process
from tests.frontends.conftest import FakeSuggestions
from tests.support.agents import quick_agents
from tests.support.dialogs import DRAFT_DIALOG, MAIN_JOB_DIALOG, Answer, Turn, verify_dialog
from tests.support.platform_chats import Chat, build_bot_settings, play, wait_for_messages
from tests.support.program import run_program

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)

NO_ANSWER = "doesn't answer (no connection)"


@pytest.fixture
async def closed_sandbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """A server that is down and can be started again at the same address."""
    async with Sandbox() as sandbox:
        monkeypatch.setenv("CLEARML_WEB_HOST", sandbox.url)
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        await sandbox.aclose()
        yield sandbox


async def _restart(sandbox: Sandbox) -> None:
    await sandbox.start(port=int(sandbox.url.rpartition(":")[2]))


async def test_clearml_down_at_the_start_of_a_chat(closed_sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    settings = build_bot_settings(
        closed_sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.2, **chat.build_settings(closed_sandbox)
    )
    # By name, so that even the person's id is known only when ClearML is back.
    settings["CHATOPS_PEOPLE"][0]["clearml_user"] = closed_sandbox.alice.name
    async with run_bot_in_process(settings):
        await play(chat, Turn("/find baseline", (NO_ANSWER,)), Turn("/clone baseline lost", (NO_ANSWER,)))
        await _restart(closed_sandbox)
        await play(chat, *MAIN_JOB_DIALOG)
        await wait_for_messages(chat, "“on two GPUs” started on lab:alice_queue:cpu.", "“on two GPUs” completed")
        await play(chat, Turn("/worker stop", ("Stopped lab:alice_queue:cpu",)))
    clones = {task["name"]: task["user"] for task in closed_sandbox.state.tasks.values()}
    assert clones["on two GPUs"] == closed_sandbox.alice.id, "the web UI shows the right owner"
    assert "lost" not in clones, "a refused command isn't carried out later"


async def test_clearml_down_at_the_start_of_a_terminal(closed_sandbox: Sandbox, tmp_path: Path) -> None:
    async with run_program(closed_sandbox, tmp_path / "data") as program:
        screen = StringIO()
        front_end = ConsoleFrontEnd(
            handle=program.program.dispatcher.handle,
            registry=build_registry(),
            suggestions=FakeSuggestions(),
            user=program.identity.user_id,
            console=Console(file=screen, width=120, markup=False, emoji=False, highlight=False),
        )

        async def send(line: str) -> Answer:
            start = len(screen.getvalue())
            await front_end.run_lines([line])
            return Answer(" ".join(screen.getvalue()[start:].split()))

        await verify_dialog(
            send, [Turn("/find baseline", (NO_ANSWER,)), Turn("/clone baseline lost", (NO_ANSWER,))]
        )
        await _restart(closed_sandbox)
        await verify_dialog(send, [*MAIN_JOB_DIALOG, Turn("/wait completed timeout=2m", ("is Completed",))])
        await verify_dialog(send, [Turn("/worker stop", ("Stopped lab:alice_queue:cpu",))])


@pytest.mark.parametrize("exists", [False, True], ids=["new database", "existing database"])
async def test_a_locked_database_at_the_start(
    sandbox: Sandbox, chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool
) -> None:
    monkeypatch.setattr("clearml_chatops.storage.database._BUSY_TIMEOUT_MILLISECONDS", 1000)
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))
    if exists:
        async with run_bot_in_process(settings):
            await play(chat, Turn("/whoami", ("alice",)))
    lock = sqlite3.connect(tmp_path / "chatops.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    async with run_bot_in_process(settings):
        await play(chat, Turn("/find baseline", ("own database can't be used at the moment",)))
        lock.execute("ROLLBACK")
        lock.close()
        await wait_until_answered(chat)
        await play(chat, *DRAFT_DIALOG)


async def wait_until_answered(chat: Chat) -> None:
    """Send a harmless command until the database can be used: the bot tries every two seconds."""
    while "alice" not in chat.read_messages()[-1]:
        await play(chat, Turn("/whoami"))
