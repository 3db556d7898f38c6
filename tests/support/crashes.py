"""Killing the bot at random times while experiments run, and counting the notifications that people got."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import run_bot_as_subprocess
from tests.sandbox.support import Client
from tests.support.dialogs import Turn
from tests.support.notified_events import find_notified_events
from tests.support.platform_chats import TelegramChat, build_bot_settings, play
from tests.support.polling import wait_until

_END_TEXTS = {"completed": "completed", "failed": "failed"}
_STARTED_TEXT = "started"
_MAX_LIFETIME_SECONDS = 2.0
"""The longest time in seconds that the bot lives after its first poll."""


@dataclass
class DeliveryCounts:
    """The expected notifications, and how often each was delivered."""

    kills: int = 0
    delivered: Counter[tuple[str, str]] = field(default_factory=Counter)
    expected: list[tuple[str, str]] = field(default_factory=list)

    @property
    def missing(self) -> list[tuple[str, str]]:
        return [event for event in self.expected if not self.delivered[event]]

    @property
    def duplicates(self) -> int:
        """How many events were notified again."""
        return sum(self.delivered[event] - 1 for event in self.expected if self.delivered[event] > 1)

    @property
    def duplicate_messages(self) -> int:
        """How many messages were repeated. Events of an experiment at nearly the same time share a message."""
        duplicates_by_name: Counter[str] = Counter()
        for name, event in self.expected:
            duplicates_by_name[name] = max(duplicates_by_name[name], self.delivered[name, event] - 1)
        return duplicates_by_name.total()


async def kill_repeatedly(
    sandbox: Sandbox, chat: TelegramChat, folder: Path, *, kills: int, seed: int
) -> DeliveryCounts:
    """Kill the bot with SIGKILL at random times, `kills` times, then let it deliver the rest."""
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = build_bot_settings(
        sandbox, folder / "data", CHATOPS_WATCH_SECONDS=0.2, **chat.build_settings(sandbox)
    )
    random_generator, counts = random.Random(seed), DeliveryCounts()
    async with run_bot_as_subprocess(settings, folder):
        await play(chat, Turn("/queue create", ("yours",)))
        for number in range(2 * kills):
            await play(chat, Turn(f"/rerun baseline run {number:04}", ("Pending in",)))
    tasks = [task for task in sandbox.state.tasks.values() if task["name"].startswith("run ")]
    async with aiohttp.ClientSession() as session:
        random_runs = _RandomRuns(Client(sandbox, session, sandbox.alice), random_generator, counts)
        for number in range(kills):
            has_polled = _track_next_poll(chat)
            running = asyncio.create_task(random_runs.run_all(tasks[2 * number : 2 * number + 2]))
            async with run_bot_as_subprocess(settings, folder) as process:
                await wait_until(has_polled)
                await asyncio.sleep(random_generator.uniform(0, _MAX_LIFETIME_SECONDS))
                process.kill()
                await process.wait()
            counts.kills += 1
            await running
        async with run_bot_as_subprocess(settings, folder):
            await wait_until(lambda: not _count_deliveries(chat, counts).missing)
            # Once this is answered, everything before it is in the chat.
            await play(chat, Turn("/whoami", ("alice",)))
    _count_deliveries(chat, counts)
    return counts


@dataclass
class _RandomRuns:
    """Starts and ends experiments at random times."""

    agent: Client
    random_generator: random.Random
    counts: DeliveryCounts

    async def run_all(self, tasks: list[dict[str, Any]]) -> None:
        await asyncio.gather(*(self._run_one(task) for task in tasks))

    async def _run_one(self, task: dict[str, Any]) -> None:
        end = self.random_generator.choice(list(_END_TEXTS))
        self.counts.expected += [(task["name"], _STARTED_TEXT), (task["name"], _END_TEXTS[end])]
        await asyncio.sleep(self.random_generator.uniform(0, _MAX_LIFETIME_SECONDS))
        await self.agent.call_for_data("tasks.started", task=task["id"], force=True)
        await self.agent.call_for_data("workers.status_report", worker="lab:gpu0", task=task["id"], timestamp=1)
        await asyncio.sleep(self.random_generator.uniform(0, 1))
        await self.agent.call_for_data(f"tasks.{end}", task=task["id"])


def _track_next_poll(chat: TelegramChat) -> Callable[[], bool]:
    """Return a function that tells whether the bot has polled for updates since this call."""
    previous_count = chat.server.poll_count
    return lambda: chat.server.poll_count > previous_count


def _count_deliveries(chat: TelegramChat, counts: DeliveryCounts) -> DeliveryCounts:
    """Count the notifications in the chat again. Cards and answers use other words."""
    counts.delivered = Counter(
        event
        for text in _read_notifications(chat)
        for event in set(find_notified_events(text)) & set(counts.expected)
    )
    return counts


def _read_notifications(chat: TelegramChat) -> list[str]:
    """Return the messages and files. Of an overview that doesn't name all experiments, only its file counts."""
    messages = [text for text in chat.read_messages() if "A file with all of them" not in text]
    return messages + [message.file_content.decode() for message in chat.anna.chat.messages.values()]
