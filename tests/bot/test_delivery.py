"""Delivery: what is in the outbox reaches its conversation, in order, once, and sooner or later."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.bot.frontends.front_end import Arrived, DestinationGoneError
from clearml_chatops.bot.frontends.slack.rendering import render as slack_message
from clearml_chatops.bot.frontends.telegram.rendering import render as telegram_messages
from clearml_chatops.handlers.notification_messages import notification_message
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notification
from clearml_chatops.models.people import Identity, Role
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.notifications.failure_triage import FailureTriage
from clearml_chatops.services.notifications.notifications import NotificationService
from clearml_chatops.services.notifications.triage import FailureKind, Triage
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.told import ToldFile
from tests.support.program import RunningProgram, buttons, plain_text
from tests.support.waiting import until

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HERE = Conversation("terminal", "alice")
ELSEWHERE = Conversation("chat", "C1")


@dataclass
class Line:
    """A conversation, with the line to it sometimes broken, and a clock that stands until it is moved."""

    program: RunningProgram
    now: datetime = NOON
    broken: bool = False
    gone: tuple[Conversation, ...] = ()
    heard: list[Reply] = field(default_factory=list)
    attempts: int = 0

    async def send(self, _conversation: Conversation, reply: Reply, arrived: Arrived) -> None:
        self.attempts += 1
        if self.broken:
            raise ConnectionResetError
        if _conversation in self.gone:
            raise DestinationGoneError("blocked")
        self.heard.append(reply)
        await arrived()

    def delivery(
        self, conversation: Conversation = HERE, *, service: NotificationService | None = None
    ) -> Delivery:
        return Delivery(
            notifications=service or self.notifications(),
            platform=conversation.platform,
            conversation_id=conversation.id,
            platforms=("slack", "telegram"),
            send=self.send,
        )

    def notifications(self) -> NotificationService:
        process = self.program.program.process
        return NotificationService(
            database=process.database,
            told=ToldFile(process.told_file),
            triage=FailureTriage(process.clearml.bot, patience=timedelta(minutes=1)),
            clock=lambda: self.now,
        )

    async def happens(
        self,
        name: str,
        *,
        kind: EventKind = EventKind.COMPLETED,
        to: Conversation = HERE,
        id_: str = "",
        people: tuple[int, ...] = (),
    ) -> None:
        event = ExperimentEvent(kind, id_ or name, name, at=self.now, people=people)
        async with self.program.program.process.database.writing() as session:
            await OutboxStore(session).add([(event, to)], now=self.now)

    @property
    def told(self) -> list[str]:
        """The names of the experiments that were told of."""
        return [plain_text(reply).split("”")[0].lstrip("“") for reply in self.heard]


@pytest.fixture
async def line(program: RunningProgram) -> Line:
    return Line(program)


async def test_things_are_told_in_the_order_in_which_they_happened_and_once(line: Line) -> None:
    for name in ("third", "first", "second"):
        await line.happens(name)
    assert await line.delivery().deliver_due() == 3
    assert line.told == ["third", "first", "second"]
    line.now += timedelta(days=1)
    assert await line.delivery().deliver_due() == 0
    assert await line.delivery().deliver_due() == 0


async def test_the_same_thing_seen_twice_is_told_once(line: Line) -> None:
    for _ in range(2):
        await line.happens("first")
    assert await line.delivery().deliver_due() == 1


async def test_each_conversation_gets_its_own(line: Line) -> None:
    await line.happens("mine")
    await line.happens("theirs", to=ELSEWHERE)
    assert await line.delivery().deliver_due() == 1
    assert line.told == ["mine"]
    assert await line.delivery(ELSEWHERE).deliver_due() == 1


async def test_what_cannot_be_sent_is_tried_again_later_and_later(line: Line) -> None:
    await line.happens("first")
    line.broken = True
    for attempt, pause in enumerate((2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600), 1):
        await line.delivery().deliver_due()
        assert line.attempts == attempt
        line.now += timedelta(seconds=pause - 1)
        await line.delivery().deliver_due()
        assert line.attempts == attempt, f"tried again before {pause} s were over"
        line.now += timedelta(seconds=1)
    line.broken = False
    assert await line.delivery().deliver_due() == 1
    assert line.told == ["first"]


async def test_what_happened_after_it_waits_with_what_cannot_be_sent(line: Line) -> None:
    """Completed is never told before left Pending, whatever the line does."""
    await line.happens("first")
    await line.happens("second")
    line.broken = True
    assert await line.delivery().deliver_due() == 0
    assert line.attempts == 1
    line.broken = False
    await line.happens("third")
    assert await line.delivery().deliver_due() == 0, "the pause of the first one is not over"
    line.now += timedelta(seconds=2)
    assert await line.delivery().deliver_due() == 3
    assert line.told == ["first", "second", "third"]


async def test_a_broken_conversation_does_not_hold_up_another(line: Line) -> None:
    await line.happens("first")
    await line.happens("second", to=ELSEWHERE)
    line.broken = True
    await line.delivery().deliver_due()
    line.broken = False
    assert await line.delivery(ELSEWHERE).deliver_due() == 1


async def test_the_line_breaking_in_the_middle_repeats_nothing(line: Line) -> None:
    for name in ("first", "second", "third"):
        await line.happens(name)

    class Breaking(Line):
        async def send(self, _conversation: Conversation, reply: Reply, arrived: Arrived) -> None:
            self.broken = len(self.heard) == 1
            await super().send(_conversation, reply, arrived)

    breaking = Breaking(line.program)
    assert await breaking.delivery().deliver_due() == 1
    line.now += timedelta(seconds=2)
    assert await line.delivery().deliver_due() == 2
    assert breaking.told + line.told == ["first", "second", "third"]


async def test_many_are_told_without_end_or_gap(line: Line) -> None:
    names = [f"run {number:03}" for number in range(120)]
    for name in names:
        await line.happens(name)
    while await line.delivery().deliver_due():
        pass
    assert line.told == names


async def test_what_has_happened_to_one_experiment_fits_in_one_message_of_each_platform(line: Line) -> None:
    """A message of two parts of which only one arrives would come half, or twice."""
    for number in range(20):
        line.now += timedelta(seconds=1)
        kind = EventKind.FAILED if number % 2 else EventKind.LEFT_PENDING
        await line.happens("n" * 5000, kind=kind, id_="e1")
    due = await line.notifications().due(HERE.platform, HERE.id)
    assert [len(message.notifications) for message in due] == [8, 8, 4]
    why = Triage(FailureKind.CODE, "s" * 200, ("l" * 10_000,) * 8)
    for message in due:
        reply = notification_message(replace(message, triage=why))
        assert len(telegram_messages(reply)) == 1
        assert not slack_message(reply).has_files


async def test_a_failure_is_told_also_where_its_log_cannot_be_had(line: Line, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    failed = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    await line.happens("with a log", kind=EventKind.FAILED, id_=failed["id"])
    await line.happens("deleted", kind=EventKind.FAILED, id_="0" * 32)
    await line.delivery().deliver_due()
    assert line.told == ["with a log", "deleted"]
    assert "CUDA out of memory" in plain_text(line.heard[0])
    await sandbox.aclose()
    await line.happens("server down", kind=EventKind.FAILED, id_="1" * 32)
    await line.delivery().deliver_due()
    assert line.told[-1] == "server down"


async def test_each_message_offers_what_may_be_done_next(line: Line, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    failed = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    await line.happens("failed", kind=EventKind.FAILED, id_=failed["id"])
    await line.delivery().deliver_due()
    offered = buttons(line.heard[0])
    await line.program.ask("/queue create")
    for label in ("Show log", "Clone and edit", "Retry"):
        await line.program.ask(offered[label])
    assert failed["status"] == "queued"


# ── Told once, whatever happens in the next moment ────────────────────────────────────────────────


class WithoutDatabase(NotificationService):
    """The database cannot be written at the moment."""

    async def _note_delivered(self, _notifications: Sequence[Notification]) -> None:
        raise DatabaseUnusableError(url="sqlite://", reason="database or disk is full")


@pytest.mark.parametrize("restarted", [True, False])
async def test_what_was_told_and_could_not_be_noted_is_not_told_again(line: Line, *, restarted: bool) -> None:
    """As where the program is killed in that moment, the disk is full, or another program keeps the lock."""
    for name in ("first", "second"):
        await line.happens(name)
    service = line.notifications()
    service.__class__ = WithoutDatabase
    with pytest.raises(DatabaseUnusableError):
        await line.delivery(service=service).deliver_due()
    assert line.told == ["first"]
    service.__class__ = NotificationService
    await line.happens("first", kind=EventKind.FAILED)
    assert await line.delivery(service=None if restarted else service).deliver_due() == 2
    assert line.told == ["first", "second", "first"]
    assert plain_text(line.heard[2]).count("“first”") == 1
    assert line.program.program.process.told_file.read_text() == "", "all of it is in the database"


async def test_what_was_told_is_kept_for_a_month_so_that_it_is_not_told_again_and_what_waits_for_ever(
    line: Line,
) -> None:
    event = ExperimentEvent(EventKind.COMPLETED, "first", "first", at=line.now)

    async def seen_once_more() -> None:
        async with line.program.program.process.database.writing() as session:
            await OutboxStore(session).add([(event, HERE), (event, ELSEWHERE)], now=line.now)

    await seen_once_more()
    assert await line.delivery().deliver_due() == 1
    line.now += timedelta(days=30)
    assert await line.notifications().forget_old() == 0
    await seen_once_more()
    assert await line.delivery().deliver_due() == 0
    line.now += timedelta(seconds=1)
    assert await line.notifications().forget_old() == 1
    assert await line.notifications().forget_old() == 0
    assert await line.delivery(ELSEWHERE).deliver_due() == 1, "it has not been told yet"


# ── Trouble ───────────────────────────────────────────────────────────────────────────────────────

ON_SLACK = Conversation("slack", "D1")
ON_TELEGRAM = Conversation("telegram", "7")


async def _known_on_both(line: Line, role: Role = Role.MEMBER) -> tuple[int, ...]:
    """A person who is on both platforms."""
    async with line.program.program.process.database.writing() as session:
        people = PeopleStore(session)
        person = await people.add(Identity("slack", "U1", "T1"), name="Anna", role=role, clearml_user_id="")
        await people.link(Identity("telegram", ON_TELEGRAM.id), person.id)
        return (person.id,)


async def test_what_cannot_be_told_for_a_day_is_noted_to_the_admins_once_and_the_rest_goes_on(line: Line) -> None:
    await _known_on_both(line, Role.ADMIN)
    await line.happens("lost", to=ELSEWHERE)
    line.broken = True
    for _ in range(24 * 60 // 10):
        await line.delivery(ELSEWHERE).deliver_due()
        line.now += timedelta(minutes=10)
    await line.delivery(ELSEWHERE).deliver_due()
    line.broken = False
    await line.happens("later", to=ELSEWHERE)
    await line.delivery(ELSEWHERE).deliver_due()
    assert line.told == ["later"]
    for place in (Conversation("slack", "U1"), ON_TELEGRAM):
        line.heard.clear()
        assert await line.delivery(place).deliver_due() == 1
        assert "“lost” could not be told at chat:C1 for a day (ConnectionResetError)" in plain_text(line.heard[0])


async def test_whoever_has_blocked_the_bot_is_told_on_his_other_platform(line: Line) -> None:
    people = await _known_on_both(line)
    await line.happens("first", to=ON_SLACK, people=people)
    await line.happens("first", kind=EventKind.FAILED, to=ON_SLACK, people=people)
    line.gone = (ON_SLACK,)
    await line.delivery(ON_SLACK).deliver_due()
    assert line.told == []
    assert await line.delivery(ON_SLACK).deliver_due() == 0
    assert await line.delivery(ON_TELEGRAM).deliver_due() == 1
    assert [plain_text(line.heard[0]).count(word) for word in ("Completed", "Failed")] == [1, 1]


async def test_who_can_be_reached_nowhere_holds_up_nobody(line: Line) -> None:
    people = await _known_on_both(line)
    await line.happens("first", to=ON_SLACK, people=people)
    line.gone = (ON_SLACK, ON_TELEGRAM, Conversation("slack", "U1"))
    for place in (*line.gone, *line.gone):
        await line.delivery(place).deliver_due()
    assert line.told == []
    line.gone = ()
    await line.happens("second", to=ON_SLACK)
    assert await line.delivery(ON_SLACK).deliver_due() == 1


async def test_a_conversation_that_has_to_wait_for_its_platform_holds_up_no_other(line: Line) -> None:
    slow, may_go_on = Conversation("chat", "slow"), asyncio.Event()
    heard: list[str] = []

    async def send(conversation: Conversation, reply: Reply, arrived: Arrived) -> None:
        if conversation == slow:
            await may_go_on.wait()
        heard.append(plain_text(reply).split("”")[0].lstrip("“"))
        await arrived()

    delivery = Delivery(notifications=line.notifications(), platform="chat", send=send)
    await line.happens("slow one", to=slow)
    await line.happens("first", to=ELSEWHERE)
    await delivery.begin_due()
    await until(lambda: heard == ["first"])
    await line.happens("second", to=ELSEWHERE)
    await line.happens("slow two", to=slow)
    await delivery.begin_due()
    await until(lambda: heard == ["first", "second"])
    may_go_on.set()
    await until(lambda: heard[2:] == ["slow one", "slow two"])
    await delivery.finish()
    assert await line.delivery(slow).deliver_due() == 0, "each once"


async def test_what_is_being_sent_at_the_end_is_noted_as_sent(line: Line) -> None:
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def send(_conversation: Conversation, _reply: Reply, arrived: Arrived) -> None:
        begun.set()
        await may_go_on.wait()
        await arrived()

    delivery = Delivery(notifications=line.notifications(), platform="chat", send=send)
    await line.happens("first", to=ELSEWHERE)
    await delivery.begin_due()
    await begun.wait()
    ending = asyncio.create_task(delivery.finish())
    may_go_on.set()
    await ending
    assert await line.delivery(ELSEWHERE).deliver_due() == 0
