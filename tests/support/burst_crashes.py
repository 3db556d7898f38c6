"""Killing the bot in the midst of a burst, and counting what people got."""

import asyncio
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Identity
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.people import PeopleStore
from tests.e2e.conftest import run_bot_as_subprocess
from tests.support.bulk_experiments import add_pending, fail_all, watch_all
from tests.support.dialogs import Turn
from tests.support.platform_chats import Chat, SlackChat, TelegramChat, build_bot_settings, play
from tests.support.polling import wait_until
from tests.support.telegram import Fault

SEPARATE_COUNT = 2
"""Failures with a message of their own: each start and failure together are two events."""
_FIRST_CHANGES = SEPARATE_COUNT + 1
_MAX_WAIT_SECONDS = 20
_LOST = "Forced stop (non-responsive)"
_SEPARATE_MESSAGE = re.compile(r"“run \d+” failed")
_OVERVIEW = re.compile(r"([\d,]+) updates?: ([\d,]+) Failed")


@dataclass(frozen=True)
class ReceivedBurst:
    """What people see of a burst in the end."""

    messages: list[str]

    @property
    def separate_count(self) -> int:
        return sum(bool(_SEPARATE_MESSAGE.search(text)) and not _OVERVIEW.search(text) for text in self.messages)

    @property
    def overview_counts(self) -> list[int]:
        """How many failures each message about many is about."""
        matches = filter(None, map(_OVERVIEW.search, self.messages))
        return [int(match[2].replace(",", "")) for match in matches]

    @property
    def failure_count(self) -> int:
        return self.separate_count + sum(self.overview_counts)


async def kill_during_burst(
    sandbox: Sandbox, chat: Chat, folder: Path, *, failures: int, kills: int, seed: int
) -> ReceivedBurst:
    """Let experiments fail in parts. Kill the bot with SIGKILL after each part, then let it deliver the rest.

    Every other kill is while an edit is on its way, the others are at random times.
    """
    settings = build_bot_settings(
        sandbox, folder / "data", CHATOPS_WATCH_SECONDS=0.2, **chat.build_settings(sandbox)
    )
    async with run_bot_as_subprocess(settings, folder):
        await play(chat, Turn("/whoami", ("alice",)))
    tasks = add_pending(sandbox.state, failures, user=sandbox.alice.id)
    await _watch(f"sqlite:///{folder}/data/chatops.db", chat, tasks)
    first_message = len(chat.read_messages())
    random_generator = random.Random(seed)
    for number in range(kills):
        async with run_bot_as_subprocess(settings, folder) as process:
            dies = asyncio.create_task(process.wait())
            count = _count_changes(chat)
            _fail(tasks[number :: kills + 1])
            # The first part is a few messages, and each later one is an edit.
            if number % 2:
                _run_during_next_edit(chat, process.kill)
                # Without an edit, because the burst has ended meanwhile, the kill comes at any moment.
                await asyncio.wait([dies], timeout=_MAX_WAIT_SECONDS)
                _kill_if_alive(process)
            else:
                await wait_until(_will_have_changed(chat, count + (1 if number else _FIRST_CHANGES)))
                await asyncio.sleep(random_generator.uniform(0, 0.5))
                _kill_if_alive(process)
            await dies
    async with run_bot_as_subprocess(settings, folder):
        _fail(tasks[kills :: kills + 1])
        await wait_until(lambda: _read(chat, first_message).failure_count >= failures)
        # Once this is answered, everything before it is in the chat.
        received = _read(chat, first_message)
        await play(chat, Turn("/whoami", ("alice",)))
    return received


def _kill_if_alive(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()


async def _watch(url: str, chat: Chat, tasks: list[Document]) -> None:
    database = Database(url)
    identity = Identity(
        chat.platform, *(reversed(chat.id.split("/")) if isinstance(chat, SlackChat) else (chat.id,))
    )
    async with database.reading() as session:
        person = await PeopleStore(session).find(identity)
    assert person
    conversation_id = chat.anna.direct_channel if isinstance(chat, SlackChat) else chat.id
    await watch_all(database, tasks, Conversation(chat.platform, conversation_id), person.id)
    await database.aclose()


def _fail(tasks: list[Document]) -> None:
    for task in tasks:
        task["status_reason"] = _LOST
    fail_all(tasks, datetime.now(UTC))


def _read(chat: Chat, first_message: int) -> ReceivedBurst:
    return ReceivedBurst([text for text in chat.read_messages()[first_message:] if "failed" in text.casefold()])


def _will_have_changed(chat: Chat, count: int) -> Callable[[], bool]:
    return lambda: _count_changes(chat) >= count


def _count_changes(chat: Chat) -> int:
    if isinstance(chat, SlackChat):
        return len(chat.server.list_calls("chat.postMessage")) + len(chat.server.list_calls("chat.update"))
    assert isinstance(chat, TelegramChat)
    return len(chat.server.list_calls("sendMessage")) + len(chat.server.list_calls("editMessageText"))


def _run_during_next_edit(chat: Chat, action: Callable[[], object]) -> None:
    """Run an action after the platform has received the next edit, but before it answers."""
    if isinstance(chat, SlackChat):
        side_effects = chat.server.api.faults.side_effects

        def run_once() -> None:
            side_effects.clear()
            action()

        side_effects["chat.update"] = run_once
    else:
        assert isinstance(chat, TelegramChat)
        chat.server.add_fault("editMessageText", Fault.with_side_effect(action))
