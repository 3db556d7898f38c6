"""Delivery: queued messages reach their conversation once and in order, however long it takes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.bot.frontends.front_end import DestinationGoneError, OnDelivered
from clearml_chatops.bot.frontends.slack.rendering import render as slack_message
from clearml_chatops.bot.frontends.telegram.rendering import render as telegram_messages
from clearml_chatops.handlers.notification_messages import build_notification_message
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.experiments import ParameterName
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notification
from clearml_chatops.models.people import Identity, Role
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.notifications.diagnosis import Diagnosis, SuggestedChange
from clearml_chatops.services.notifications.failure_diagnosis import FailureDiagnosisService
from clearml_chatops.services.notifications.failure_patterns.rows import FailureCause, NextStep
from clearml_chatops.services.notifications.notifications import NotificationService
from clearml_chatops.storage.delivery_log import DeliveryLog
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore
from tests.support.experiments import add_log
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, get_buttons, to_plain_text

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONVERSATION = Conversation("terminal", "alice")
OTHER_CONVERSATION = Conversation("chat", "C1")


@dataclass
class FakeChannel:
    """A platform that can be broken, and a clock that tests move."""

    program: RunningProgram
    now: datetime = NOON
    is_broken: bool = False
    gone_conversations: tuple[Conversation, ...] = ()
    delivered_replies: list[Reply] = field(default_factory=list)
    attempts: int = 0

    async def send(self, conversation: Conversation, reply: Reply, on_delivered: OnDelivered) -> None:
        self.attempts += 1
        if self.is_broken:
            raise ConnectionResetError
        if conversation in self.gone_conversations:
            raise DestinationGoneError("blocked")
        self.delivered_replies.append(reply)
        await on_delivered()

    def create_delivery(
        self, conversation: Conversation = CONVERSATION, *, service: NotificationService | None = None
    ) -> Delivery:
        return Delivery(
            notifications=service or self.create_notification_service(),
            platform=conversation.platform,
            conversation_id=conversation.id,
            connected_platforms=("slack", "telegram"),
            send=self.send,
        )

    def create_notification_service(self) -> NotificationService:
        process = self.program.program.process
        return NotificationService(
            database=process.database,
            delivery_log=DeliveryLog(process.delivery_log_path),
            diagnosis_service=FailureDiagnosisService(process.clearml.bot, timeout=timedelta(minutes=1)),
            clock=lambda: self.now,
        )

    async def add_event(
        self,
        name: str,
        *,
        kind: EventKind = EventKind.COMPLETED,
        to: Conversation = CONVERSATION,
        id_: str = "",
        people: tuple[int, ...] = (),
    ) -> None:
        event = ExperimentEvent(kind, id_ or name, name, at=self.now, person_ids=people)
        async with self.program.program.process.database.writing() as session:
            await OutboxStore(session).add([(event, to)], now=self.now)

    @property
    def delivered_names(self) -> list[str]:
        """The names of the experiments in the delivered messages."""
        return [to_plain_text(reply).split("”")[0].lstrip("“") for reply in self.delivered_replies]


@pytest.fixture
async def channel(program: RunningProgram) -> FakeChannel:
    return FakeChannel(program)


async def test_messages_are_delivered_in_order_and_once(channel: FakeChannel) -> None:
    for name in ("third", "first", "second"):
        await channel.add_event(name)
    assert await channel.create_delivery().deliver_due_messages() == 3
    assert channel.delivered_names == ["third", "first", "second"]
    channel.now += timedelta(days=1)
    assert await channel.create_delivery().deliver_due_messages() == 0
    assert await channel.create_delivery().deliver_due_messages() == 0


async def test_a_duplicate_event_is_delivered_once(channel: FakeChannel) -> None:
    for _ in range(2):
        await channel.add_event("first")
    assert await channel.create_delivery().deliver_due_messages() == 1


async def test_each_conversation_gets_its_own_messages(channel: FakeChannel) -> None:
    await channel.add_event("mine")
    await channel.add_event("theirs", to=OTHER_CONVERSATION)
    assert await channel.create_delivery().deliver_due_messages() == 1
    assert channel.delivered_names == ["mine"]
    assert await channel.create_delivery(OTHER_CONVERSATION).deliver_due_messages() == 1


async def test_a_failed_message_is_retried_with_growing_delays(channel: FakeChannel) -> None:
    await channel.add_event("first")
    channel.is_broken = True
    for attempt, pause in enumerate((2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600), 1):
        await channel.create_delivery().deliver_due_messages()
        assert channel.attempts == attempt
        channel.now += timedelta(seconds=pause - 1)
        await channel.create_delivery().deliver_due_messages()
        assert channel.attempts == attempt, f"retried before {pause} s were over"
        channel.now += timedelta(seconds=1)
    channel.is_broken = False
    assert await channel.create_delivery().deliver_due_messages() == 1
    assert channel.delivered_names == ["first"]


async def test_later_messages_wait_for_a_failed_one(channel: FakeChannel) -> None:
    """The start is always announced before the end."""
    await channel.add_event("first")
    await channel.add_event("second")
    channel.is_broken = True
    assert await channel.create_delivery().deliver_due_messages() == 0
    assert channel.attempts == 1
    channel.is_broken = False
    await channel.add_event("third")
    assert await channel.create_delivery().deliver_due_messages() == 0, "the first one still waits for its retry"
    channel.now += timedelta(seconds=2)
    assert await channel.create_delivery().deliver_due_messages() == 3
    assert channel.delivered_names == ["first", "second", "third"]


async def test_a_failing_conversation_does_not_delay_another(channel: FakeChannel) -> None:
    await channel.add_event("first")
    await channel.add_event("second", to=OTHER_CONVERSATION)
    channel.is_broken = True
    await channel.create_delivery().deliver_due_messages()
    channel.is_broken = False
    assert await channel.create_delivery(OTHER_CONVERSATION).deliver_due_messages() == 1


async def test_a_failure_between_messages_repeats_nothing(channel: FakeChannel) -> None:
    for name in ("first", "second", "third"):
        await channel.add_event(name)

    class BreakingChannel(FakeChannel):
        async def send(self, conversation: Conversation, reply: Reply, on_delivered: OnDelivered) -> None:
            self.is_broken = len(self.delivered_replies) == 1
            await super().send(conversation, reply, on_delivered)

    breaking_channel = BreakingChannel(channel.program)
    assert await breaking_channel.create_delivery().deliver_due_messages() == 1
    channel.now += timedelta(seconds=2)
    assert await channel.create_delivery().deliver_due_messages() == 2
    assert breaking_channel.delivered_names + channel.delivered_names == ["first", "second", "third"]


async def test_many_messages_are_delivered_without_gaps(channel: FakeChannel) -> None:
    names = [f"run {number:03}" for number in range(120)]
    for name in names:
        await channel.add_event(name)
    while await channel.create_delivery().deliver_due_messages():
        pass
    assert channel.delivered_names == names


async def test_events_of_one_experiment_fit_in_one_message(channel: FakeChannel) -> None:
    """If only one part of a message arrived, it would be incomplete or repeated."""
    for number in range(20):
        channel.now += timedelta(seconds=1)
        kind = EventKind.FAILED if number % 2 else EventKind.STARTED
        await channel.add_event("n" * 5000, kind=kind, id_="e1")
    due = await channel.create_notification_service().list_due(CONVERSATION.platform, CONVERSATION.id)
    assert [len(message.notifications) for message in due] == [8, 8, 4]
    change = SuggestedChange(ParameterName("Args", "p" * 500), "0,1", "q1")
    diagnosis = Diagnosis(
        FailureCause.CODE,
        "s" * 1000,
        ("l" * 10_000,) * 8,
        steps=tuple(NextStep),
        is_machine_fault=True,
        suggested_change=change,
    )
    for message in due:
        reply = build_notification_message(replace(message, diagnosis=diagnosis))
        assert len(telegram_messages(reply)) == 1
        assert not slack_message(reply).has_files


async def test_a_failure_is_delivered_without_its_log(channel: FakeChannel, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    failed = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    await channel.add_event("with a log", kind=EventKind.FAILED, id_=failed["id"])
    await channel.add_event("deleted", kind=EventKind.FAILED, id_="0" * 32)
    await channel.create_delivery().deliver_due_messages()
    assert channel.delivered_names == ["with a log", "deleted"]
    assert "CUDA out of memory" in to_plain_text(channel.delivered_replies[0])
    await sandbox.aclose()
    await channel.add_event("server down", kind=EventKind.FAILED, id_="1" * 32)
    await channel.create_delivery().deliver_due_messages()
    assert channel.delivered_names[-1] == "server down"


async def test_each_message_has_buttons_for_next_steps(channel: FakeChannel, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    failed = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    add_log(sandbox, failed, "OSError: [Errno 28] No space left on device")
    await channel.add_event("failed", kind=EventKind.FAILED, id_=failed["id"])
    await channel.create_delivery().deliver_due_messages()
    buttons = get_buttons(channel.delivered_replies[0])
    await channel.program.ask("/queue create")
    for label in ("Show log", "Clone and edit", "Retry"):
        await channel.program.ask(buttons[label])
    assert failed["status"] == "queued"


# ── Delivered once, whatever fails afterwards ─────────────────────────────────────────────────────


class UnwritableNotificationService(NotificationService):
    """A service that can't write to the database."""

    async def _store_delivered(self, _notifications: Sequence[Notification]) -> None:
        raise DatabaseUnusableError(url="sqlite://", reason="database or disk is full")


@pytest.mark.parametrize("restarted", [True, False])
async def test_a_sent_message_is_not_repeated_when_the_database_fails(
    channel: FakeChannel, *, restarted: bool
) -> None:
    """The same happens if the program is killed, the disk is full, or another program holds the lock."""
    for name in ("first", "second"):
        await channel.add_event(name)
    service = channel.create_notification_service()
    service.__class__ = UnwritableNotificationService
    with pytest.raises(DatabaseUnusableError):
        await channel.create_delivery(service=service).deliver_due_messages()
    assert channel.delivered_names == ["first"]
    service.__class__ = NotificationService
    await channel.add_event("first", kind=EventKind.FAILED)
    assert await channel.create_delivery(service=None if restarted else service).deliver_due_messages() == 2
    assert channel.delivered_names == ["first", "second", "first"]
    assert to_plain_text(channel.delivered_replies[2]).count("“first”") == 1
    assert channel.program.program.process.delivery_log_path.read_text() == "", "all of it is in the database"


async def test_what_a_kill_leaves_in_the_delivery_log_is_removed_once_the_database_has_it(
    channel: FakeChannel,
) -> None:
    await channel.add_event("first")
    [message] = await channel.create_notification_service().list_due(CONVERSATION.platform, CONVERSATION.id)
    await channel.create_delivery().deliver_due_messages()
    await channel.add_event("second")
    [waiting] = await channel.create_notification_service().list_due(CONVERSATION.platform, CONVERSATION.id)
    path = channel.program.program.process.delivery_log_path
    DeliveryLog(path).add([*message.notifications, *waiting.notifications])
    await channel.create_notification_service().delete_old()
    assert all(item in DeliveryLog(path) for item in waiting.notifications), "the database doesn't have it yet"
    service = channel.create_notification_service()
    await service.delete_old()
    await channel.create_delivery(service=service).deliver_due_messages()
    assert channel.delivered_names == ["first"]
    assert path.read_text() == ""


async def test_delivered_messages_are_kept_for_a_month_and_queued_ones_until_sent(channel: FakeChannel) -> None:
    event = ExperimentEvent(EventKind.COMPLETED, "first", "first", at=channel.now)

    async def add_event_again() -> None:
        async with channel.program.program.process.database.writing() as session:
            await OutboxStore(session).add([(event, CONVERSATION), (event, OTHER_CONVERSATION)], now=channel.now)

    await add_event_again()
    assert await channel.create_delivery().deliver_due_messages() == 1
    channel.now += timedelta(days=30)
    assert await channel.create_notification_service().delete_old() == 0
    await add_event_again()
    assert await channel.create_delivery().deliver_due_messages() == 0
    channel.now += timedelta(seconds=1)
    assert await channel.create_notification_service().delete_old() == 1
    assert await channel.create_notification_service().delete_old() == 0
    assert await channel.create_delivery(OTHER_CONVERSATION).deliver_due_messages() == 1, "it is still queued"


# ── Unreachable and slow conversations ────────────────────────────────────────────────────────────

ON_SLACK = Conversation("slack", "D1")
ON_TELEGRAM = Conversation("telegram", "7")


async def _add_person_on_both_platforms(channel: FakeChannel, role: Role = Role.MEMBER) -> tuple[int, ...]:
    """Add a person who is on both platforms, and return their ids."""
    async with channel.program.program.process.database.writing() as session:
        people = PeopleStore(session)
        person = await people.add(Identity("slack", "U1", "T1"), name="Anna", role=role, clearml_user_id="")
        await people.link(Identity("telegram", ON_TELEGRAM.id), person.id)
        return (person.id,)


async def test_admins_are_notified_once_of_a_message_that_failed_for_a_day(channel: FakeChannel) -> None:
    await _add_person_on_both_platforms(channel, Role.ADMIN)
    await channel.add_event("lost", to=OTHER_CONVERSATION)
    channel.is_broken = True
    for _ in range(24 * 60 // 10):
        await channel.create_delivery(OTHER_CONVERSATION).deliver_due_messages()
        channel.now += timedelta(minutes=10)
    await channel.create_delivery(OTHER_CONVERSATION).deliver_due_messages()
    channel.is_broken = False
    await channel.add_event("later", to=OTHER_CONVERSATION)
    await channel.create_delivery(OTHER_CONVERSATION).deliver_due_messages()
    assert channel.delivered_names == ["later"]
    for conversation in (Conversation("slack", "U1"), ON_TELEGRAM):
        channel.delivered_replies.clear()
        assert await channel.create_delivery(conversation).deliver_due_messages() == 1
        assert (
            "Notifications for “lost” couldn't be sent to chat:C1 for a day (ConnectionResetError)"
            in to_plain_text(channel.delivered_replies[0])
        )


async def test_who_blocked_the_bot_is_notified_on_another_platform(channel: FakeChannel) -> None:
    people = await _add_person_on_both_platforms(channel)
    await channel.add_event("first", to=ON_SLACK, people=people)
    await channel.add_event("first", kind=EventKind.FAILED, to=ON_SLACK, people=people)
    channel.gone_conversations = (ON_SLACK,)
    await channel.create_delivery(ON_SLACK).deliver_due_messages()
    assert channel.delivered_names == []
    assert await channel.create_delivery(ON_SLACK).deliver_due_messages() == 0
    assert await channel.create_delivery(ON_TELEGRAM).deliver_due_messages() == 1
    assert [to_plain_text(channel.delivered_replies[0]).count(word) for word in ("completed", "failed")] == [1, 1]


async def test_an_unreachable_person_does_not_delay_others(channel: FakeChannel) -> None:
    people = await _add_person_on_both_platforms(channel)
    await channel.add_event("first", to=ON_SLACK, people=people)
    channel.gone_conversations = (ON_SLACK, ON_TELEGRAM, Conversation("slack", "U1"))
    for conversation in (*channel.gone_conversations, *channel.gone_conversations):
        await channel.create_delivery(conversation).deliver_due_messages()
    assert channel.delivered_names == []
    channel.gone_conversations = ()
    await channel.add_event("second", to=ON_SLACK)
    assert await channel.create_delivery(ON_SLACK).deliver_due_messages() == 1


async def test_a_slow_conversation_does_not_delay_another(channel: FakeChannel) -> None:
    slow_conversation, may_continue = Conversation("chat", "slow"), asyncio.Event()
    delivered_names: list[str] = []

    async def send(conversation: Conversation, reply: Reply, on_delivered: OnDelivered) -> None:
        if conversation == slow_conversation:
            await may_continue.wait()
        delivered_names.append(to_plain_text(reply).split("”")[0].lstrip("“"))
        await on_delivered()

    delivery = Delivery(notifications=channel.create_notification_service(), platform="chat", send=send)
    await channel.add_event("slow one", to=slow_conversation)
    await channel.add_event("first", to=OTHER_CONVERSATION)
    await delivery.start_due_deliveries()
    await wait_until(lambda: delivered_names == ["first"])
    await channel.add_event("second", to=OTHER_CONVERSATION)
    await channel.add_event("slow two", to=slow_conversation)
    await delivery.start_due_deliveries()
    await wait_until(lambda: delivered_names == ["first", "second"])
    may_continue.set()
    await wait_until(lambda: delivered_names[2:] == ["slow one", "slow two"])
    await delivery.finish()
    assert await channel.create_delivery(slow_conversation).deliver_due_messages() == 0, "each once"


async def test_a_message_in_flight_is_marked_delivered_before_the_end(channel: FakeChannel) -> None:
    started, may_continue = asyncio.Event(), asyncio.Event()

    async def send(_conversation: Conversation, _reply: Reply, on_delivered: OnDelivered) -> None:
        started.set()
        await may_continue.wait()
        await on_delivered()

    delivery = Delivery(notifications=channel.create_notification_service(), platform="chat", send=send)
    await channel.add_event("first", to=OTHER_CONVERSATION)
    await delivery.start_due_deliveries()
    await started.wait()
    finish_task = asyncio.create_task(delivery.finish())
    may_continue.set()
    await finish_task
    assert await channel.create_delivery(OTHER_CONVERSATION).deliver_due_messages() == 0
