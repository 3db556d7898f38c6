"""Mute and quiet hours on each platform: deferred notifications become one summary."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from tests.e2e.conftest import run_bot_in_process
from tests.support.dialogs import Turn
from tests.support.platform_chats import (
    Chat,
    SlackChat,
    TelegramChat,
    build_bot_settings,
    open_chat,
    play,
    wait_for_messages,
)

_HOSTILE_TEXT = "<!channel> & *x* <b> " + "y" * 300


@asynccontextmanager
async def _open_database(folder: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{folder / 'chatops.db'}")
    yield database
    await database.aclose()


def _get_conversation(chat: Chat) -> Conversation:
    assert isinstance(chat, SlackChat | TelegramChat)
    return Conversation(chat.platform, chat.anna.direct_channel if isinstance(chat, SlackChat) else chat.id)


async def test_deferred_notifications_become_one_message_within_the_limits(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    async with (
        run_bot_in_process(build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))),
        _open_database(tmp_path) as database,
    ):
        await play(chat, Turn("/mute 2h", ("Muted here for 2 h",)))
        now = datetime.now(UTC)
        kinds = (EventKind.ENQUEUED, EventKind.STARTED, EventKind.FAILED)
        events = [
            ExperimentEvent(
                kind,
                f"{number:032x}",
                f"{number} {_HOSTILE_TEXT}",
                now,
                running_time=timedelta(hours=1),
                actor_name=_HOSTILE_TEXT,
            )
            for number in range(200)
            for kind in kinds
        ]
        async with database.writing() as session:
            await OutboxStore(session).add([(event, _get_conversation(chat)) for event in events], now=now)
        await play(chat, Turn("/whoami", ("alice",)))
        before = len(chat.read_messages())
        await play(chat, Turn("/mute off", ("Notifications are on here again", "200 Failed", "and 180 more")))
        await play(chat, Turn("/whoami", ("alice",)))
    texts = chat.read_messages()[before:]
    assert len(texts) == 3, "the replies and the summary"
    assert not [text for text in chat.read_messages()[:before] if "Failed" in text]


async def test_the_time_zone_is_read_from_slack(sandbox: Sandbox, tmp_path: Path) -> None:
    async with open_chat("slack") as chat:
        assert isinstance(chat, SlackChat)
        chat.server.workspace.time_zones[chat.anna.id] = "Asia/Tokyo"
        async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))):
            await play(chat, Turn("/quiet 23:00-08:00", ("from 23:00 to 08:00 (Asia/Tokyo)",)))


@pytest.mark.parametrize("platform", ["telegram", "slack"])
async def test_an_unknown_time_zone_is_asked_for_with_examples(
    sandbox: Sandbox, tmp_path: Path, platform: str
) -> None:
    async with (
        open_chat(platform) as chat,
        run_bot_in_process(build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))),
    ):
        await play(chat, Turn("/quiet 23:00-08:00", ("Which time zone?",)))
        if isinstance(chat, TelegramChat):
            await chat.anna.press(chat.anna.chat.bot_messages[-1], "Europe/Berlin")
        elif isinstance(chat, SlackChat):
            await chat.anna.press("Europe/Berlin")
        await wait_for_messages(chat, "from 23:00 to 08:00 (Europe/Berlin)")
