"""Buttons that open a web page."""

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.bot.frontends.slack.plain_text import render_full_text
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Link, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import over_both_transports, wait_for_first
from tests.support.slack import Person, SlackServer
from tests.support.slack.block_kit import find_buttons

ADDRESS = "https://app.lab/projects/p/experiments/e1?a=1&b=2"
CARD = Reply.of("baseline", Buttons((Button("Clone", "/clone e1"),), (Link("Open in ClearML", ADDRESS),)))


@over_both_transports
async def test_a_press_is_acknowledged_and_runs_no_command(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), CARD)
    message = await wait_for_first(lambda: slack.list_posted_messages(lab))
    assert find_buttons(message.blocks)[1]["url"] == ADDRESS

    envelope = await anna.press("Open in ClearML")

    await envelope.acknowledged.wait()
    assert bot.messages == []


async def test_an_address_that_slack_does_not_open_is_shown_as_text(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(
        Conversation("slack", lab), Reply.of("baseline", Buttons((), (Link("Open", "ftp://files/a b"),)))
    )
    message = await wait_for_first(lambda: slack.list_posted_messages(lab))
    assert message.visible_text == "baseline\nOpen: ftp://files/a b"


def test_the_file_of_a_truncated_reply_has_the_address() -> None:
    assert render_full_text(CARD).endswith(f"Open in ClearML: {ADDRESS}\n")
