"""The commands of one person, which run in the order in which they were sent."""

import asyncio

from clearml_chatops.bot.frontends.slack.modal_metadata import build_order_key
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import Button, Buttons, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import FakeCards, connect_front_end, over_both_transports, wait_for_first
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer


class BlockedBot(FakeBot):
    """Answers `/set` once `may_answer` is set, and everything else at once."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def handle(self, message: IncomingMessage) -> Reply:
        self.messages.append(message)
        if message.text.endswith("set"):
            await self.may_answer.wait()
        return Reply.of(f"done {message.text}", Buttons((Button("Next", "/next"),)))


@over_both_transports
async def test_commands_of_one_person_run_in_order(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot, boris = BlockedBot(), slack.add_person("boris")
    async with connect_front_end(slack, bot, cards):
        for command in ("/set", "/enqueue", "/log"):
            await anna.send_slash_command(command, "", lab)
        await boris.send_slash_command("/queue", "", lab)
        await wait_for_first(lambda: slack.list_ephemeral_messages(boris))
        assert sorted(bot.lines) == ["/queue", "/set"]
        bot.may_answer.set()
        await wait_until(lambda: len(slack.list_ephemeral_messages(anna)) == 3)
        own_lines = [message.text for message in bot.messages if message.sender.user_id == anna.id]
        assert own_lines == ["/set", "/enqueue", "/log"]
        texts = [message.visible_text for message in slack.list_ephemeral_messages(anna)]
        assert [text.splitlines()[0] for text in texts] == ["done /set", "done /enqueue", "done /log"]


async def test_a_press_and_a_slash_command_do_not_overtake_a_message(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = BlockedBot()
    async with connect_front_end(slack, bot, cards):
        await anna.mention_bot(lab, "find")
        answer = await wait_for_first(lambda: slack.list_posted_messages(lab))
        for _ in range(5):
            await anna.mention_bot(lab, "show")
            await anna.press("Next", on=answer)
            await anna.send_slash_command("/log", "", lab)
        await wait_until(lambda: len(bot.lines) == 16)
    assert bot.lines == ["find", *["show", "/next", "/log"] * 5]


async def test_a_command_in_another_channel_does_not_wait(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot, office = BlockedBot(), slack.add_channel("office")
    async with connect_front_end(slack, bot, cards):
        await anna.send_slash_command("/set", "", lab)
        await anna.send_slash_command("/log", "", office)
        await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
        assert sorted(bot.lines) == ["/log", "/set"]
        bot.may_answer.set()


def test_a_modal_has_the_line_of_the_channel_that_it_was_opened_from() -> None:
    view = {"type": "modal", "private_metadata": '{"channel":"C1","command":"/set e1"}'}
    assert build_order_key({"view": view}, "U1") == build_order_key({"channel_id": "C1"}, "U1")
    assert build_order_key({"channel": {"id": "C1"}}, "U1") == build_order_key({"event": {"channel": "C1"}}, "U1")
    assert build_order_key({"channel_id": "C1"}, "U2") != build_order_key({"channel_id": "C1"}, "U1")
    assert build_order_key({"view": {"type": "home"}}, "U1") == "U1/"
    assert build_order_key({"event": {}}, None) == ""
