"""Measures the time from a change in ClearML to the message on Telegram, at the default poll interval of 2 s.

Goal over 200 changes: a median of at most 1.5 s, and a maximum of at most 3 s. Each run has a group of its own:
many changes in one chat would be one message.
"""

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp
from tests.sandbox.support import Client
from tests.support.dialogs import Turn
from tests.support.platform_chats import TelegramChat, build_bot_settings, open_chat, play

from clearml_chatops.bot.run_command import run_bot
from clearml_chatops.bot.settings import Settings
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments

RUNS = 100
_MAX_PAUSE_SECONDS = 0.8


class Arrivals:
    """Records when each message arrived in the chat."""

    def __init__(self, chat: TelegramChat) -> None:
        self._chat = chat
        self.arrived_at: dict[str, float] = {}

    async def record(self) -> None:
        changed = self._chat.server.state.changed
        async with changed:
            while True:
                await changed.wait()
                for text in [text for chat in self._chat.server.state.chats.values() for text in chat.texts]:
                    self.arrived_at.setdefault(text, time.monotonic())

    def find_time(self, name: str, event: str) -> float | None:
        return next(
            (arrival_time for text, arrival_time in self.arrived_at.items() if f"“{name}” {event}" in text), None
        )


async def measure(data: Path) -> None:
    randomness = random.Random(1)
    stop = asyncio.Event()
    async with Sandbox() as sandbox, open_chat("telegram") as chat, aiohttp.ClientSession() as session:
        assert isinstance(chat, TelegramChat)
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        agent = Client(sandbox, session, sandbox.alice)
        settings = build_bot_settings(sandbox, data, CHATOPS_WATCH_SECONDS=2, **chat.build_settings(sandbox))
        bot = asyncio.create_task(run_bot(Settings.model_validate(settings), stop_event=stop))
        await play(chat, Turn("/queue create", ("yours",)))
        for number in range(RUNS):
            group = chat.server.add_group(f"run {number:03}")
            await chat.anna.send(f"/rerun baseline run {number:03}", chat=group)
        names = {f"run {number:03}" for number in range(RUNS)}
        while {task["name"] for task in sandbox.state.tasks.values() if task["status"] == "queued"} != names:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        arrivals = Arrivals(chat)
        record_task = asyncio.create_task(arrivals.record())
        tasks = {task["name"]: task["id"] for task in sandbox.state.tasks.values() if task["name"] in names}
        changed_at: dict[tuple[str, str], float] = {}
        for name in sorted(names):
            await asyncio.sleep(randomness.uniform(0, _MAX_PAUSE_SECONDS))
            changed_at[name, "started"] = time.monotonic()
            await agent.call_for_data(
                "tasks.started", task=tasks[name], force=True, status_message="pulled by agent"
            )
            await agent.call_for_data("workers.status_report", worker="lab:gpu0", task=tasks[name], timestamp=1)
        for name in sorted(names):
            await asyncio.sleep(randomness.uniform(0, _MAX_PAUSE_SECONDS))
            changed_at[name, "completed"] = time.monotonic()
            await agent.call_for_data("tasks.completed", task=tasks[name])
        while not all(arrivals.find_time(*change) for change in changed_at):  # noqa: ASYNC110  # the recording never ends
            await asyncio.sleep(0.1)
        latencies = [(arrivals.find_time(*change) or 0) - at for change, at in changed_at.items()]
        print(
            f"from change to message, over {len(latencies)} changes: median {statistics.median(latencies):.2f} s, "
            f"longest {max(latencies):.2f} s"
        )
        record_task.cancel()
        stop.set()
        await bot


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))
