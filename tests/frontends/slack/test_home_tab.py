"""The Home tab: published when it is opened, and refreshed after each action in it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Outcome, Reply, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    TEST_TIMING,
    FakeCards,
    SlowBot,
    build_form_registry,
    build_front_end,
    connect_front_end,
    over_both_transports,
    wait_for_first,
    wait_for_modal,
)
from tests.frontends.slack.forms import build_form_bot
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer


@pytest.fixture
def bot() -> FakeBot:
    bot = build_form_bot()
    bot.replies["/home"] = Reply.of(
        "Two run.", Buttons((Button("Log", "/log 'a & b'"), Button("Change", "/set e1")))
    )
    return bot


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> AsyncIterator[SlackFrontEnd]:
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()) as front_end:
        yield front_end


def _get_home_text(person: Person) -> str:
    return person.home_view.visible_text if person.home_view else ""


@over_both_transports
async def test_opening_home_tab_shows_home_of_that_person(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    await anna.open_home()
    await wait_until(lambda: _get_home_text(anna) == "Two run.\n[Log] [Change]")
    assert bot.messages[0].text == "/home"
    assert bot.messages[0].sender.user_id == anna.id
    assert bot.messages[0].sender.workspace == "T0001"
    assert bot.messages[0].conversation == Conversation("slack", anna.direct_channel)
    bot.replies["/home"] = Reply.of("Three run.")
    await anna.open_home()
    await wait_until(lambda: _get_home_text(anna) == "Three run.")


async def test_opening_messages_tab_publishes_no_home_tab(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    await anna.open_home("messages")
    await anna.open_home()
    await wait_until(lambda: _get_home_text(anna))
    assert bot.lines == ["/home"]


async def test_unknown_user_sees_their_id(front_end: SlackFrontEnd, bot: FakeBot, anna: Person) -> None:
    refusal = Text(f"You don't have access yet. … this id: slack:T0001:{anna.id}", Tone.FAILURE)
    bot.replies["/home"] = Reply((refusal,), Outcome.REFUSED)
    await anna.open_home()
    await wait_until(lambda: _get_home_text(anna) == f"✗ {refusal.text}")


@over_both_transports
async def test_button_is_answered_in_direct_message_and_home_tab_refreshed(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person
) -> None:
    await anna.open_home()
    await wait_until(lambda: _get_home_text(anna))
    bot.replies["/log 'a & b'"] = Reply.of("The log.", experiment_id="e1")
    bot.replies["/home"] = Reply.of("One runs.")
    await anna.press_in_home("Log")
    answer = await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
    assert (answer.visible_text, answer.thread_ts) == ("The log.", "")
    await wait_until(lambda: _get_home_text(anna) == "One runs.")
    assert cards.experiment_ids == {(anna.direct_channel, answer.ts): "e1"}
    assert bot.messages[1].conversation == Conversation("slack", anna.direct_channel)


async def test_form_of_home_tab_opens_modal_and_home_tab_is_refreshed(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    await anna.open_home()
    await wait_until(lambda: _get_home_text(anna))
    await anna.press_in_home("Change")
    modal = await wait_for_modal(anna)
    await wait_until(lambda: bot.lines == ["/home", "/set e1", "/home"])
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1", Buttons((Button("Undo", "/undo"),)))
    bot.replies["/undo"] = Reply.of("lr: 0.1")
    bot.replies["/home"] = Reply.of("One draft.")
    modal.type("lr", "1")
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "lr: 1\n[Undo]" and _get_home_text(anna) == "One draft.")
    bot.replies["/home"] = Reply.of("No draft.")
    await modal.press("Undo")
    await wait_until(lambda: modal.visible_text == "lr: 0.1" and _get_home_text(anna) == "No draft.")
    assert slack.list_posted_messages() == []


async def test_answer_of_closed_home_modal_is_direct_message(
    slack: SlackServer, cards: FakeCards, bot: FakeBot, anna: Person
) -> None:
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1")
    slow = SlowBot(bot.replies)
    slow.may_answer.set()
    timing = replace(TEST_TIMING, submission_timeout=timedelta(0))
    async with connect_front_end(slack, slow, cards, registry=build_form_registry(), timing=timing):
        await anna.open_home()
        await wait_until(lambda: _get_home_text(anna))
        await anna.press_in_home("Change")
        modal = await wait_for_modal(anna)
        modal.type("lr", "1")
        slow.may_answer.clear()
        await modal.submit()
        await wait_until(lambda: modal.visible_text == "Working…")
        modal.close()
        slow.may_answer.set()
        assert (
            await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
        ).visible_text == "lr: 1"


async def test_oversized_home_tab_is_truncated(front_end: SlackFrontEnd, bot: FakeBot, anna: Person) -> None:
    lines = [f"line {number} " + "<&>" * 900 for number in range(300)]
    bot.replies["/home"] = Reply.of(*lines, Buttons(tuple(Button(f"B{n}", f"/log {n}") for n in range(200))))
    await anna.open_home()
    await wait_until(lambda: _get_home_text(anna))
    assert anna.home_view
    assert "[B0] " in _get_home_text(anna)
    assert "line 0 <&>" in _get_home_text(anna)
    assert _get_home_text(anna).endswith("This answer was shortened.")
    bot.replies["/home"] = Reply.of(*(f"line {number}" for number in range(300)))
    await anna.open_home()
    await wait_until(lambda: anna.home_view and len(anna.home_view.content["blocks"]) == 100)


async def test_stopped_reply_is_not_published_to_home_tab(
    slack: SlackServer, cards: FakeCards, bot: FakeBot, anna: Person
) -> None:
    slow = SlowBot(bot.replies)
    timing = replace(TEST_TIMING, shutdown_timeout=timedelta(0))
    front_end = build_front_end(slack, slow, cards, timing=timing)
    await front_end.start()
    await anna.open_home()
    await wait_until(lambda: slow.messages)
    await front_end.stop()
    assert anna.home_view is None


async def test_refused_home_tab_breaks_nothing(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    slack.api.faults.refusals["views.publish"] = "not_enabled"
    await anna.open_home()
    await wait_until(lambda: slack.list_calls("views.publish"))
    await anna.send_slash_command("/find", "", lab)
    assert await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
