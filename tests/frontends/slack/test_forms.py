"""Forms in windows: opened at once, filled, submitted, refused, and answered whatever happens meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import (
    Button,
    Buttons,
    Form,
    FormField,
    Reply,
)
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    RememberedCards,
    SlowBot,
    both_ways,
    connected,
    first,
    registry_with_forms,
    window_of,
)
from tests.frontends.slack.forms import LEARNING, REFUSED, bot_with_form
from tests.support.slack import Person, SlackServer
from tests.support.waiting import until


@pytest.fixture
def bot() -> FakeBot:
    return bot_with_form()


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: RememberedCards) -> AsyncIterator[SlackFrontEnd]:
    async with connected(slack, bot, cards, registry=registry_with_forms()) as front_end:
        yield front_end


@both_ways
async def test_a_command_opens_a_form_whose_answer_is_shown_in_it(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='0.01'"] = Reply.of("lr: 0.1 → 0.01")
    envelope = await anna.slash("/set", "", lab)
    window = await window_of(anna)
    assert (window.title, window.values) == (
        "Parameters of baseline",
        {"lr": "0.1", "gpus (changed)": "2", "seed": ""},
    )
    assert window.shown.splitlines() == ["Args", "lr", "a number", "gpus (changed)", "General", "seed"]
    window.type("lr", "0.01")
    submission = await window.submit()
    await until(lambda: window.shown == "lr: 0.1 → 0.01")
    assert window.view.before == ["working…", window.view.before[1], "working…"]
    assert "submit" not in window.view.content
    assert bot.lines == ["/set", "/set e1 args.lr='0.01'"]
    assert {message.conversation for message in bot.heard} == {Conversation("slack", lab)}
    assert (envelope.acks, submission.acks) == (1, 1)
    assert slack.whispered(anna) == slack.posted() == []


async def test_the_window_opens_before_the_bot_has_answered(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/set": Reply.of(LEARNING)})
    async with connected(slack, bot, cards, registry=registry_with_forms()):
        await anna.slash("/set", "", lab)
        await until(lambda: anna.window)
        assert anna.window
        assert anna.window.shown == "working…"
        bot.may_answer.set()
        assert (await window_of(anna)).values["lr"] == "0.1"


async def test_a_button_opens_a_form_for_whoever_presses_it(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    button = Buttons((Button("Change", "/set e1"),))
    await front_end.deliver(Conversation("slack", lab), Reply.of("A draft.", button, about="e1"))
    boris = slack.person("boris")
    bot.replies["/set e1 general.seed='7'"] = Reply.of("seed: 7")
    await boris.press("Change")
    window = await window_of(boris)
    window.type("seed", "7")
    await window.submit()
    await until(lambda: window.shown == "seed: 7")
    assert anna.window is None
    assert {(message.sender.user_id, message.about) for message in bot.heard} == {(boris.id, "e1")}
    assert len(slack.posted(lab)) == 1


async def test_a_reply_that_is_no_form_is_shown_in_the_window_and_its_buttons_work_there(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set base"] = Reply.asking("Which one?", Button("e1", "/set e1"), Button("e2", "/show 'e & 2'"))
    bot.replies["/show 'e & 2'"] = Reply.of("The second.")
    await anna.slash("/set", "base", lab)
    window = await window_of(anna)
    assert window.shown == "Which one?\n[e1] [e2]"
    await window.press("e1")
    await until(lambda: "lr" in window.values)
    await anna.slash("/set", "base", lab)
    second = await window_of(anna, "Which one?")
    await second.press("e2")
    await until(lambda: second.shown == "The second.")
    assert bot.heard[-1].conversation == Conversation("slack", lab)
    assert slack.whispered(anna) == slack.posted() == []


async def test_what_was_typed_into_one_form_does_not_stand_in_the_next_one_of_the_same_window(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='0.5'"] = Reply.of("Done.", Buttons((Button("Again", "/set e1"),)))
    await anna.slash("/set", "", lab)
    window = await window_of(anna)
    window.type("lr", "0.5")
    await window.submit()
    await until(lambda: window.shown == "Done.\n[Again]")
    await window.press("Again")
    await until(lambda: window.values.get("lr") == "0.1")


async def test_a_mention_has_no_trigger_and_gets_the_form_as_a_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["set e1"] = Reply.of(LEARNING)
    bot.replies["/set e1 args.lr='1'"] = Reply.of("Done.")
    await anna.mention(lab, "set e1")
    message = await first(lambda: slack.posted(lab))
    assert "lr  0.1" in message.shown
    await anna.press("Fill in")
    window = await window_of(anna)
    window.type("lr", "1")
    await window.submit()
    await until(lambda: window.shown == "Done.")
    assert bot.heard[-1].conversation == Conversation("slack", lab, message.thread_ts)


NASTY = "a < b & c &amp; &lt;x&gt; <!channel> *x* :tada: 'one' \"two\" \\ é 日本"


async def test_text_is_exact_both_ways(front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str) -> None:
    field = FormField("args.text", NASTY, NASTY, note=NASTY, group=NASTY)
    bot.replies["/set"] = Reply.of(Form(NASTY, f"/set '{NASTY[:20]}'", (field, replace(field, name="args.b&<c"))))
    await anna.slash("/set", "", lab)
    window = await window_of(anna)
    assert window.shown.count(NASTY) == 6
    assert [state["value"]["value"] for state in window.view.state.values()] == [NASTY, NASTY]
    state = list(window.view.state.values())[1]
    state["value"]["value"] = f"{NASTY}\n{NASTY}"
    await window.submit()
    await until(lambda: len(bot.lines) == 2)
    escaped = NASTY.replace("'", "'\"'\"'")
    assert bot.lines[1] == f"/set '{NASTY[:20]}' args.b&<c='{escaped}\n{escaped}'"


async def test_what_nobody_touched_stays_out_of_the_line(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    fields = (
        FormField("script", "script", "pip install x\r\necho 'a'\n"),
        FormField("entities", "entities", "a &amp; b"),
        FormField("name", "name", "kept", positional=True),
        FormField("gone", "gone", "7"),
    )
    bot.replies["/set"] = Reply.of(Form("Container", "/set e1", fields))
    await anna.slash("/set", "", lab)
    window = await window_of(anna)
    window.type("script", "pip install x\necho 'a'")
    window.type("entities", "a & b")
    window.type("gone", "")
    await window.submit()
    await until(lambda: len(bot.lines) == 2)
    assert bot.lines[1] == "/set e1 'kept' gone=''"


async def test_a_form_submitted_as_it_is_is_not_run(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    await anna.slash("/set", "", lab)
    window = await window_of(anna)
    await window.submit()
    await until(lambda: "Nothing is changed yet" in window.shown)
    assert "lr" in window.values
    assert bot.lines == ["/set"]


@both_ways
async def test_a_refusal_shows_the_form_again_with_all_that_was_typed(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='x <&>' general.seed='7'"] = REFUSED
    bot.replies["/set e1 args.lr='y' general.seed='7'"] = REFUSED
    bot.replies["/set e1 general.seed='7'"] = Reply.of("seed: 7")
    await anna.slash("/set", "", lab)
    window = await window_of(anna)
    shown = window.shown
    window.type("lr", "x <&>")
    window.type("seed", "7")
    await window.submit()
    await until(lambda: "is not a number" in window.shown)
    assert window.shown == f"✗ lr: “x” is not a number.\n{shown}"
    assert window.values == {"lr": "x <&>", "gpus (changed)": "2", "seed": "7"}
    window.type("lr", "y")
    await window.submit()
    await until(lambda: len(bot.lines) == 3 and "is not a number" in window.shown)
    assert window.shown == f"✗ lr: “x” is not a number.\n{shown}"
    window.type("lr", "0.1")
    await window.submit()
    await until(lambda: window.shown == "seed: 7")


async def test_a_form_of_a_public_command_is_answered_for_all(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1", about="e1")
    await anna.slash("/set", "--public", lab)
    window = await window_of(anna)
    window.type("lr", "1")
    await window.submit()
    answer = await first(lambda: slack.posted(lab))
    assert answer.shown == "lr: 1"
    await until(lambda: window.shown == "The answer is in a message.")
    assert cards.cards == {(lab, answer.ts): "e1"}
