"""A world for the watcher: a server whose time stands still, the program on it, and an agent that obeys."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.notifications.failure_triage import FailureTriage
from clearml_chatops.services.notifications.notifications import NotificationService
from clearml_chatops.services.watching.watching import Watcher
from clearml_chatops.storage.told import ToldFile
from tests.sandbox.support import Client
from tests.support.program import RunningProgram, plain_text

WORKER = "lab:alice_queue:gpu0"


class Clock:
    """A clock that begins now and goes on only when told to: the server's and the watcher's."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class World:
    """A server whose time stands still, a program on it, and an agent that does what it is told."""

    clock: Clock
    sandbox: Sandbox
    program: RunningProgram
    agent: Client
    watcher: Watcher

    async def look(self, *, later: float = 1) -> list[str]:
        """What a look of the watcher has the person told, in order."""
        self.clock.advance(later)
        await self.watcher.look()
        return await self.delivered()

    @property
    def notifications(self) -> NotificationService:
        process = self.program.program.process
        return NotificationService(
            database=process.database,
            told=ToldFile(process.told_file),
            triage=FailureTriage(process.clearml.bot, patience=timedelta(minutes=1)),
            clock=self.clock,
        )

    async def delivered(self) -> list[str]:
        told = await self.program.told(self.notifications)
        return [plain_text(reply).partition("\n[")[0] for reply in told]

    async def enqueued(self, name: str = "two cards") -> Document:
        """A clone of the baseline that waits in Alice's queue."""
        reply = await self.program.say(f"/rerun baseline {name}")
        return self.sandbox.state.tasks[reply.experiment_id]

    async def start(self, task: Document, *, worker: str = WORKER) -> None:
        await self.agent.data("queues.get_next_task", queue=task["execution"]["queue"])
        await self.agent.data("tasks.started", task=task["id"], force=True, status_message="pulled by agent")
        if worker:
            await self.report(task, worker)

    async def report(self, task: Document, worker: str = WORKER) -> None:
        timestamp = self.clock().timestamp() * 1000
        await self.agent.data("workers.status_report", worker=worker, timestamp=timestamp, task=task["id"])

    async def end(self, task: Document, how: str, *lines: str, by_agent: bool = False) -> None:
        """Lets a run end as `completed`, `failed` or `stopped`, with these lines in its log."""
        for number, line in enumerate(lines):
            timestamp = int(self.clock().timestamp() * 1000) + number
            await self.agent.data(
                "events.add",
                type="log",
                level="INFO",
                task=task["id"],
                msg=line,
                timestamp=timestamp,
                worker=WORKER,
            )
        message = f"Changed by clearml-agent {WORKER}" if by_agent else ""
        await self.agent.data(f"tasks.{how}", task=task["id"], status_message=message)


def watcher_of(program: RunningProgram, clock: Clock) -> Watcher:
    process = replace(program.program.process, clock=clock)
    return process.watcher


def verify(told: list[str], *expected: tuple[str, ...]) -> None:
    """Fails unless exactly these were told, each with these parts in it."""
    assert len(told) == len(expected), told
    for text, parts in zip(told, expected, strict=True):
        assert not [part for part in parts if part not in text], text


def add_changed(world: World, name: str, *, status: str = "completed") -> Document:
    """An experiment of Bob's that changed its status now."""
    return world.sandbox.state.add_task(
        name, user=world.sandbox.bob.id, status=status, status_changed=world.clock()
    )
