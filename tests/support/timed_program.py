"""The program with a clock that tests move, for notifications that are sent later than their events."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.bot.dispatcher import Dispatcher
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.notification_messages import build_notification_message
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.services.process import ProcessContext
from clearml_chatops.storage.outbox import OutboxStore
from tests.support.program import RunningProgram, to_plain_text

SUNDAY_EVENING = datetime(2026, 11, 22, 21, tzinfo=UTC)
"""A Sunday, 22:00 in Berlin."""


@dataclass
class TimedProgram:
    """A program with a movable clock and a person's conversation. Methods take others as `conversation`."""

    program: RunningProgram
    now: datetime = SUNDAY_EVENING
    conversation: Conversation = field(init=False)

    def __post_init__(self) -> None:
        self.conversation = self.program.conversation
        self.process: ProcessContext = replace(self.program.program.process, clock=lambda: self.now)
        self._dispatcher = Dispatcher(self.process, build_registry())

    async def send(
        self,
        line: str,
        conversation: Conversation | None = None,
        *,
        identity: Identity | None = None,
        is_direct_message: bool = False,
    ) -> Reply:
        return await self._dispatcher.handle(
            IncomingMessage(
                identity or self.program.identity,
                self.program.name,
                conversation or self.conversation,
                line,
                is_direct_message=is_direct_message,
            )
        )

    async def ask(self, line: str, conversation: Conversation | None = None) -> str:
        """Send a line that must succeed, and return the text of the reply."""
        reply = await self.send(line, conversation)
        assert reply.outcome is Outcome.DONE, to_plain_text(reply)
        return to_plain_text(reply)

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    async def add_event(
        self,
        name: str,
        kind: EventKind = EventKind.COMPLETED,
        conversation: Conversation | None = None,
        *,
        running_time: timedelta | None = None,
        people: tuple[int, ...] = (),
    ) -> None:
        await self._add_to_outbox(
            ExperimentEvent(kind, name, name, at=self.now, running_time=running_time, person_ids=people),
            conversation,
        )

    async def add_notice(self, text: str, conversation: Conversation | None = None) -> None:
        await self._add_to_outbox(Notice(text, text, self.now), conversation)

    async def list_due(self, conversation: Conversation | None = None) -> list[Reply]:
        """Return what would be sent now, without marking it as delivered."""
        conversation = conversation or self.conversation
        messages = await self.process.notifications.list_due(conversation.platform, conversation.id)
        return [
            build_notification_message(await self.process.notifications.add_diagnosis(item)) for item in messages
        ]

    async def deliver_due(self, conversation: Conversation | None = None) -> list[str]:
        """Deliver until nothing is due, and return the texts."""
        conversation = conversation or self.conversation
        texts = []
        while messages := await self.process.notifications.list_due(conversation.platform, conversation.id):
            for item in messages:
                texts.append(
                    to_plain_text(build_notification_message(await self.process.notifications.add_diagnosis(item)))
                )
                await self.process.notifications.mark_delivered(item)
        return texts

    async def _add_to_outbox(self, event: ExperimentEvent | Notice, conversation: Conversation | None) -> None:
        async with self.process.database.writing() as session:
            await OutboxStore(session).add([(event, conversation or self.conversation)], now=self.now)
