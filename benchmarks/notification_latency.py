"""How long it takes from a change on ClearML to the message on Telegram, at the usual cycle of 2 s.

Over 200 changes the median is to be at most 1.5 s and the longest at most 3 s.
"""

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp
from tests.sandbox.support import Client
from tests.support.chats import TelegramChat, bot_settings, chat_on, play
from tests.support.dialogs import Turn

from clearml_chatops.bot.run_command import run_bot
from clearml_chatops.bot.settings import Settings
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments

RUNS = 100
_LONGEST_PAUSE = 0.8


class Arrivals:
    """When each message stood in the chat."""

    def __init__(self, chat: TelegramChat) -> None:
        self._chat = chat
        self.found: dict[str, float] = {}

    async def note(self) -> None:
        changed = self._chat.server.state.changed
        async with changed:
            while True:
                await changed.wait()
                for text in self._chat.heard():
                    self.found.setdefault(text, time.monotonic())

    def of(self, name: str, event: str) -> float | None:
        return next((at for text, at in self.found.items() if f"“{name}” {event}" in text), None)


async def measure(data: Path) -> None:
    chance = random.Random(1)
    stop = asyncio.Event()
    async with Sandbox() as sandbox, chat_on("telegram") as chat, aiohttp.ClientSession() as session:
        assert isinstance(chat, TelegramChat)
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        agent = Client(sandbox, session, sandbox.alice)
        settings = bot_settings(sandbox, data, CHATOPS_WATCH_SECONDS=2, **chat.settings(sandbox))
        bot = asyncio.create_task(run_bot(Settings.model_validate(settings), stop=stop))
        await play(chat, Turn("/queue create", ("yours",)))
        for number in range(RUNS):
            await chat.write(f"/rerun baseline run {number:03}")
        names = {f"run {number:03}" for number in range(RUNS)}
        while {task["name"] for task in sandbox.state.tasks.values() if task["status"] == "queued"} != names:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        arrivals = Arrivals(chat)
        noting = asyncio.create_task(arrivals.note())
        tasks = {task["name"]: task["id"] for task in sandbox.state.tasks.values() if task["name"] in names}
        changed: dict[tuple[str, str], float] = {}
        for name in sorted(names):
            await asyncio.sleep(chance.uniform(0, _LONGEST_PAUSE))
            changed[name, "has left Pending"] = time.monotonic()
            await agent.data("tasks.started", task=tasks[name], force=True, status_message="pulled by agent")
            await agent.data("workers.status_report", worker="lab:gpu0", task=tasks[name], timestamp=1)
        for name in sorted(names):
            await asyncio.sleep(chance.uniform(0, _LONGEST_PAUSE))
            changed[name, "is Completed"] = time.monotonic()
            await agent.data("tasks.completed", task=tasks[name])
        while not all(arrivals.of(*change) for change in changed):  # noqa: ASYNC110  # the noting ends never
            await asyncio.sleep(0.1)
        took = [(arrivals.of(*change) or 0) - at for change, at in changed.items()]
        print(
            f"from the change to the message, over {len(took)} changes: median {statistics.median(took):.2f} s, "
            f"longest {max(took):.2f} s"
        )
        noting.cancel()
        stop.set()
        await bot


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))
