"""A conversation with many events at once, a clock that tests move, and a bot that can be restarted."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.bot.frontends.front_end import FrontEnd
from clearml_chatops.models.bursts import BURST_WINDOW
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice
from clearml_chatops.services.notifications.diagnosis import Diagnosis, diagnose_log
from clearml_chatops.services.notifications.failure_diagnosis import FailureDiagnosisService
from clearml_chatops.services.notifications.notifications import NotificationService
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.delivery_log import DeliveryLog
from clearml_chatops.storage.outbox import OutboxStore
from tests.support.memory_platform import MemoryPlatform
from tests.support.program import RunningProgram

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CHANNEL = Conversation("chat", "C1")
LOST = "Forced stop (non-responsive)"
FINISHED = BURST_WINDOW + timedelta(seconds=5)


class DiagnosisByReason(FailureDiagnosisService):
    """Diagnoses runs without a log, from ClearML's reason alone."""

    async def diagnose(self, event: ExperimentEvent) -> Diagnosis | None:
        return diagnose_log([], event.reason) if event.kind is EventKind.FAILED else None


@dataclass
class BurstScenario:
    """A conversation, a clock that the test moves, and a bot that can be restarted."""

    program: RunningProgram
    conversation: Conversation = CHANNEL
    now: datetime = NOON
    platform: MemoryPlatform = field(default_factory=MemoryPlatform)
    front_end: FrontEnd | None = None
    """A real front end instead of the platform in memory."""
    get_id: Callable[[str], str] = lambda name: name.replace(" ", "-")

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, database: Database | None = None) -> None:
        """Start the bot anew: only the database and the delivery log are left."""
        self.process = self.program.program.process
        self.notifications = NotificationService(
            database=database or self.process.database,
            delivery_log=DeliveryLog(self.process.delivery_log_path),
            diagnosis_service=DiagnosisByReason(self.process.clearml.bot),
            clock=lambda: self.now,
        )
        self.delivery = Delivery(
            notifications=self.notifications,
            platform=self.conversation.platform,
            send=self.front_end.deliver if self.front_end else self.platform.send,
            editor=self.front_end or self.platform,
            connected_platforms=("chat", "telegram"),
        )

    async def add(
        self,
        *names: str,
        kind: EventKind = EventKind.FAILED,
        to: Conversation | None = None,
        reason: str = LOST,
        people: tuple[int, ...] = (),
    ) -> None:
        events = [
            ExperimentEvent(kind, self.get_id(name), name, self.now, reason=reason, person_ids=people)
            for name in names
        ]
        await self.queue(*events, to=to)

    async def queue(self, *events: ExperimentEvent | Notice, to: Conversation | None = None) -> None:
        async with self.program.program.process.database.writing() as session:
            await OutboxStore(session).add([(each, to or self.conversation) for each in events], now=self.now)

    async def deliver(self, passed: timedelta = timedelta(0)) -> None:
        """Deliver as the loop does, after some time has passed."""
        self.now += passed
        await self.delivery.deliver_due_messages()

    async def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.deliver(timedelta(seconds=1))

    def count_names(self) -> Counter[str]:
        """Return in how many messages each experiment is named."""
        return Counter(
            name for text in self.platform.texts for name in set(re.findall(r"“([^”]*)”", text.split("[", 1)[0]))
        )
