"""Forms in modals that open late, are closed, are too small, or are submitted at shutdown: still answered."""

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
    TEST_TIMING,
    FakeCards,
    SlowBot,
    build_form_registry,
    build_front_end,
    connect_front_end,
    wait_for_first,
    wait_for_modal,
)
from tests.frontends.slack.forms import REFUSED_REPLY, build_form_bot
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer


@pytest.fixture
def bot() -> FakeBot:
    return build_form_bot()


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> AsyncIterator[SlackFrontEnd]:
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()) as front_end:
        yield front_end


async def test_form_falls_back_to_message_if_modal_does_not_open(bot: FakeBot, cards: FakeCards) -> None:
    now = [0.0]
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna, lab = slack.add_person("anna"), slack.add_channel("lab")
        async with connect_front_end(slack, bot, cards, registry=build_form_registry()):
            await slack.socket_mode.wait_for_connection()
            slack.api.faults.side_effects["views.open"] = lambda: now.__setitem__(0, now[0] + 10)
            await anna.send_slash_command("/set", "", lab)
            message = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
            assert message.visible_text.splitlines() == [
                "Parameters of baseline",
                "lr  0.1",
                "gpus (changed)  2",
                "seed  —",
                "To change it, send: /set e1 args.lr=…",
                "[Open form]",
            ]
            assert anna.modal is None
            del slack.api.faults.side_effects["views.open"]
            await anna.press("Open form")
            assert (await wait_for_modal(anna)).values["lr"] == "0.1"


async def test_answer_of_closed_modal_is_sent_where_command_was_sent(
    slack: SlackServer, cards: FakeCards, bot: FakeBot, anna: Person, lab: str
) -> None:
    slow = SlowBot({**bot.replies, "/set e1 args.lr='1'": Reply.of("lr: 1"), "/set e1 args.lr='x'": REFUSED_REPLY})
    slow.may_answer.set()
    timing = replace(TEST_TIMING, submission_timeout=timedelta(0))
    async with connect_front_end(slack, slow, cards, registry=build_form_registry(), timing=timing):
        for typed in ("1", "x"):
            slow.may_answer.set()
            await anna.send_slash_command("/set", "", lab)
            modal = await wait_for_modal(anna)
            modal.type("lr", typed)
            slow.may_answer.clear()
            await modal.submit()
            await wait_until(lambda modal=modal: modal.visible_text == "Working…")  # type: ignore[misc]
            modal.close()
            slow.may_answer.set()
        await wait_until(lambda: len(slack.list_ephemeral_messages(anna)) == 2)
    assert {message.visible_text for message in slack.list_ephemeral_messages(anna)} == {
        "lr: 1",
        "✗ lr: “x” isn't a number.\nThis is the command you filled in:\n/set e1 args.lr='x'",
    }


async def test_answer_of_closed_modal_with_expired_response_url_is_direct_message(
    bot: FakeBot, cards: FakeCards
) -> None:
    now = [0.0]
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1")
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna, lab = slack.add_person("anna"), slack.add_channel("lab")
        async with connect_front_end(slack, bot, cards, registry=build_form_registry()):
            await anna.send_slash_command("/set", "", lab)
            modal = await wait_for_modal(anna)
            modal.type("lr", "1")
            now[0] = 31 * 60
            slack.api.faults.refusals["views.update"] = "not_found"
            await modal.submit()
            assert (
                await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
            ).visible_text == "lr: 1"


async def test_a_form_survives_a_restart_of_the_bot(
    slack: SlackServer, cards: FakeCards, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='x'"] = REFUSED_REPLY
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1")
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()):
        await anna.send_slash_command("/set", "", lab)
        modal = await wait_for_modal(anna)
    modal.type("lr", "x")
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()):
        await modal.submit()
        await wait_until(lambda: "isn't a number" in modal.visible_text)
    modal.type("lr", "1")
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()):
        await modal.submit()
        await wait_until(lambda: modal.visible_text == "lr: 1")
    assert bot.messages[-1].conversation == Conversation("slack", lab)


async def test_a_submission_delivered_twice_runs_once_and_keeps_its_answer(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1")
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    modal.type("lr", "1")
    submission = await modal.submit()
    await wait_until(lambda: modal.visible_text == "lr: 1")
    await (await slack.redeliver(submission)).acknowledged.wait()
    await wait_until(lambda: modal.view.history[-2:] == ["lr: 1", "Working…"] and modal.visible_text == "lr: 1")
    assert bot.lines.count("/set e1 args.lr='1'") == 1


async def test_form_running_at_shutdown_gets_stopped_reply_and_keeps_values(
    slack: SlackServer, cards: FakeCards, bot: FakeBot, anna: Person, lab: str
) -> None:
    slow = SlowBot(bot.replies)
    slow.may_answer.set()
    front_end = build_front_end(
        slack,
        slow,
        cards,
        registry=build_form_registry(),
        timing=replace(TEST_TIMING, shutdown_timeout=timedelta(0)),
    )
    await front_end.start()
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    modal.type("lr", "1")
    slow.may_answer.clear()
    submission = await modal.submit()
    await wait_until(lambda: len(slow.messages) == 2)
    await front_end.stop()
    assert submission.acks == 1
    assert "stopped before this finished" in modal.visible_text
    assert modal.values["lr"] == "1"


async def test_handler_error_shows_incident_in_modal(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str, caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenBot(FakeBot):
        async def handle(self, message: IncomingMessage) -> Reply:
            raise ZeroDivisionError(message.text)

    async with connect_front_end(slack, BrokenBot(), cards, registry=build_form_registry()):
        await anna.send_slash_command("/set", "", lab)
        modal = await wait_for_modal(anna)
    assert f"Incident {modal.visible_text.split()[-1].rstrip('.')}" in caplog.text


@pytest.mark.parametrize(
    "reply",
    [Reply.of(Picture("loss.png", b"png", "The loss.")), Reply.of("Look:", Code("x\n" * 100_000))],
    ids=["picture", "long"],
)
async def test_reply_that_modal_cannot_show_is_sent_as_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, reply: Reply
) -> None:
    bot.replies["/set e1 args.lr='1'"] = reply
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    modal.type("lr", "1")
    await modal.submit()
    assert await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    await wait_until(lambda: modal.visible_text == "The answer was sent as a message.")


async def test_two_people_fill_in_the_same_form_at_once(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    people = [anna, slack.add_person("boris"), slack.add_person("clara")]
    for number in range(len(people)):
        bot.replies[f"/set e1 general.seed='{number}'"] = Reply.of(f"seed: {number}")
    await asyncio.gather(*(person.send_slash_command("/set", "", lab) for person in people))
    modals = [await wait_for_modal(person) for person in people]
    for number, modal in enumerate(modals):
        modal.type("seed", str(number))
    await asyncio.gather(*(modal.submit() for modal in modals))
    await wait_until(lambda: [modal.visible_text for modal in modals] == ["seed: 0", "seed: 1", "seed: 2"])
