"""The program with a clock that stands until it is moved: for what is told later than it happens."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.bot.dispatcher import Dispatcher
from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.handlers.notification_messages import notification_message
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.services.process import ProcessContext
from clearml_chatops.storage.outbox import OutboxStore
from tests.support.program import RunningProgram, plain_text

EVENING = datetime(2026, 11, 22, 21, tzinfo=UTC)
"""A Sunday, 22:00 in Berlin."""


@dataclass
class Evening:
    """One person's conversation; others by `of`."""

    program: RunningProgram
    now: datetime = EVENING
    place: Conversation = field(init=False)

    def __post_init__(self) -> None:
        self.place = self.program.conversation
        self.process: ProcessContext = replace(self.program.program.process, clock=lambda: self.now)
        self._dispatcher = Dispatcher(self.process, all_commands())

    async def say(
        self,
        line: str,
        place: Conversation | None = None,
        *,
        identity: Identity | None = None,
        private: bool = False,
    ) -> Reply:
        return await self._dispatcher.handle(
            IncomingMessage(
                identity or self.program.identity,
                self.program.name,
                place or self.place,
                line,
                in_private=private,
            )
        )

    async def ask(self, line: str, place: Conversation | None = None) -> str:
        """The text of the reply to a line that must succeed."""
        reply = await self.say(line, place)
        assert reply.outcome is Outcome.DONE, plain_text(reply)
        return plain_text(reply)

    def passes(self, **length: float) -> None:
        self.now += timedelta(**length)

    async def happens(
        self,
        name: str,
        kind: EventKind = EventKind.COMPLETED,
        place: Conversation | None = None,
        *,
        ran: timedelta | None = None,
        people: tuple[int, ...] = (),
    ) -> None:
        await self._put(ExperimentEvent(kind, name, name, at=self.now, ran=ran, people=people), place)

    async def noted(self, text: str, place: Conversation | None = None) -> None:
        await self._put(Notice(text, text, self.now), place)

    async def due(self, place: Conversation | None = None) -> list[Reply]:
        """What would be sent now, and is not noted as told."""
        place = place or self.place
        messages = await self.process.notifications.due(place.platform, place.id)
        return [notification_message(await self.process.notifications.in_full(item)) for item in messages]

    async def told(self, place: Conversation | None = None) -> list[str]:
        """What is sent now, until nothing is due any more, as texts."""
        place = place or self.place
        texts = []
        while messages := await self.process.notifications.due(place.platform, place.id):
            for item in messages:
                texts.append(plain_text(notification_message(await self.process.notifications.in_full(item))))
                await self.process.notifications.delivered(item)
        return texts

    async def _put(self, event: ExperimentEvent | Notice, place: Conversation | None) -> None:
        async with self.process.database.writing() as session:
            await OutboxStore(session).add([(event, place or self.place)], now=self.now)
