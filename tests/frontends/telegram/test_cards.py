"""Cards on Telegram, with the real database, ClearML's sandbox and the loop that edits cards."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.bot.live_cards import LiveCards
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.notifications.cards import CardService
from tests.frontends.conftest import FakeBot, build_small_registry
from tests.support.experiments import add_script
from tests.support.program import RunningProgram
from tests.support.telegram import Chat, Person, TelegramServer


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def card_service(program: RunningProgram, clock: Clock) -> CardService:
    return replace(program.program.process, clock=clock).cards


@pytest.fixture
async def front_end(
    telegram: TelegramServer, program: RunningProgram, bot: FakeBot, card_service: CardService
) -> AsyncIterator[TelegramFrontEnd]:
    process = program.program.process

    async def list_admin_ids() -> list[str]:
        return []

    front_end = TelegramFrontEnd(
        handle=bot.handle,
        registry=build_small_registry(),
        actions=process.actions,
        requests=process.requests,
        cards=card_service,
        conversations=process.conversations,
        list_admin_ids=list_admin_ids,
        token=telegram.token,
        api_url=telegram.url,
    )
    await front_end.start()
    yield front_end
    await front_end.stop()


@pytest.fixture
def live_cards(card_service: CardService, front_end: TelegramFrontEnd, clock: Clock) -> LiveCards:
    return LiveCards(cards=card_service, front_end=front_end, clock=clock)


async def count_edits_after(clock: Clock, live_cards: LiveCards, *seconds: float) -> list[int]:
    """Return how many cards are edited after each delay."""
    edits = []
    for delay in seconds:
        clock.now += timedelta(seconds=delay)
        edits.append(await live_cards.edit_due_cards())
    return edits


async def send_card(front_end: TelegramFrontEnd, chat: Chat, experiment: str) -> None:
    reply = Reply.of("an old state", experiment_id=experiment).as_card()
    await front_end.deliver(Conversation("telegram", str(chat.id)), reply)


async def test_a_deleted_card_is_sent_again_once(
    sandbox: Sandbox,
    front_end: TelegramFrontEnd,
    card_service: CardService,
    live_cards: LiveCards,
    clock: Clock,
    anna: Person,
) -> None:
    experiment = add_script(sandbox, "baseline", "pass")
    await send_card(front_end, anna.chat, experiment)
    await card_service.mark_due([experiment])
    anna.chat.messages.clear()

    # The second round gives up the deleted card.
    assert await count_edits_after(clock, live_cards, 1, 10, 10) == [1, 1, 0]

    (text,) = anna.chat.texts
    assert text.startswith("baseline\nDraft")
    await card_service.mark_due([experiment])
    assert await count_edits_after(clock, live_cards, 10, 10) == [1, 0]
    assert len(anna.chat.texts) == 1


async def test_a_card_in_a_group_is_edited_once_in_ten_seconds(
    sandbox: Sandbox,
    telegram: TelegramServer,
    front_end: TelegramFrontEnd,
    card_service: CardService,
    live_cards: LiveCards,
    clock: Clock,
) -> None:
    group = telegram.add_group("Lab")
    experiment = add_script(sandbox, "baseline", "pass")
    await send_card(front_end, group, experiment)

    edits = []
    for _ in range(21):
        await card_service.mark_due([experiment])
        edits += await count_edits_after(clock, live_cards, 1)

    assert sum(edits) == len(telegram.list_calls("editMessageText")) == 3
    assert [number for number, edited in enumerate(edits) if edited] == [0, 10, 20]


async def test_cards_follow_a_migrated_group(
    sandbox: Sandbox,
    telegram: TelegramServer,
    front_end: TelegramFrontEnd,
    card_service: CardService,
    live_cards: LiveCards,
    clock: Clock,
) -> None:
    group = telegram.add_group("Lab")
    experiments = [add_script(sandbox, name, "pass") for name in ("first", "second")]
    for experiment in experiments:
        await send_card(front_end, group, experiment)
    supergroup = telegram.upgrade_group(group)
    await card_service.mark_due(experiments)

    await count_edits_after(clock, live_cards, 0, 20, 20, 20)

    assert sorted(text.partition("\n")[0] for text in supergroup.texts) == ["first", "second"]
    assert group.texts == ["an old state"] * 2
    await card_service.mark_due(experiments)
    assert await count_edits_after(clock, live_cards, 20, 6) == [1, 1]
    assert len(supergroup.texts) == 2
