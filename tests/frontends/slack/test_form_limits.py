"""Forms that exceed the limits of a modal: Slack accepts them, and people see what is missing."""

from collections.abc import AsyncIterator

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.replies import FieldKind, Form, FormField, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    FakeCards,
    build_form_registry,
    connect_front_end,
    wait_for_first,
    wait_for_modal,
)
from tests.support.polling import wait_until
from tests.support.slack import Modal, Person, SlackServer


async def _open_form(
    slack: SlackServer, bot: FakeBot, anna: Person, lab: str, *fields: FormField, title: str = "Parameters"
) -> Modal:
    bot.replies["/set"] = Reply.of(Form(title, "/set e1", fields))
    await anna.send_slash_command("/set", "", lab)
    return await wait_for_modal(anna)


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> AsyncIterator[SlackFrontEnd]:
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()) as front_end:
        yield front_end


async def test_changed_values_come_first_where_not_all_fit(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    fields = [
        FormField(f"args.p{n}", f"p{n}", str(n), group=f"Group {n // 100}", changed=n >= 280) for n in range(300)
    ]
    modal = await _open_form(slack, bot, anna, lab, *fields)
    labels = list(modal.values)
    assert labels[-20:] == [f"p{n} (changed)" for n in range(280, 300)]
    assert labels[0] == "p0"
    assert len(modal.view.content["blocks"]) > 90
    assert modal.visible_text.splitlines()[-1] == (
        f"{300 - len(labels)} more values don't fit here. To change one, send: /set e1 args.p{len(labels) - 20}=…"
    )
    assert modal.visible_text.count("Group 0") == modal.visible_text.count("Group 2") == 1
    bot.replies["/set e1 args.p299='x'"] = Reply.of("Done.")
    modal.type("p299 (changed)", "x")
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "Done.")


async def test_a_full_form_has_room_for_its_refusal(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    fields = [FormField(f"args.p{n}", f"p{n}", group=f"Group {n}") for n in range(100)]
    modal = await _open_form(slack, bot, anna, lab, *fields, title="A title too long for a modal's title bar")
    modal.type("p0", "x")
    await modal.submit()
    await wait_until(lambda: "No such command." in modal.visible_text)
    assert modal.values["p0"] == "x"


async def test_long_and_unprintable_values_are_read_only(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.short='2'"] = Reply.of("Done.")
    modal = await _open_form(
        slack,
        bot,
        anna,
        lab,
        FormField("args.long", "long", "&" * 3001, changed=True),
        FormField("args.escape", "escape", "\x1b[2J"),
        FormField("n" * 300, "name", "1"),
        FormField("args.full", "full", "&" * 3000),
        FormField("args.short", "short", "1"),
    )
    assert list(modal.values) == ["full", "short"]
    assert (
        "long (changed)\nYou can't edit this value here. To change it, send: /set e1 args.long=…"
        in modal.visible_text
    )
    assert "&&&…" in modal.visible_text
    assert "\N{SYMBOL FOR ESCAPE}[2J" in modal.visible_text
    modal.type("short", "2")
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "Done.")


async def test_many_long_values_fit_into_a_view(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    fields = [
        FormField(f"args.p{n}", f"p{n}", "é\n" * 1500, FieldKind.LONG_TEXT, hint="é" * 3000) for n in range(90)
    ]
    modal = await _open_form(slack, bot, anna, lab, *fields)
    assert 5 < len(modal.values) < 50
    assert "more values don't fit here" in modal.visible_text


async def test_labels_hints_groups_and_titles_are_truncated(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    long = "<&>" * 1000
    field = FormField("args.x", long, "1", group=long, hint=long)
    modal = await _open_form(slack, bot, anna, lab, field, FormField("y", ""), title=long)
    assert modal.title.endswith("…")
    assert sorted(modal.values.values()) == ["", "1"]
    assert all(label.endswith("…") or label == "y" for label in modal.values)


async def test_long_text_is_multiline_and_required_field_is_not_optional(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    modal = await _open_form(
        slack,
        bot,
        anna,
        lab,
        FormField("a", "long", kind=FieldKind.LONG_TEXT),
        FormField("b", "two lines", "1\n2"),
        FormField("c", "one line", required=True),
    )
    assert [block["element"]["multiline"] for block in modal.inputs] == [True, True, False]
    assert [block["optional"] for block in modal.inputs] == [True, True, False]


async def test_empty_form_and_form_with_intro_are_shown(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    modal = await _open_form(slack, bot, anna, lab)
    assert modal.visible_text == "There's nothing to fill in."
    bot.replies["/set e1"] = Reply.of("Mind the gap.", Form("Container", "/set e1", (FormField("a", "a"),)))
    await anna.send_slash_command("/set", "e1", lab)
    assert (await wait_for_modal(anna, "Mind the gap.")).visible_text == "Mind the gap.\na"


async def test_form_with_too_long_command_is_sent_as_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    command = "/set " + "e" * 3000
    bot.replies["/set"] = Reply.of(Form("Parameters", command, (FormField("a", "a", "1"),)))
    await anna.send_slash_command("/set", "", lab)
    message = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    assert "a  1" in message.visible_text
    assert (await wait_for_modal(anna)).visible_text == "The answer was sent as a message."
