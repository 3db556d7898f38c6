"""The program on a database that the version before the plain names filled: what was sent still works."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.models.gpu_requests import GpuRequestAnswer
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Identity
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.people.actions import ActionService
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.gpu_requests import GpuRequestStore
from tests.support.program import RunningProgram, run_program, to_plain_text

_DUMP = Path(__file__).parent.parent / "storage" / "revision_0011.sql"
_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def program(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[RunningProgram]:
    path = tmp_path / "data" / "chatops.db"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.executescript(_DUMP.read_text(encoding="utf-8"))
    database = Database(f"sqlite:///{path}")
    await database.upgrade()
    await database.aclose()
    async with run_program(sandbox, path.parent) as program:
        yield replace(program, identity=Identity("telegram", "1001"), name="Alice Adams")


def _list_actions() -> list[tuple[str, str, str]]:
    """Return the token, the command and the question of each button that was sent."""
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(_DUMP.read_text(encoding="utf-8"))
        return connection.execute("SELECT token, line, question FROM actions").fetchall()


def test_commands_of_all_buttons_are_still_understood() -> None:
    registry = build_registry()
    lines = {line for _, line, question in _list_actions() if not question}
    assert len(lines) > 50
    for line in lines:
        words = split_words(line)
        command, count = registry.find([word.value for word in words], terminal=False)
        assert bind(command, words[count:]) is not None, line


async def test_tokens_and_questions_still_lead_to_their_commands(program: RunningProgram) -> None:
    actions = ActionService(database=program.program.process.database, clock=lambda: _NOON)
    for token, line, question in _list_actions():
        action = await actions.find_action(token)
        assert action is not None
        assert (action.command, action.question) == (line, question)
    action = await actions.find_action_by_question(Conversation("telegram", "1001"), "515")
    assert action is not None
    assert action.command == "/set aa66d130000000000000000000000030 Args/lr="


async def test_an_open_request_for_a_gpu_can_still_be_answered(program: RunningProgram) -> None:
    process = program.program.process
    assert "Erin Evans" in await program.ask("/worker consent")

    reply = await program.ask("/worker consent c0ffee000600000000 share")

    assert "Accepted. Erin Evans shares GPUs 1,0 with you." in reply
    async with process.database.reading() as session:
        answers = {item.token: item.answer for item in await GpuRequestStore(session).list(host="lab")}
    assert answers["c0ffee000600000000"] is GpuRequestAnswer.SHARE


async def test_watches_and_alerts_are_still_listed(program: RunningProgram) -> None:
    for command, expected_text in (("/watching", "queue"), ("/alert", "alert"), ("/gpus watch", "GPU")):
        assert expected_text in to_plain_text(await program.send(command))
