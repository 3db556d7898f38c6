"""The bot killed at random moments while experiments come and go, and what people have heard of it."""

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
from tests.e2e.conftest import process_running
from tests.sandbox.support import Client
from tests.support.chats import TelegramChat, bot_settings, play
from tests.support.dialogs import Turn
from tests.support.waiting import until

_ENDS = {"completed": "is Completed", "failed": "has Failed"}
_LEFT = "has left Pending"
_LONGEST_LIFE = 2.0
"""Seconds that the bot lives at most once it listens."""


@dataclass
class Toll:
    """What was to be told, and how often each was."""

    kills: int = 0
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    wanted: list[tuple[str, str]] = field(default_factory=list)

    @property
    def lost(self) -> list[tuple[str, str]]:
        return [event for event in self.wanted if not self.told[event]]

    @property
    def doubled(self) -> int:
        """How often something was told that had been told before."""
        return sum(self.told[event] - 1 for event in self.wanted if self.told[event] > 1)

    @property
    def doubled_messages(self) -> int:
        """How many messages that makes: what happens to an experiment at nearly one time is told in one."""
        doubles: Counter[str] = Counter()
        for name, event in self.wanted:
            doubles[name] = max(doubles[name], self.told[name, event] - 1)
        return doubles.total()


async def killed_again_and_again(
    sandbox: Sandbox, chat: TelegramChat, folder: Path, *, kills: int, seed: int
) -> Toll:
    """Kills the bot so many times by SIGKILL, each time at a random moment, and then lets it tell the rest."""
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = bot_settings(sandbox, folder / "data", CHATOPS_WATCH_SECONDS=0.2, **chat.settings(sandbox))
    chance, toll = random.Random(seed), Toll()
    async with process_running(settings, folder):
        await play(chat, Turn("/queue create", ("yours",)))
        for number in range(2 * kills):
            await play(chat, Turn(f"/rerun baseline run {number:04}", ("Pending in",)))
    tasks = [task for task in sandbox.state.tasks.values() if task["name"].startswith("run ")]
    async with aiohttp.ClientSession() as session:
        lives = _Lives(Client(sandbox, session, sandbox.alice), chance, toll)
        for number in range(kills):
            listens = _next_poll(chat)
            going_on = asyncio.create_task(lives.of(tasks[2 * number : 2 * number + 2]))
            async with process_running(settings, folder) as process:
                await until(listens)
                await asyncio.sleep(chance.uniform(0, _LONGEST_LIFE))
                process.kill()
                await process.wait()
            toll.kills += 1
            await going_on
        async with process_running(settings, folder):
            await until(lambda: not _count(chat, toll).lost)
            # All before it stands in the chat when this is answered.
            await play(chat, Turn("/whoami", ("alice",)))
    _count(chat, toll)
    return toll


@dataclass
class _Lives:
    """Experiments that begin and end at random moments."""

    agent: Client
    chance: random.Random
    toll: Toll

    async def of(self, tasks: list[dict[str, Any]]) -> None:
        await asyncio.gather(*(self._of_one(task) for task in tasks))

    async def _of_one(self, task: dict[str, Any]) -> None:
        end = self.chance.choice(list(_ENDS))
        self.toll.wanted += [(task["name"], _LEFT), (task["name"], _ENDS[end])]
        await asyncio.sleep(self.chance.uniform(0, _LONGEST_LIFE))
        await self.agent.data("tasks.started", task=task["id"], force=True)
        await self.agent.data("workers.status_report", worker="lab:gpu0", task=task["id"], timestamp=1)
        await asyncio.sleep(self.chance.uniform(0, 1))
        await self.agent.data(f"tasks.{end}", task=task["id"])


def _next_poll(chat: TelegramChat) -> Callable[[], bool]:
    """Whether the bot has asked for updates since."""
    before = chat.server.polls
    return lambda: chat.server.polls > before


def _count(chat: TelegramChat, toll: Toll) -> Toll:
    """Counts anew what stands in the chat; cards and answers say it in other words."""
    toll.told = Counter(
        (name, event) for text in chat.heard() for name, event in toll.wanted if f"“{name}” {event}" in text
    )
    return toll
