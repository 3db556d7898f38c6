"""Buttons with commands that are too long for Slack."""

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Choice, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import FakeActions, FakeCards, connect_front_end
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer
from tests.support.slack.block_kit import find_buttons

_LONG_COMMAND = "/retry " + " ".join(f"{number:032x}" for number in range(500))
_ESCAPED_COMMAND = "/set args.text " + "&" * 500


@pytest.mark.parametrize("command", [_LONG_COMMAND, _ESCAPED_COMMAND, "/show short"])
async def test_a_button_runs_its_command_however_long(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, command: str
) -> None:
    reply = Reply.of(Choice("Really?", (Button("Yes", command),)), Buttons((Button("Do it", command),)))
    await front_end.deliver(Conversation("slack", lab), reply)
    [message] = slack.list_posted_messages(lab)
    assert all(len(button["value"]) <= 2000 for button in find_buttons(message.blocks))
    for label in ("Yes", "Do it"):
        await anna.press(label, on=message)
    await wait_until(lambda: bot.lines == [command, command])


async def test_an_expired_button_says_so(slack: SlackServer, bot: FakeBot, anna: Person, lab: str) -> None:
    actions = FakeActions()
    async with connect_front_end(slack, bot, cards=FakeCards(), actions=actions) as front_end:
        await front_end.deliver(
            Conversation("slack", lab), Reply.of("Failed.", Buttons((Button("Retry all", _LONG_COMMAND),)))
        )
        actions.stored.clear()
        await anna.press("Retry all")
        await wait_until(
            lambda: any(
                "This button has expired." in each.visible_text for each in slack.list_posted_messages(lab)
            )
        )
    assert bot.lines == []


async def test_a_typed_line_is_never_taken_for_a_stored_command(
    slack: SlackServer, bot: FakeBot, anna: Person, lab: str
) -> None:
    actions = FakeActions()
    async with connect_front_end(slack, bot, cards=FakeCards(), actions=actions) as front_end:
        await front_end.deliver(Conversation("slack", lab), Reply.of(Buttons((Button("Retry", _LONG_COMMAND),))))
        [token] = actions.stored
        await anna.send_direct_message(f"stored:{token}")
        await wait_until(lambda: bot.lines)
    assert bot.lines == [f"stored:{token}"]
