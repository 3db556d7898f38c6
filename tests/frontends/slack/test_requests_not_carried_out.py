"""Requests that were interrupted by a kill, or can't be recorded: a sentence where they were sent, no command."""

from collections.abc import AsyncIterator, Callable

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.bot.frontends.slack.shortcuts import CLONE_SHORTCUT
from clearml_chatops.models.errors import DatabaseBusyError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Reply
from clearml_chatops.models.requests import RequestState
from tests.frontends.conftest import FakeBot, MemoryRequests
from tests.frontends.slack.conftest import (
    FakeCards,
    build_form_registry,
    connect_front_end,
    over_both_transports,
    wait_for_modal,
)
from tests.frontends.slack.forms import build_form_bot
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer

Refuse = Callable[[], str]


@pytest.fixture
def bot() -> FakeBot:
    bot = build_form_bot()
    bot.replies["/home"] = Reply.of("Two run.", Buttons((Button("Log", "/log e1"),)))
    bot.replies["/undo"] = Reply.of("lr: 0.1")
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1", Buttons((Button("Undo", "/undo"),)))
    return bot


@pytest.fixture
def requests() -> MemoryRequests:
    return MemoryRequests()


@pytest.fixture
async def front_end(
    slack: SlackServer, bot: FakeBot, cards: FakeCards, requests: MemoryRequests
) -> AsyncIterator[SlackFrontEnd]:
    async with connect_front_end(
        slack, bot, cards, requests=requests, registry=build_form_registry()
    ) as front_end:
        yield front_end


@pytest.fixture(params=["interrupted", "busy"])
def refuse(request: pytest.FixtureRequest, requests: MemoryRequests) -> Refuse:
    """Let no request be carried out any more. Return a part of the sentence that the person gets."""

    def set_refusal() -> str:
        if request.param == "interrupted":
            requests.fixed_state = RequestState.INTERRUPTED
            return "may or may not be done"
        requests.error = DatabaseBusyError(url="sqlite://", reason="database is locked")
        return "own database can't be used at the moment (database is locked)"

    return set_refusal


@over_both_transports
async def test_commands_and_messages(
    slack: SlackServer,
    front_end: SlackFrontEnd,
    bot: FakeBot,
    anna: Person,
    lab: str,
    refuse: Refuse,
) -> None:
    sentence = refuse()
    await anna.send_slash_command("/queue", "", lab)
    await wait_until(
        lambda: [sentence in text.visible_text for text in slack.list_ephemeral_messages(anna)] == [True]
    )
    await anna.send_direct_message("queue")
    await wait_until(
        lambda: (
            [sentence in text.visible_text for text in slack.list_posted_messages(anna.direct_channel)] == [True]
        )
    )
    mention = await anna.mention_bot(lab, "queue")
    await wait_until(
        lambda: (
            [sentence in text.visible_text for text in slack.list_posted_messages(lab, thread=mention.ts)]
            == [True]
        )
    )
    assert bot.lines == []


async def test_buttons_of_messages_leave_the_message_as_it_is(
    slack: SlackServer,
    front_end: SlackFrontEnd,
    bot: FakeBot,
    anna: Person,
    lab: str,
    refuse: Refuse,
) -> None:
    buttons = Buttons((Button("Abort", "/abort e1"), Button("Next", "/find page=2", in_place=True)))
    await front_end.deliver(Conversation("slack", lab), Reply.of("page 1", buttons))
    [page] = slack.list_posted_messages(lab)
    sentence = refuse()
    await anna.press("Abort", on=page)
    await anna.press("Next", on=page)
    await wait_until(lambda: len(slack.list_posted_messages(lab, thread=page.ts)) == 2)
    assert all(sentence in message.visible_text for message in slack.list_posted_messages(lab, thread=page.ts))
    assert page.visible_text == "page 1\n[Abort] [Next]"
    assert bot.lines == []


async def test_the_shortcut_is_answered_in_the_thread(
    slack: SlackServer,
    front_end: SlackFrontEnd,
    bot: FakeBot,
    anna: Person,
    lab: str,
    refuse: Refuse,
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of("It runs.", experiment_id="e1"))
    [card] = slack.list_posted_messages(lab)
    sentence = refuse()
    await anna.use_shortcut(CLONE_SHORTCUT, card)
    await wait_until(lambda: slack.list_posted_messages(lab, thread=card.ts))
    assert sentence in slack.list_posted_messages(lab, thread=card.ts)[0].visible_text
    assert bot.lines == []


async def test_a_form_keeps_its_values(
    front_end: SlackFrontEnd,
    bot: FakeBot,
    anna: Person,
    lab: str,
    requests: MemoryRequests,
    refuse: Refuse,
) -> None:
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    modal.type("lr", "1")
    sentence = refuse()
    await modal.submit()
    await wait_until(lambda: sentence in modal.visible_text)
    assert "/set e1 args.lr='1'" not in bot.lines
    requests.fixed_state = requests.error = None
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "lr: 1\n[Undo]")
    sentence = refuse()
    await modal.press("Undo")
    await wait_until(lambda: sentence in modal.visible_text)
    assert "/undo" not in bot.lines


async def test_a_form_answered_before_a_restart_says_so_when_it_is_delivered_again(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, requests: MemoryRequests
) -> None:
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    modal.type("lr", "1")
    requests.fixed_state = RequestState.HANDLED
    last_views = front_end._listeners.form_modals._last_views
    await wait_until(lambda: last_views)
    last_views.clear()
    await modal.submit()
    await wait_until(lambda: "sent and answered before" in modal.visible_text)
    assert "/set e1 args.lr='1'" not in bot.lines


async def test_a_button_of_the_home_tab_is_answered_in_a_direct_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, refuse: Refuse
) -> None:
    await anna.open_home()
    await wait_until(lambda: anna.home_view)
    sentence = refuse()
    await anna.press_in_home("Log")
    await wait_until(lambda: slack.list_posted_messages(anna.direct_channel))
    assert sentence in slack.list_posted_messages(anna.direct_channel)[0].visible_text
    await anna.open_home()
    await wait_until(lambda: bot.lines.count("/home") == 2)
    assert set(bot.lines) == {"/home"}, "the tab itself only shows something"


async def test_messages_that_are_not_for_the_bot_are_not_recorded(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, requests: MemoryRequests
) -> None:
    await anna.write("message", anna.direct_channel, "hello", channel_type="im", bot_id="B1")
    await anna.send_direct_message("queue")
    await wait_until(lambda: requests.finished)
    assert bot.lines == ["queue"]
    assert requests.begun == requests.finished
    assert len(requests.begun) == 2, "an event id and the message"
