"""A setup for tests of the watcher: a server, the program, an agent, and a clock that the test moves."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.notifications.failure_diagnosis import FailureDiagnosisService
from clearml_chatops.services.notifications.notifications import NotificationService
from clearml_chatops.services.watching.watcher import Watcher
from clearml_chatops.storage.delivery_log import DeliveryLog
from tests.sandbox.support import Client
from tests.support.program import RunningProgram, to_plain_text

WORKER = "lab:alice_queue:gpu0"


class ManualClock:
    """A clock that starts at the real time and moves only by `advance`, for the server and the watcher."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class WatcherSetup:
    """A server with a manual clock, a program, and an agent that the test controls."""

    clock: ManualClock
    sandbox: Sandbox
    program: RunningProgram
    agent: Client
    watcher: Watcher

    async def poll(self, *, advance_by: float = 1) -> list[str]:
        """Poll once, and return the notifications in order."""
        self.clock.advance(advance_by)
        await self.watcher.poll()
        return await self.deliver()

    @property
    def notifications(self) -> NotificationService:
        process = self.program.program.process
        return NotificationService(
            database=process.database,
            delivery_log=DeliveryLog(process.delivery_log_path),
            diagnosis_service=FailureDiagnosisService(process.clearml.bot, timeout=timedelta(minutes=1)),
            clock=self.clock,
        )

    async def deliver(self) -> list[str]:
        replies = await self.program.deliver_due(self.notifications)
        return [to_plain_text(reply).partition("\n[")[0] for reply in replies]

    async def enqueue_clone(self, name: str = "two GPUs") -> Document:
        """Enqueue a clone of the baseline in Alice's queue."""
        reply = await self.program.send(f"/rerun baseline {name}")
        return self.sandbox.state.tasks[reply.experiment_id]

    async def start_run(self, task: Document, *, worker: str = WORKER) -> None:
        await self.agent.call_for_data("queues.get_next_task", queue=task["execution"]["queue"])
        await self.agent.call_for_data(
            "tasks.started", task=task["id"], force=True, status_message="pulled by agent"
        )
        if worker:
            await self.report_worker_status(task, worker)

    async def report_worker_status(self, task: Document, worker: str = WORKER) -> None:
        timestamp = self.clock().timestamp() * 1000
        await self.agent.call_for_data(
            "workers.status_report", worker=worker, timestamp=timestamp, task=task["id"]
        )

    async def finish_run(self, task: Document, final_status: str, *lines: str, by_agent: bool = False) -> None:
        """End a run as `completed`, `failed` or `stopped`, with these lines in its log."""
        for number, line in enumerate(lines):
            timestamp = int(self.clock().timestamp() * 1000) + number
            await self.agent.call_for_data(
                "events.add",
                type="log",
                level="INFO",
                task=task["id"],
                msg=line,
                timestamp=timestamp,
                worker=WORKER,
            )
        message = f"Changed by clearml-agent {WORKER}" if by_agent else ""
        await self.agent.call_for_data(f"tasks.{final_status}", task=task["id"], status_message=message)


def build_watcher(program: RunningProgram, clock: ManualClock) -> Watcher:
    process = replace(program.program.process, clock=clock)
    return process.watcher


def assert_notifications(texts: list[str], *expected: tuple[str, ...]) -> None:
    """Fail unless there are exactly these notifications, each with its expected parts."""
    assert len(texts) == len(expected), texts
    for text, parts in zip(texts, expected, strict=True):
        assert not [part for part in parts if part not in text], text


def add_changed_experiment(setup: WatcherSetup, name: str, *, status: str = "completed") -> Document:
    """Add an experiment of Bob's that changed its status now."""
    return setup.sandbox.state.add_task(
        name, user=setup.sandbox.bob.id, status=status, status_changed=setup.clock()
    )
