"""Commands sent in Slack, and where their answers appear."""

import asyncio
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd, Timing
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    FakeCards,
    SlowBot,
    connect_front_end,
    over_both_transports,
    wait_for_first,
)
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer
from tests.support.slack.workspace import BOT_USER


@over_both_transports
async def test_slash_command_gets_ephemeral_reply(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/find baseline"] = Reply.of("Two found.")
    envelope = await anna.send_slash_command("/find", "baseline", lab)
    answer = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    assert answer.visible_text == "Two found."
    assert slack.list_posted_messages() == []
    assert envelope.acks == 1
    message = bot.messages[0]
    assert message.sender == Identity("slack", anna.id, "T0001")
    assert message.sender_name == "anna"
    assert message.conversation == Conversation("slack", lab)


@pytest.mark.parametrize(
    ("command", "text", "line"),
    [
        ("/clearml", "clone baseline", "clone baseline"),
        ("/clearml", "", "/help"),
        ("/clone", "baseline", "/clone baseline"),
        ("/queue", "", "/queue"),
        ("/set", 'args.name "a < b & c"', '/set args.name "a < b & c"'),
    ],
)
async def test_root_command_and_bare_commands_give_same_line(
    slack: SlackServer,
    front_end: SlackFrontEnd,
    bot: FakeBot,
    anna: Person,
    lab: str,
    command: str,
    text: str,
    line: str,
) -> None:
    await anna.send_slash_command(command, text, lab)
    await wait_until(lambda: bot.lines == [line])


async def test_prefix_of_bare_commands_is_removed(
    slack: SlackServer, bot: FakeBot, cards: FakeCards, anna: Person, lab: str
) -> None:
    async with connect_front_end(slack, bot, cards, prefix="ml-"):
        await anna.send_slash_command("/ml-clone", "baseline", lab)
        await wait_until(lambda: bot.lines == ["/clone baseline"])


@over_both_transports
async def test_wrapped_links_and_mentions_arrive_as_they_were_typed(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    sent = "image=<http://nvcr.io/x:1|nvcr.io/x:1> <@U1|bob> <#C1|general> a &lt;b&gt; &amp;amp;"
    await anna.send_slash_command("/container", sent, lab, as_sent=True)
    await wait_until(lambda: bot.lines == ["/container image=nvcr.io/x:1 @U1 #general a <b> &amp;"])


@over_both_transports
async def test_public_flag_posts_in_channel_and_is_removed_from_line(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot.replies["/clone baseline"] = Reply.of("Cloned.", experiment_id="e1")
    await anna.send_slash_command("/clone", "baseline —public", lab)
    answer = await wait_for_first(lambda: slack.list_posted_messages(lab))
    assert answer.visible_text == "Cloned."
    assert slack.list_ephemeral_messages(anna) == []
    await wait_until(lambda: cards.experiment_ids == {(lab, answer.ts): "e1"})


async def test_quoted_public_flag_is_kept_as_text(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    await anna.send_slash_command("/set", "args.flag '--public'", lab)
    await wait_until(lambda: bot.lines == ["/set args.flag '--public'"])
    await wait_for_first(lambda: slack.list_ephemeral_messages(anna))


async def test_public_flag_works_in_channel_without_bot(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    other_channel = slack.add_channel("elsewhere", has_bot=False)
    bot.replies["/queue"] = Reply.of("Empty.")
    await anna.send_slash_command("/queue", "--public", other_channel)
    assert (await wait_for_first(lambda: slack.list_posted_messages(other_channel))).visible_text == "Empty."


async def test_public_reply_in_channel_without_bot_replaces_typing_indicator(
    slack: SlackServer, cards: FakeCards, anna: Person
) -> None:
    other_channel = slack.add_channel("elsewhere", has_bot=False)
    bot = SlowBot({"/queue": Reply.of("Empty.")})
    async with connect_front_end(slack, bot, cards, timing=Timing(typing_indicator_delay=timedelta(0))):
        await anna.send_slash_command("/queue", "--public", other_channel)
        message = await wait_for_first(lambda: slack.list_posted_messages(other_channel))
        bot.may_answer.set()
        await wait_until(lambda: message.visible_text == "Empty.")
    assert slack.list_posted_messages(other_channel) == [message]


@over_both_transports
async def test_a_mention_is_answered_in_its_thread(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["show baseline"] = Reply.of("baseline", experiment_id="e1")
    mention = await anna.mention_bot(lab, "show baseline")
    answer = await wait_for_first(lambda: slack.list_posted_messages(lab))
    assert answer.thread_ts == mention.ts
    assert bot.messages[0].conversation == Conversation("slack", lab, mention.ts)
    assert bot.messages[0].source_conversation == Conversation("slack", lab)
    assert bot.messages[0].sender_name == "anna"
    assert not bot.messages[0].is_private
    await anna.mention_bot(lab, "log", thread=mention.ts)
    await anna.send_direct_message("queue")
    await wait_until(lambda: bot.lines == ["show baseline", "log", "queue"])
    assert [message.source_conversation.thread for message in bot.messages] == ["", mention.ts, ""]
    assert [message.is_private for message in bot.messages] == [False, False, True]


@over_both_transports
async def test_command_in_thread_of_card_is_about_its_experiment(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of("It runs.", experiment_id="e1"))
    card = slack.list_posted_messages(lab)[0]
    await anna.mention_bot(lab, "log", thread=card.ts)
    await wait_until(lambda: bot.messages)
    assert (bot.messages[0].text, bot.messages[0].context_experiment_id) == ("log", "e1")
    answer = await wait_for_first(lambda: slack.list_posted_messages(lab, thread=card.ts))
    assert answer.thread_ts == card.ts


@over_both_transports
async def test_a_direct_message_is_a_command_and_its_card_is_remembered(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person
) -> None:
    bot.replies["clone baseline"] = Reply.of("Cloned.", experiment_id="e2")
    await anna.send_direct_message("clone baseline")
    answer = await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
    assert (answer.visible_text, answer.thread_ts) == ("Cloned.", "")
    await wait_until(lambda: cards.experiment_ids == {(anna.direct_channel, answer.ts): "e2"})
    await anna.send_direct_message("log", thread=answer.ts)
    await wait_until(lambda: bot.messages[-1].context_experiment_id == "e2")


@over_both_transports
async def test_edits_and_bot_messages_are_ignored(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    direct = anna.direct_channel
    await anna.write("message", direct, "clone x", channel_type="im", subtype="message_changed")
    await anna.write("message", direct, "clone x", channel_type="im", bot_id="B2")
    await anna.write("app_mention", lab, "clone x", edited={"user": anna.id})
    await anna.write("message", lab, "clone x", channel_type="channel")
    await anna.send_direct_message("queue")
    await wait_until(lambda: bot.lines == ["queue"])
    assert all(envelope.acks == 1 for envelope in slack.socket_mode.envelopes.values())


@over_both_transports
async def test_prose_that_only_mentions_the_bot_is_ignored(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    mention = f"<@{BOT_USER}>"
    await anna.write("app_mention", lab, f"Bob, ask {mention} about it tomorrow")
    await anna.write("app_mention", lab, f"I saw {mention} was down yesterday")
    await anna.write("app_mention", lab, f"kill {mention} base")
    await anna.write("app_mention", lab, f"{mention} hello")
    await anna.write("app_mention", lab, f"how do I start training, {mention}?")
    await wait_until(lambda: len(bot.lines) == 3)
    assert [" ".join(line.split()) for line in bot.lines] == [
        "kill base",
        "hello",
        "how do I start training, ?",
    ]


@over_both_transports
async def test_slow_command_shows_typing_indicator_that_becomes_answer(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot, boris = SlowBot({"/find": Reply.of("Found."), "find": Reply.of("Found.")}), slack.add_person("boris")
    async with connect_front_end(slack, bot, cards, timing=Timing(typing_indicator_delay=timedelta(0))):
        await anna.send_slash_command("/find", "", lab)
        await boris.mention_bot(lab, "find")
        ephemeral = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
        message = await wait_for_first(lambda: slack.list_posted_messages(lab))
        assert {ephemeral.visible_text, message.visible_text} == {"Working…"}
        bot.may_answer.set()
        await wait_until(lambda: {ephemeral.visible_text, message.visible_text} == {"Found."})
    assert len(slack.list_ephemeral_messages(anna)) == len(slack.list_posted_messages(lab)) == 1


async def test_answer_after_response_url_expired_is_direct_message(cards: FakeCards) -> None:
    now = [0.0]
    bot = SlowBot({"/wait": Reply.of("It runs.")})
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna, lab = slack.add_person("anna"), slack.add_channel("lab")
        async with connect_front_end(slack, bot, cards):
            await (await anna.send_slash_command("/wait", "", lab)).acknowledged.wait()
            now[0] = 31 * 60
            bot.may_answer.set()
            assert (
                await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
            ).visible_text == "It runs."


async def test_deleted_typing_indicator_is_replaced_by_new_message(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"find": Reply.of("Found.")})
    async with connect_front_end(slack, bot, cards, timing=Timing(typing_indicator_delay=timedelta(0))):
        await anna.mention_bot(lab, "find")
        (await wait_for_first(lambda: slack.list_posted_messages(lab))).deleted = True
        bot.may_answer.set()
        assert (await wait_for_first(lambda: slack.list_posted_messages(lab))).visible_text == "Found."


@over_both_transports
async def test_handler_error_is_acknowledged_and_answered(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str, caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenBot(FakeBot):
        async def handle(self, message: IncomingMessage) -> Reply:
            raise ZeroDivisionError(message.text)

    async with connect_front_end(slack, BrokenBot(), cards):
        envelope = await anna.send_slash_command("/find", "", lab)
        answer = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    assert envelope.acks == 1
    incident = answer.visible_text.split()[-1].rstrip(".")
    assert f"Incident {incident}" in caplog.text


@over_both_transports
async def test_a_pressed_button_runs_as_the_person_who_pressed_it_in_the_thread_of_its_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    button = Buttons((Button("Log", '/log "a < b & c"'),))
    await front_end.deliver(Conversation("slack", lab), Reply.of("It failed.", button, experiment_id="e1"))
    boris = slack.add_person("boris")
    bot.replies['/log "a < b & c"'] = Reply.of("The log.")
    await boris.press("Log")
    card = slack.list_posted_messages(lab, thread="")[0]
    answer = await wait_for_first(lambda: slack.list_posted_messages(lab, thread=card.ts))
    assert answer.visible_text == "The log."
    message = bot.messages[0]
    assert (message.sender.user_id, message.sender_name, message.context_experiment_id) == (
        boris.id,
        "boris",
        "e1",
    )


@over_both_transports
async def test_a_button_of_an_ephemeral_answer_is_answered_to_that_person_and_stays(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/abort x"] = Reply.with_choice(
        "Really?", Button("Yes", "/abort x --yes"), Button("No", "/show x")
    )
    bot.replies["/abort x --yes"] = Reply.of(Text("Aborted.", Tone.SUCCESS))
    await anna.send_slash_command("/abort", "x", lab)
    question = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    assert question.visible_text == "Really?\n[Yes] [No]"
    await anna.press("Yes")
    await wait_until(lambda: len(slack.list_ephemeral_messages(anna)) == 2)
    assert [message.visible_text for message in slack.list_ephemeral_messages(anna)] == [
        "Really?\n[Yes] [No]",
        "✓ Aborted.",
    ]
    assert slack.list_posted_messages() == []


@over_both_transports
async def test_many_people_at_once_are_acknowledged_in_time_and_answered_once(
    slack: SlackServer, cards: FakeCards, lab: str
) -> None:
    class SlowClearML(FakeBot):
        async def handle(self, message: IncomingMessage) -> Reply:
            await asyncio.sleep(1)
            return await super().handle(message)

    people = [slack.add_person(f"person{number}") for number in range(100)]
    bot = SlowClearML({"/find x": Reply.of("Done.")})
    async with connect_front_end(slack, bot, cards, timing=Timing()):
        envelopes = await asyncio.gather(*(person.send_slash_command("/find", "x", lab) for person in people))
        for envelope in envelopes:
            await envelope.acknowledged.wait()
        await wait_until(lambda: all(_list_ephemeral_texts(slack, person) == ["Done."] for person in people))
    slowest = max(envelope.acked_after or 0.0 for envelope in envelopes)
    print(f"slowest acknowledgement of 100: {slowest * 1000:.0f} ms")  # a number worth reading
    assert slack.timed_out == []
    assert slowest < 3.0
    assert all(envelope.acks == 1 for envelope in envelopes)
    assert slack.list_calls("auth.test") == [{}]


def _list_ephemeral_texts(slack: SlackServer, person: Person) -> list[str]:
    return [message.visible_text for message in slack.list_ephemeral_messages(person)]
