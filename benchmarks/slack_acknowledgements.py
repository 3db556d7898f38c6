"""Measures how fast simultaneous commands of 100 people are acknowledged and answered if ClearML takes 1 s each.

Slack shows `operation_timeout` after 3 s. Goal: 300 ms.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from tests.support.platform_chats import SlackChat, build_bot_settings, open_chat
from tests.support.slack import Person

from clearml_chatops.bot.run_command import run_bot
from clearml_chatops.bot.settings import Settings
from clearml_chatops.sandbox import Sandbox

COMMANDS = 100


async def measure(data: Path) -> None:
    stop = asyncio.Event()
    async with Sandbox() as sandbox, open_chat("slack") as chat:
        assert isinstance(chat, SlackChat)
        people, entries = chat.add_people(COMMANDS)
        overrides = {**chat.build_settings(sandbox), "CHATOPS_PEOPLE": entries}
        settings = Settings.model_validate(build_bot_settings(sandbox, data, **overrides))
        bot = asyncio.create_task(run_bot(settings, stop_event=stop))
        lab = chat.server.add_channel("lab")
        await chat.server.socket_mode.wait_for_connection()
        sandbox.faults.delay("*", 1.0)

        def has_answer(person: Person) -> bool:
            messages = chat.server.list_ephemeral_messages(person)
            return any("No experiments match" in message.visible_text for message in messages)

        started_at = time.monotonic()
        envelopes = await asyncio.gather(
            *(
                person.send_slash_command("/clearml", f"find nothing{number:03}", lab)
                for number, person in enumerate(people)
            )
        )
        await asyncio.gather(*(envelope.acknowledged.wait() for envelope in envelopes))
        while sum(map(has_answer, people)) < COMMANDS:  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.05)
        total_seconds = time.monotonic() - started_at
        slowest_seconds = max(envelope.acked_after or 0 for envelope in envelopes)
        print(
            f"slowest of {COMMANDS} acknowledgements: {slowest_seconds * 1000:.0f} ms; "
            f"all answered in {total_seconds:.1f} s"
        )
        stop.set()
        await bot


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))
