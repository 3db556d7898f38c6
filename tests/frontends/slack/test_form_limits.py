"""Forms beyond what a window can hold: nothing is refused by Slack, and nothing is left unsaid."""

from collections.abc import AsyncIterator

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.replies import FieldKind, Form, FormField, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import RememberedCards, connected, first, registry_with_forms, window_of
from tests.support.slack import Person, SlackServer, Window
from tests.support.waiting import until


async def _opened(
    slack: SlackServer, bot: FakeBot, anna: Person, lab: str, *fields: FormField, title: str = "Parameters"
) -> Window:
    bot.replies["/set"] = Reply.of(Form(title, "/set e1", fields))
    await anna.slash("/set", "", lab)
    return await window_of(anna)


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: RememberedCards) -> AsyncIterator[SlackFrontEnd]:
    async with connected(slack, bot, cards, registry=registry_with_forms()) as front_end:
        yield front_end


async def test_changed_values_come_first_where_not_all_fit(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    fields = [
        FormField(f"args.p{n}", f"p{n}", str(n), group=f"Group {n // 100}", changed=n >= 280) for n in range(300)
    ]
    window = await _opened(slack, bot, anna, lab, *fields)
    labels = list(window.values)
    assert labels[-20:] == [f"p{n} (changed)" for n in range(280, 300)]
    assert labels[0] == "p0"
    assert len(window.view.content["blocks"]) > 90
    assert window.shown.splitlines()[-1] == (
        f"{300 - len(labels)} more values have no room here; "
        f"to change one, send a line such as: /set e1 args.p{len(labels) - 20}=…"
    )
    assert window.shown.count("Group 0") == window.shown.count("Group 2") == 1
    bot.replies["/set e1 args.p299='x'"] = Reply.of("Done.")
    window.type("p299 (changed)", "x")
    await window.submit()
    await until(lambda: window.shown == "Done.")


async def test_a_full_form_has_room_for_its_refusal(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    fields = [FormField(f"args.p{n}", f"p{n}", group=f"Group {n}") for n in range(100)]
    window = await _opened(slack, bot, anna, lab, *fields, title="A title that is longer than a window's")
    window.type("p0", "x")
    await window.submit()
    await until(lambda: "No such command." in window.shown)
    assert window.values["p0"] == "x"


async def test_long_and_unshowable_values_are_shown_and_cannot_be_changed(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/set e1 args.short='2'"] = Reply.of("Done.")
    window = await _opened(
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
    assert list(window.values) == ["full", "short"]
    assert "long (changed)\nIt cannot be changed here. To change it, send: /set e1 args.long=…" in window.shown
    assert "&&&…" in window.shown
    assert "\N{SYMBOL FOR ESCAPE}[2J" in window.shown
    window.type("short", "2")
    await window.submit()
    await until(lambda: window.shown == "Done.")


async def test_many_long_values_keep_within_the_size_of_a_view(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    fields = [
        FormField(f"args.p{n}", f"p{n}", "é\n" * 1500, FieldKind.LONG_TEXT, note="é" * 3000) for n in range(90)
    ]
    window = await _opened(slack, bot, anna, lab, *fields)
    assert 5 < len(window.values) < 50
    assert "more values have no room here" in window.shown


async def test_labels_notes_groups_and_titles_are_cut(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    long = "<&>" * 1000
    field = FormField("args.x", long, "1", group=long, note=long)
    window = await _opened(slack, bot, anna, lab, field, FormField("y", ""), title=long)
    assert window.title.endswith("…")
    assert sorted(window.values.values()) == ["", "1"]
    assert all(label.endswith("…") or label == "y" for label in window.values)


async def test_a_long_text_has_several_lines_and_a_required_one_must_be_there(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    window = await _opened(
        slack,
        bot,
        anna,
        lab,
        FormField("a", "long", kind=FieldKind.LONG_TEXT),
        FormField("b", "two lines", "1\n2"),
        FormField("c", "one line", required=True),
    )
    assert [block["element"]["multiline"] for block in window.inputs] == [True, True, False]
    assert [block["optional"] for block in window.inputs] == [True, True, False]


async def test_a_form_of_nothing_and_one_with_words_beside_it_are_shown(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    window = await _opened(slack, bot, anna, lab)
    assert window.shown == "There is nothing to fill in."
    bot.replies["/set e1"] = Reply.of("Mind the gap.", Form("Container", "/set e1", (FormField("a", "a"),)))
    await anna.slash("/set", "e1", lab)
    assert (await window_of(anna, "Mind the gap.")).shown == "Mind the gap.\na"


async def test_a_form_whose_command_is_too_long_for_a_window_is_a_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    command = "/set " + "e" * 3000
    bot.replies["/set"] = Reply.of(Form("Parameters", command, (FormField("a", "a", "1"),)))
    await anna.slash("/set", "", lab)
    message = await first(lambda: slack.whispered(anna))
    assert "a  1" in message.shown
    assert (await window_of(anna)).shown == "The answer is in a message."
