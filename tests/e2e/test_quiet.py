"""Being told nothing for a while, on each platform, and all at once then."""

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
from tests.e2e.conftest import running
from tests.support.chats import Chat, SlackChat, TelegramChat, bot_settings, chat_on, hear, play
from tests.support.dialogs import Turn

_NASTY = "<!channel> & *x* <b> " + "y" * 300


@asynccontextmanager
async def _database(folder: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{folder / 'chatops.db'}")
    yield database
    await database.aclose()


def _place(chat: Chat) -> Conversation:
    assert isinstance(chat, SlackChat | TelegramChat)
    return Conversation(chat.platform, chat.anna.direct_channel if isinstance(chat, SlackChat) else chat.id)


async def test_what_was_held_back_is_one_message_within_the_limits(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    async with (
        running(bot_settings(sandbox, tmp_path, **chat.settings(sandbox))),
        _database(tmp_path) as database,
    ):
        await play(chat, Turn("/mute 2h", ("Nothing is told here",)))
        now = datetime.now(UTC)
        kinds = (EventKind.ENQUEUED, EventKind.LEFT_PENDING, EventKind.FAILED)
        events = [
            ExperimentEvent(
                kind, f"{number:032x}", f"{number} {_NASTY}", now, ran=timedelta(hours=1), by_name=_NASTY
            )
            for number in range(200)
            for kind in kinds
        ]
        async with database.writing() as session:
            await OutboxStore(session).add([(event, _place(chat)) for event in events], now=now)
        await play(chat, Turn("/whoami", ("alice",)))
        before = len(chat.heard())
        await play(chat, Turn("/mute off", ("told things here again", "200 Failed", "and 180 more")))
        await play(chat, Turn("/whoami", ("alice",)))
    told = chat.heard()[before:]
    assert len(told) == 3, "the answers and the digest"
    assert not [text for text in chat.heard()[:before] if "Failed" in text]


async def test_slack_knows_the_time_zone(sandbox: Sandbox, tmp_path: Path) -> None:
    async with chat_on("slack") as chat:
        assert isinstance(chat, SlackChat)
        chat.server.workspace.time_zones[chat.anna.id] = "Asia/Tokyo"
        async with running(bot_settings(sandbox, tmp_path, **chat.settings(sandbox))):
            await play(chat, Turn("/quiet 23:00-08:00", ("from 23:00 to 08:00 (Asia/Tokyo)",)))


@pytest.mark.parametrize("platform", ["telegram", "slack"])
async def test_a_time_zone_that_is_not_told_is_asked_for_with_examples(
    sandbox: Sandbox, tmp_path: Path, platform: str
) -> None:
    async with chat_on(platform) as chat, running(bot_settings(sandbox, tmp_path, **chat.settings(sandbox))):
        await play(chat, Turn("/quiet 23:00-08:00", ("In which time zone?",)))
        if isinstance(chat, TelegramChat):
            await chat.anna.press(chat.anna.chat.answers[-1], "Europe/Berlin")
        elif isinstance(chat, SlackChat):
            await chat.anna.press("Europe/Berlin")
        await hear(chat, "from 23:00 to 08:00 (Europe/Berlin)")
