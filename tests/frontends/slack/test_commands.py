"""What people say in Slack, and where the answer appears."""

import asyncio
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd, Timing
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import RememberedCards, SlowBot, both_ways, connected, first
from tests.support.slack import Person, SlackServer
from tests.support.waiting import until


@both_ways
async def test_a_slash_command_is_answered_to_the_person_alone(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/find baseline"] = Reply.of("Two found.")
    envelope = await anna.slash("/find", "baseline", lab)
    answer = await first(lambda: slack.whispered(anna))
    assert answer.shown == "Two found."
    assert slack.posted() == []
    assert envelope.acks == 1
    heard = bot.heard[0]
    assert heard.sender == Identity("slack", anna.id, "T0001")
    assert heard.sender_name == "anna"
    assert heard.conversation == Conversation("slack", lab)


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
async def test_the_root_command_and_the_bare_verbs_are_the_same_line(
    slack: SlackServer,
    front_end: SlackFrontEnd,
    bot: FakeBot,
    anna: Person,
    lab: str,
    command: str,
    text: str,
    line: str,
) -> None:
    await anna.slash(command, text, lab)
    await until(lambda: bot.lines == [line])


async def test_a_prefix_of_the_bare_commands_is_taken_off(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards, anna: Person, lab: str
) -> None:
    async with connected(slack, bot, cards, prefix="ml-"):
        await anna.slash("/ml-clone", "baseline", lab)
        await until(lambda: bot.lines == ["/clone baseline"])


@both_ways
async def test_wrapped_links_and_mentions_arrive_as_they_were_typed(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    sent = "image=<http://nvcr.io/x:1|nvcr.io/x:1> <@U1|bob> <#C1|general> a &lt;b&gt; &amp;amp;"
    await anna.slash("/container", sent, lab, as_sent=True)
    await until(lambda: bot.lines == ["/container image=nvcr.io/x:1 @U1 #general a <b> &amp;"])


@both_ways
async def test_public_makes_a_real_message_and_is_no_part_of_the_command(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot.replies["/clone baseline"] = Reply.of("Cloned.", about="e1")
    await anna.slash("/clone", "baseline —public", lab)
    answer = await first(lambda: slack.posted(lab))
    assert answer.shown == "Cloned."
    assert slack.whispered(anna) == []
    await until(lambda: cards.cards == {(lab, answer.ts): "e1"})


async def test_public_in_quotes_is_a_text_like_any_other(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    await anna.slash("/set", "args.flag '--public'", lab)
    await until(lambda: bot.lines == ["/set args.flag '--public'"])
    await first(lambda: slack.whispered(anna))


async def test_public_reaches_a_channel_that_the_bot_is_not_in(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    elsewhere = slack.channel("elsewhere", bot_is_in=False)
    bot.replies["/queue"] = Reply.of("Empty.")
    await anna.slash("/queue", "--public", elsewhere)
    assert (await first(lambda: slack.posted(elsewhere))).shown == "Empty."


async def test_a_public_answer_elsewhere_takes_the_place_of_its_working_line(
    slack: SlackServer, cards: RememberedCards, anna: Person
) -> None:
    elsewhere = slack.channel("elsewhere", bot_is_in=False)
    bot = SlowBot({"/queue": Reply.of("Empty.")})
    async with connected(slack, bot, cards, timing=Timing(patience=timedelta(0))):
        await anna.slash("/queue", "--public", elsewhere)
        message = await first(lambda: slack.posted(elsewhere))
        bot.may_answer.set()
        await until(lambda: message.shown == "Empty.")
    assert slack.posted(elsewhere) == [message]


@both_ways
async def test_a_mention_is_answered_in_its_thread(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["show baseline"] = Reply.of("baseline", about="e1")
    mention = await anna.mention(lab, "show baseline")
    answer = await first(lambda: slack.posted(lab))
    assert answer.thread_ts == mention.ts
    assert bot.heard[0].conversation == Conversation("slack", lab, mention.ts)
    assert bot.heard[0].said_in == Conversation("slack", lab)
    assert bot.heard[0].sender_name == "anna"
    assert not bot.heard[0].is_private
    await anna.mention(lab, "log", thread=mention.ts)
    await anna.direct_message("queue")
    await until(lambda: bot.lines == ["show baseline", "log", "queue"])
    assert [message.said_in.thread for message in bot.heard] == ["", mention.ts, ""]
    assert [message.is_private for message in bot.heard] == [False, False, True]


@both_ways
async def test_in_the_thread_of_a_card_its_experiment_is_meant(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of("It runs.", about="e1"))
    card = slack.posted(lab)[0]
    await anna.mention(lab, "log", thread=card.ts)
    await until(lambda: bot.heard)
    assert (bot.heard[0].text, bot.heard[0].about) == ("log", "e1")
    answer = await first(lambda: slack.posted(lab, thread=card.ts))
    assert answer.thread_ts == card.ts


@both_ways
async def test_a_direct_message_is_a_command_and_its_card_is_remembered(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person
) -> None:
    bot.replies["clone baseline"] = Reply.of("Cloned.", about="e2")
    await anna.direct_message("clone baseline")
    answer = await first(lambda: slack.posted(anna.direct_channel))
    assert (answer.shown, answer.thread_ts) == ("Cloned.", "")
    await until(lambda: cards.cards == {(anna.direct_channel, answer.ts): "e2"})
    await anna.direct_message("log", thread=answer.ts)
    await until(lambda: bot.heard[-1].about == "e2")


@both_ways
async def test_what_no_person_has_just_written_is_not_heard(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    direct = anna.direct_channel
    await anna.write("message", direct, "clone x", channel_type="im", subtype="message_changed")
    await anna.write("message", direct, "clone x", channel_type="im", bot_id="B2")
    await anna.write("app_mention", lab, "clone x", edited={"user": anna.id})
    await anna.write("message", lab, "clone x", channel_type="channel")
    await anna.direct_message("queue")
    await until(lambda: bot.lines == ["queue"])
    assert all(envelope.acks == 1 for envelope in slack.sockets.envelopes.values())


@both_ways
async def test_long_work_shows_a_line_that_becomes_the_answer(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/find": Reply.of("Found."), "find": Reply.of("Found.")})
    async with connected(slack, bot, cards, timing=Timing(patience=timedelta(0))):
        await anna.slash("/find", "", lab)
        await anna.mention(lab, "find")
        whisper = await first(lambda: slack.whispered(anna))
        message = await first(lambda: slack.posted(lab))
        assert {whisper.shown, message.shown} == {"working…"}
        bot.may_answer.set()
        await until(lambda: {whisper.shown, message.shown} == {"Found."})
    assert len(slack.whispered(anna)) == len(slack.posted(lab)) == 1


async def test_an_answer_after_the_response_address_has_expired_comes_as_a_direct_message(
    cards: RememberedCards,
) -> None:
    now = [0.0]
    bot = SlowBot({"/wait": Reply.of("It runs.")})
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna, lab = slack.person("anna"), slack.channel("lab")
        async with connected(slack, bot, cards):
            await (await anna.slash("/wait", "", lab)).acknowledged.wait()
            now[0] = 31 * 60
            bot.may_answer.set()
            assert (await first(lambda: slack.posted(anna.direct_channel))).shown == "It runs."


async def test_a_deleted_working_line_is_replaced_by_a_new_message(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"find": Reply.of("Found.")})
    async with connected(slack, bot, cards, timing=Timing(patience=timedelta(0))):
        await anna.mention(lab, "find")
        (await first(lambda: slack.posted(lab))).deleted = True
        bot.may_answer.set()
        assert (await first(lambda: slack.posted(lab))).shown == "Found."


@both_ways
async def test_a_handler_that_breaks_its_promise_loses_neither_the_acknowledgement_nor_an_answer(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str, caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenBot(FakeBot):
        async def handle(self, message: IncomingMessage) -> Reply:
            raise ZeroDivisionError(message.text)

    async with connected(slack, BrokenBot(), cards):
        envelope = await anna.slash("/find", "", lab)
        answer = await first(lambda: slack.whispered(anna))
    assert envelope.acks == 1
    incident = answer.shown.split()[-1].rstrip(".")
    assert f"Incident {incident}" in caplog.text


@both_ways
async def test_a_pressed_button_runs_as_the_person_who_pressed_it_in_the_thread_of_its_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    button = Buttons((Button("Log", '/log "a < b & c"'),))
    await front_end.deliver(Conversation("slack", lab), Reply.of("It failed.", button, about="e1"))
    boris = slack.person("boris")
    bot.replies['/log "a < b & c"'] = Reply.of("The log.")
    await boris.press("Log")
    card = slack.posted(lab, thread="")[0]
    answer = await first(lambda: slack.posted(lab, thread=card.ts))
    assert answer.shown == "The log."
    heard = bot.heard[0]
    assert (heard.sender.user_id, heard.sender_name, heard.about) == (boris.id, "boris", "e1")


@both_ways
async def test_a_button_of_an_ephemeral_answer_is_answered_to_that_person_and_stays(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/abort x"] = Reply.asking("Really?", Button("Yes", "/abort x --yes"), Button("No", "/show x"))
    bot.replies["/abort x --yes"] = Reply.of(Text("Aborted.", Tone.SUCCESS))
    await anna.slash("/abort", "x", lab)
    question = await first(lambda: slack.whispered(anna))
    assert question.shown == "Really?\n[Yes] [No]"
    await anna.press("Yes")
    await until(lambda: len(slack.whispered(anna)) == 2)
    assert [message.shown for message in slack.whispered(anna)] == ["Really?\n[Yes] [No]", "✓ Aborted."]
    assert slack.posted() == []


@both_ways
async def test_many_people_at_once_are_acknowledged_in_time_and_answered_once(
    slack: SlackServer, cards: RememberedCards, lab: str
) -> None:
    class SlowClearML(FakeBot):
        async def handle(self, message: IncomingMessage) -> Reply:
            await asyncio.sleep(1)
            return await super().handle(message)

    people = [slack.person(f"person{number}") for number in range(100)]
    bot = SlowClearML({"/find x": Reply.of("Done.")})
    async with connected(slack, bot, cards, timing=Timing()):
        envelopes = await asyncio.gather(*(person.slash("/find", "x", lab) for person in people))
        for envelope in envelopes:
            await envelope.acknowledged.wait()
        await until(lambda: all(_shown(slack, person) == ["Done."] for person in people))
    slowest = max(envelope.acked_after or 0.0 for envelope in envelopes)
    print(f"slowest acknowledgement of 100: {slowest * 1000:.0f} ms")  # a number worth reading
    assert slack.timed_out == []
    assert slowest < 3.0
    assert all(envelope.acks == 1 for envelope in envelopes)
    assert slack.called("auth.test") == [{}]


def _shown(slack: SlackServer, person: Person) -> list[str]:
    return [message.shown for message in slack.whispered(person)]
