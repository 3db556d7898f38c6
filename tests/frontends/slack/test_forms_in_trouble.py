"""Forms whose window is late, closed, too small, or filled in while the bot ends: answered all the same."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.replies import (
    Code,
    Picture,
    Reply,
)
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    QUICK,
    RememberedCards,
    SlowBot,
    connected,
    first,
    front_end_for,
    registry_with_forms,
    window_of,
)
from tests.frontends.slack.forms import REFUSED, bot_with_form
from tests.support.slack import Person, SlackServer
from tests.support.waiting import until


@pytest.fixture
def bot() -> FakeBot:
    return bot_with_form()


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: RememberedCards) -> AsyncIterator[SlackFrontEnd]:
    async with connected(slack, bot, cards, registry=registry_with_forms()) as front_end:
        yield front_end


async def test_where_the_window_does_not_open_in_time_the_form_is_a_message_with_a_button(
    bot: FakeBot, cards: RememberedCards
) -> None:
    now = [0.0]
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna, lab = slack.person("anna"), slack.channel("lab")
        async with connected(slack, bot, cards, registry=registry_with_forms()):
            await slack.sockets.wait_for_connection()
            slack.api.mood.before["views.open"] = lambda: now.__setitem__(0, now[0] + 10)
            await anna.slash("/set", "", lab)
            message = await first(lambda: slack.whispered(anna))
            assert message.shown.splitlines() == [
                "Parameters of baseline",
                "lr  0.1",
                "gpus (changed)  2",
                "seed  —",
                "To change it, send: /set e1 args.lr=…",
                "[Fill in]",
            ]
            assert anna.window is None
            del slack.api.mood.before["views.open"]
            await anna.press("Fill in")
            assert (await window_of(anna)).values["lr"] == "0.1"


async def test_a_window_closed_meanwhile_is_answered_where_it_was_asked_for(
    slack: SlackServer, cards: RememberedCards, bot: FakeBot, anna: Person, lab: str
) -> None:
    slow = SlowBot({**bot.replies, "/set e1 args.lr='1'": Reply.of("lr: 1"), "/set e1 args.lr='x'": REFUSED})
    slow.may_answer.set()
    async with connected(slack, slow, cards, registry=registry_with_forms()):
        for typed in ("1", "x"):
            slow.may_answer.set()
            await anna.slash("/set", "", lab)
            window = await window_of(anna)
            window.type("lr", typed)
            slow.may_answer.clear()
            await window.submit()
            await until(lambda window=window: window.shown == "working…")  # type: ignore[misc]
            window.close()
            slow.may_answer.set()
        await until(lambda: len(slack.whispered(anna)) == 2)
    assert {message.shown for message in slack.whispered(anna)} == {
        "lr: 1",
        "✗ lr: “x” is not a number.\nThis is the line that you filled in:\n/set e1 args.lr='x'",
    }


async def test_a_window_closed_when_the_address_has_expired_is_answered_in_direct_messages(
    bot: FakeBot, cards: RememberedCards
) -> None:
    now = [0.0]
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1")
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna, lab = slack.person("anna"), slack.channel("lab")
        async with connected(slack, bot, cards, registry=registry_with_forms()):
            await anna.slash("/set", "", lab)
            window = await window_of(anna)
            window.type("lr", "1")
            now[0] = 31 * 60
            slack.api.mood.refusals["views.update"] = "not_found"
            await window.submit()
            assert (await first(lambda: slack.posted(anna.direct_channel))).shown == "lr: 1"


async def test_a_form_survives_a_restart_of_the_bot(
    slack: SlackServer, cards: RememberedCards, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='x'"] = REFUSED
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1")
    async with connected(slack, bot, cards, registry=registry_with_forms()):
        await anna.slash("/set", "", lab)
        window = await window_of(anna)
    window.type("lr", "x")
    async with connected(slack, bot, cards, registry=registry_with_forms()):
        await window.submit()
        await until(lambda: "is not a number" in window.shown)
    window.type("lr", "1")
    async with connected(slack, bot, cards, registry=registry_with_forms()):
        await window.submit()
        await until(lambda: window.shown == "lr: 1")
    assert bot.heard[-1].conversation == Conversation("slack", lab)


async def test_a_submission_delivered_twice_runs_once_and_keeps_its_answer(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1")
    await anna.slash("/set", "", lab)
    window = await window_of(anna)
    window.type("lr", "1")
    submission = await window.submit()
    await until(lambda: window.shown == "lr: 1")
    await (await slack.redeliver(submission)).acknowledged.wait()
    await until(lambda: window.view.before[-2:] == ["lr: 1", "working…"] and window.shown == "lr: 1")
    assert bot.lines.count("/set e1 args.lr='1'") == 1


async def test_a_form_under_way_when_the_program_ends_is_told_so_and_keeps_what_was_typed(
    slack: SlackServer, cards: RememberedCards, bot: FakeBot, anna: Person, lab: str
) -> None:
    slow = SlowBot(bot.replies)
    slow.may_answer.set()
    front_end = front_end_for(
        slack,
        slow,
        cards,
        registry=registry_with_forms(),
        timing=replace(QUICK, wait_at_the_end=timedelta(0)),
    )
    await front_end.start()
    await anna.slash("/set", "", lab)
    window = await window_of(anna)
    window.type("lr", "1")
    slow.may_answer.clear()
    await (await window.submit()).acknowledged.wait()
    await until(lambda: len(slow.heard) == 2)
    await front_end.stop()
    assert "being stopped" in window.shown
    assert window.values["lr"] == "1"


async def test_a_handler_that_breaks_its_promise_shows_an_incident_in_the_window(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str, caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenBot(FakeBot):
        async def handle(self, message: IncomingMessage) -> Reply:
            raise ZeroDivisionError(message.text)

    async with connected(slack, BrokenBot(), cards, registry=registry_with_forms()):
        await anna.slash("/set", "", lab)
        window = await window_of(anna)
    assert f"Incident {window.shown.split()[-1].rstrip('.')}" in caplog.text


@pytest.mark.parametrize(
    "reply",
    [Reply.of(Picture("loss.png", b"png", "The loss.")), Reply.of("Look:", Code("x\n" * 100_000))],
    ids=["picture", "long"],
)
async def test_what_a_window_cannot_show_comes_as_a_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, reply: Reply
) -> None:
    bot.replies["/set e1 args.lr='1'"] = reply
    await anna.slash("/set", "", lab)
    window = await window_of(anna)
    window.type("lr", "1")
    await window.submit()
    assert await first(lambda: slack.whispered(anna))
    await until(lambda: window.shown == "The answer is in a message.")


async def test_two_people_fill_in_the_same_form_at_once(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    people = [anna, slack.person("boris"), slack.person("clara")]
    for number in range(len(people)):
        bot.replies[f"/set e1 general.seed='{number}'"] = Reply.of(f"seed: {number}")
    await asyncio.gather(*(person.slash("/set", "", lab) for person in people))
    windows = [await window_of(person) for person in people]
    for number, window in enumerate(windows):
        window.type("seed", str(number))
    await asyncio.gather(*(window.submit() for window in windows))
    await until(lambda: [window.shown for window in windows] == ["seed: 0", "seed: 1", "seed: 2"])
