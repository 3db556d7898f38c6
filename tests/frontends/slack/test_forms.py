"""Forms in modals: opened at once, filled, submitted, refused and answered."""

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
    FakeCards,
    SlowBot,
    build_form_registry,
    connect_front_end,
    over_both_transports,
    wait_for_first,
    wait_for_modal,
)
from tests.frontends.slack.forms import PARAMETERS_FORM, REFUSED_REPLY, build_form_bot
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer


@pytest.fixture
def bot() -> FakeBot:
    return build_form_bot()


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> AsyncIterator[SlackFrontEnd]:
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()) as front_end:
        yield front_end


@over_both_transports
async def test_command_opens_form_and_answer_replaces_it(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='0.01'"] = Reply.of("lr: 0.1 → 0.01")
    envelope = await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    assert (modal.title, modal.values) == (
        "Parameters of baseline",
        {"lr": "0.1", "gpus (changed)": "2", "seed": ""},
    )
    assert modal.visible_text.splitlines() == ["Args", "lr", "a number", "gpus (changed)", "General", "seed"]
    modal.type("lr", "0.01")
    submission = await modal.submit()
    await wait_until(lambda: modal.visible_text == "lr: 0.1 → 0.01")
    assert modal.view.history == ["Working…", modal.view.history[1], "Working…"]
    assert "submit" not in modal.view.content
    assert bot.lines == ["/set", "/set e1 args.lr='0.01'"]
    assert {message.conversation for message in bot.messages} == {Conversation("slack", lab)}
    assert (envelope.acks, submission.acks) == (1, 1)
    assert slack.list_ephemeral_messages(anna) == slack.list_posted_messages() == []


async def test_modal_opens_before_command_is_answered(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/set": Reply.of(PARAMETERS_FORM)})
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()):
        await anna.send_slash_command("/set", "", lab)
        await wait_until(lambda: anna.modal)
        assert anna.modal
        assert anna.modal.visible_text == "Working…"
        bot.may_answer.set()
        assert (await wait_for_modal(anna)).values["lr"] == "0.1"


async def test_a_button_opens_a_form_for_the_person_who_presses_it(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    button = Buttons((Button("Change", "/set e1"),))
    await front_end.deliver(Conversation("slack", lab), Reply.of("A draft.", button, experiment_id="e1"))
    boris = slack.add_person("boris")
    bot.replies["/set e1 general.seed='7'"] = Reply.of("seed: 7")
    await boris.press("Change")
    modal = await wait_for_modal(boris)
    modal.type("seed", "7")
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "seed: 7")
    assert anna.modal is None
    assert {(message.sender.user_id, message.context_experiment_id) for message in bot.messages} == {
        (boris.id, "e1")
    }
    assert len(slack.list_posted_messages(lab)) == 1


async def test_reply_without_form_and_its_buttons_work_in_modal(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set base"] = Reply.with_choice(
        "Which one?", Button("e1", "/set e1"), Button("e2", "/show 'e & 2'")
    )
    bot.replies["/show 'e & 2'"] = Reply.of("The second.")
    await anna.send_slash_command("/set", "base", lab)
    modal = await wait_for_modal(anna)
    assert modal.visible_text == "Which one?\n[e1] [e2]"
    await modal.press("e1")
    await wait_until(lambda: "lr" in modal.values)
    await anna.send_slash_command("/set", "base", lab)
    second = await wait_for_modal(anna, "Which one?")
    await second.press("e2")
    await wait_until(lambda: second.visible_text == "The second.")
    assert bot.messages[-1].conversation == Conversation("slack", lab)
    assert slack.list_ephemeral_messages(anna) == slack.list_posted_messages() == []


async def test_next_form_in_same_modal_starts_with_its_own_values(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='0.5'"] = Reply.of("Done.", Buttons((Button("Again", "/set e1"),)))
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    modal.type("lr", "0.5")
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "Done.\n[Again]")
    await modal.press("Again")
    await wait_until(lambda: modal.values.get("lr") == "0.1")


async def test_mention_without_trigger_gets_form_as_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["set e1"] = Reply.of(PARAMETERS_FORM)
    bot.replies["/set e1 args.lr='1'"] = Reply.of("Done.")
    await anna.mention_bot(lab, "set e1")
    message = await wait_for_first(lambda: slack.list_posted_messages(lab))
    assert "lr  0.1" in message.visible_text
    await anna.press("Open form")
    modal = await wait_for_modal(anna)
    modal.type("lr", "1")
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "Done.")
    assert bot.messages[-1].conversation == Conversation("slack", lab, message.thread_ts)


NASTY = "a < b & c &amp; &lt;x&gt; <!channel> *x* :tada: 'one' \"two\" \\ é 日本"


async def test_text_is_preserved_both_ways(front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str) -> None:
    field = FormField("args.text", NASTY, NASTY, hint=NASTY, group=NASTY)
    bot.replies["/set"] = Reply.of(Form(NASTY, f"/set '{NASTY[:20]}'", (field, replace(field, name="args.b&<c"))))
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    assert modal.visible_text.count(NASTY) == 6
    assert [state["value"]["value"] for state in modal.view.state.values()] == [NASTY, NASTY]
    state = list(modal.view.state.values())[1]
    state["value"]["value"] = f"{NASTY}\n{NASTY}"
    await modal.submit()
    await wait_until(lambda: len(bot.lines) == 2)
    escaped = NASTY.replace("'", "'\"'\"'")
    assert bot.lines[1] == f"/set '{NASTY[:20]}' 'args.b&<c'='{escaped}\n{escaped}'"


async def test_untouched_fields_are_left_out_of_line(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    fields = (
        FormField("script", "script", "pip install x\r\necho 'a'\n"),
        FormField("entities", "entities", "a &amp; b"),
        FormField("name", "name", "kept", positional=True),
        FormField("gone", "gone", "7"),
    )
    bot.replies["/set"] = Reply.of(Form("Container", "/set e1", fields))
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    modal.type("script", "pip install x\necho 'a'")
    modal.type("entities", "a & b")
    modal.type("gone", "")
    await modal.submit()
    await wait_until(lambda: len(bot.lines) == 2)
    assert bot.lines[1] == "/set e1 'kept' gone=''"


async def test_unchanged_form_is_not_run(front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str) -> None:
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    await modal.submit()
    await wait_until(lambda: modal.errors)
    assert modal.errors == {"lr": "Nothing has changed yet. Change a value, or cancel."}
    assert bot.lines == ["/set"]


@over_both_transports
async def test_refused_form_keeps_submitted_values(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='x <&>' general.seed='7'"] = REFUSED_REPLY
    bot.replies["/set e1 args.lr='y' general.seed='7'"] = REFUSED_REPLY
    bot.replies["/set e1 general.seed='7'"] = Reply.of("seed: 7")
    await anna.send_slash_command("/set", "", lab)
    modal = await wait_for_modal(anna)
    shown = modal.visible_text
    modal.type("lr", "x <&>")
    modal.type("seed", "7")
    await modal.submit()
    await wait_until(lambda: "isn't a number" in modal.visible_text)
    assert modal.visible_text == f"✗ lr: “x” isn't a number.\n{shown}"
    assert modal.values == {"lr": "x <&>", "gpus (changed)": "2", "seed": "7"}
    modal.type("lr", "y")
    await modal.submit()
    await wait_until(lambda: len(bot.lines) == 3 and "isn't a number" in modal.visible_text)
    assert modal.visible_text == f"✗ lr: “x” isn't a number.\n{shown}"
    modal.type("lr", "0.1")
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "seed: 7")


async def test_form_of_public_command_is_answered_in_channel(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1", experiment_id="e1")
    await anna.send_slash_command("/set", "--public", lab)
    modal = await wait_for_modal(anna)
    modal.type("lr", "1")
    await modal.submit()
    answer = await wait_for_first(lambda: slack.list_posted_messages(lab))
    assert answer.visible_text == "lr: 1"
    await wait_until(lambda: modal.visible_text == "The answer was sent as a message.")
    assert cards.experiment_ids == {(lab, answer.ts): "e1"}
