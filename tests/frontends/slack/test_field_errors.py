"""Wrong values of forms, shown at their fields while Slack waits for the acknowledgement."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.replies import FieldError, Form, FormField, Outcome, Reply, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    TEST_TIMING,
    FakeCards,
    SlowBot,
    build_form_registry,
    connect_front_end,
    over_both_transports,
    wait_for_modal,
)
from tests.frontends.slack.forms import build_form_bot
from tests.support.polling import wait_until
from tests.support.slack import Modal, Person, SlackServer


def build_refusal(*errors: FieldError) -> Reply:
    return Reply((Text("Not so.", Tone.FAILURE),), Outcome.REFUSED, field_errors=errors)


@pytest.fixture
def bot() -> FakeBot:
    bot = build_form_bot()
    bot.replies["/set e1 args.lr='x'"] = build_refusal(FieldError("args.lr", "lr: “x” isn't a number."))
    bot.replies["/set e1 args.lr='0.5'"] = Reply.of("lr: 0.5")
    return bot


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> AsyncIterator[SlackFrontEnd]:
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()) as front_end:
        yield front_end


async def open_form(person: Person, lab: str) -> Modal:
    await person.send_slash_command("/set", "", lab)
    return await wait_for_modal(person)


@over_both_transports
async def test_a_wrong_value_is_shown_at_its_field_and_the_form_stays(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    modal = await open_form(anna, lab)
    history = list(modal.view.history)
    modal.type("lr", "x")
    submission = await modal.submit()
    await wait_until(lambda: modal.errors)
    assert modal.errors == {"lr": "lr: “x” isn't a number."}
    assert modal.values["lr"] == "x"
    assert modal.view.history == history, "the form isn't drawn anew"
    modal.type("lr", "0.5")
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "lr: 0.5")
    assert submission.acks == 1


async def test_each_of_several_wrong_values_is_shown_at_its_field(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='x' general.seed='y'"] = build_refusal(
        FieldError("Args.LR", "lr is wrong"), FieldError("general.seed", "seed is wrong")
    )
    modal = await open_form(anna, lab)
    modal.type("lr", "x")
    modal.type("seed", "y")
    await modal.submit()
    await wait_until(lambda: modal.errors)
    assert modal.errors == {"lr": "lr is wrong", "seed": "seed is wrong"}


@pytest.mark.parametrize(
    "errors",
    [(), (FieldError("queue", "no such queue"),), (FieldError("args.lr", "wrong"), FieldError("queue", "wrong"))],
    ids=["no field", "another field", "one field and another"],
)
async def test_what_is_about_no_field_is_shown_above_them(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, errors: tuple[FieldError, ...]
) -> None:
    bot.replies["/set e1 args.lr='x'"] = build_refusal(*errors)
    modal = await open_form(anna, lab)
    modal.type("lr", "x")
    await modal.submit()
    await wait_until(lambda: modal.visible_text.startswith("✗ Not so."))
    assert (modal.errors, modal.values["lr"]) == ({}, "x")


async def test_a_wrong_value_found_too_late_is_shown_above_the_fields(
    slack: SlackServer, bot: FakeBot, cards: FakeCards, anna: Person, lab: str
) -> None:
    slow = SlowBot(bot.replies)
    slow.may_answer.set()
    timing = replace(TEST_TIMING, submission_timeout=timedelta(0))
    async with connect_front_end(slack, slow, cards, registry=build_form_registry(), timing=timing):
        modal = await open_form(anna, lab)
        modal.type("lr", "x")
        slow.may_answer.clear()
        await modal.submit()
        await wait_until(lambda: modal.visible_text == "Working…")
        slow.may_answer.set()
        await wait_until(lambda: modal.visible_text.startswith("✗ Not so."))
        assert (modal.errors, modal.values["lr"]) == ({}, "x")


async def test_a_long_error_with_unprintable_characters_is_cut(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.lr='x'"] = build_refusal(FieldError("args.lr", "\0<!channel> " + "x" * 5000))
    modal = await open_form(anna, lab)
    modal.type("lr", "x")
    await modal.submit()
    await wait_until(lambda: modal.errors)
    assert len(modal.errors["lr"]) == 2000
    assert "\0" not in modal.errors["lr"]


async def test_an_experiment_that_does_not_exist_is_shown_at_its_field(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    field = FormField("experiment", "experiment", "", positional=True, required=True)
    bot.replies["/clone"] = Reply.of(Form("Clone an experiment", "/clone", (field,)))
    bot.replies["/clone 'nothing'"] = build_refusal(FieldError("experiment", "No experiment named “nothing”."))
    await anna.send_slash_command("/clone", "", lab)
    modal = await wait_for_modal(anna)
    modal.type("experiment", "nothing")
    await modal.submit()
    await wait_until(lambda: modal.errors)
    assert modal.errors == {"experiment": "No experiment named “nothing”."}
