"""Replies that exceed each of Slack's limits, and are still accepted."""

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.actions import Action
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Block, Button, Buttons, Choice, Code, Fields, Reply, Table, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import FakeActions, wait_for_first
from tests.support.slack import Message, Person, SlackServer
from tests.support.slack.block_kit import find_buttons

_NASTY = "<!channel> *x* & _y_ `z` :tada: <@U1> ```\u202e\x1b[2J"
_LONG_TEXT = "&" * 50_000
_OVERSIZED_BLOCKS: list[Block] = [
    Text(_LONG_TEXT),
    *(Text(_LONG_TEXT, tone) for tone in Tone),
    Fields((("label", "v" * 3000),)),
    Fields(tuple((f"label {number}", "value") for number in range(100))),
    Fields((("l" * 20_000, _LONG_TEXT),)),
    Table(("id", "name"), tuple((f"{number}", f"experiment {number}") for number in range(500))),
    Table(("name",), ((_LONG_TEXT,),)),
    Code("\n".join(f"line {number} <&>" for number in range(10_000))),
    Code(_LONG_TEXT),
    Buttons(tuple(Button(f"Button {number}", f"/show {number}") for number in range(60))),
    Buttons((Button("b" * 200, "/set a.b " + "v" * 3000),)),
    Buttons(tuple(Button(f"Button {number}", "/find " + "v" * 1900) for number in range(25))),
    Choice(_LONG_TEXT, tuple(Button(f"{number} <&> " + "n" * 100, f"/show {number}") for number in range(500))),
]


async def _deliver(slack: SlackServer, front_end: SlackFrontEnd, channel: str, reply: Reply) -> Message:
    await front_end.deliver(Conversation("slack", channel), reply)
    return slack.list_posted_messages(channel, thread="")[-1]


@pytest.mark.parametrize("block", _OVERSIZED_BLOCKS, ids=lambda block: type(block).__name__)
@pytest.mark.parametrize("target", ["ephemeral", "public", "card", "edit", "page"])
async def test_oversized_block_is_accepted_everywhere(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, block: Block, target: str
) -> None:
    reply = bot.replies["/show"] = Reply(
        (Text("It begins here."), block), experiment_id="e1", is_card=target == "card"
    )

    def find_reply() -> list[Message]:
        return [
            message
            for message in anna.list_visible_messages()
            if message.visible_text.startswith("It begins here.\n")
        ]

    if target in {"edit", "page"}:
        old = Reply.of("Old.", Buttons((Button("Next", "/show", in_place=True),)))
        await front_end.deliver(Conversation("slack", lab), old)
        if target == "edit":
            await front_end.edit(Conversation("slack", lab), slack.list_posted_messages(lab)[0].ts, reply)
        else:
            await anna.press("Next")
    else:
        await anna.send_slash_command("/show", "--public" if target == "public" else "", lab)
    message = await wait_for_first(find_reply)
    assert bool(message.visible_to) is (target == "ephemeral")
    assert find_reply() == [message]


async def test_buttons_that_do_not_fit_are_in_file(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    buttons = [Button(f"Button {number}", f"/show {number}") for number in range(60)]
    message = await _deliver(slack, front_end, lab, Reply.of("Which?", Buttons(tuple(buttons))))
    assert message.button_labels == [button.label for button in buttons[: len(message.button_labels)]]
    assert len(message.button_labels) > 25
    [uploaded] = slack.list_posted_messages(lab, thread=message.ts)
    whole = uploaded.files[0].content.decode().splitlines()
    assert [f"{button.label}: {button.command}" for button in buttons] == whole[-60:]


async def test_long_value_is_complete_in_file(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    value = "<&>" * 1000
    message = await _deliver(slack, front_end, lab, Reply.of(Fields((("args.text", value), ("args.lr", "0.1")))))
    first_line, second_line, *_ = message.visible_text.splitlines()
    assert first_line.startswith("args.text  <&><&>")
    assert first_line.endswith("…")
    assert second_line == "args.lr  0.1"
    [uploaded] = slack.list_posted_messages(lab, thread=message.ts)
    assert f"args.text: {value}\n" in uploaded.files[0].content.decode()


async def test_long_table_shows_first_rows_and_is_complete_in_file(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    rows = tuple((f"e{number:03}", "<!channel> *x* &") for number in range(500))
    message = await _deliver(slack, front_end, lab, Reply.of(Table(("id", "name"), rows)))
    lines = message.visible_text.splitlines()
    assert lines[1] == "e000  <!channel> *x* &"
    assert lines[-2] == f"… and {500 - (len(lines) - 3):,} more"
    [uploaded] = slack.list_posted_messages(lab, thread=message.ts)
    assert len(uploaded.files[0].content.decode().strip().splitlines()) == 501


@pytest.mark.parametrize("block", _OVERSIZED_BLOCKS, ids=lambda block: type(block).__name__)
async def test_oversized_block_is_truncated_and_complete_in_file(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str, block: Block
) -> None:
    message = await _deliver(slack, front_end, lab, Reply.of(block))
    assert message.blocks
    if len(str(block)) > 10_000:
        assert "The file has all of it." in message.visible_text
        [uploaded] = slack.list_posted_messages(lab, thread=message.ts)
        assert uploaded.files[0].length > 5000


async def test_oversized_reply_keeps_its_beginning_and_buttons(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    message = await _deliver(
        slack, front_end, lab, Reply.of("It begins here.", *_OVERSIZED_BLOCKS, *_OVERSIZED_BLOCKS)
    )
    assert message.visible_text.startswith("It begins here.\n")
    assert "Button 0" in message.button_labels


async def test_many_small_blocks_are_limited_to_fifty(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    message = await _deliver(slack, front_end, lab, Reply.of(*(f"line {number}" for number in range(200))))
    assert len(message.blocks) == 50
    assert slack.workspace.files


async def test_command_too_long_for_button_that_cannot_be_stored_is_shown_as_line_to_send(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_actions: FakeActions, _action: Action) -> str:
        raise DatabaseUnusableError(url="sqlite://", reason="database or disk is full")

    monkeypatch.setattr(FakeActions, "create_token", fail)
    command = "/set args.text " + "v" * 2500
    message = await _deliver(
        slack, front_end, lab, Reply.with_choice("Sure?", Button("Yes", command), Button("No", "/show"))
    )
    assert message.button_labels == ["No"]
    assert f"“Yes” is too long for a button. Send this line instead:\n{command}" in message.visible_text


async def test_markup_in_names_is_shown_literally(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    expected = "<!channel> *x* & _y_ `z` :tada: <@U1> ```\N{REPLACEMENT CHARACTER}\N{SYMBOL FOR ESCAPE}[2J"
    blocks: list[Block] = [
        Text(_NASTY, Tone.HEADING),
        Text(_NASTY),
        Text(_NASTY, Tone.SUBTLE),
        Fields(((_NASTY, _NASTY),)),
        Table((_NASTY,), ((_NASTY,),)),
        Code("<!channel> *x* &"),
        Choice(_NASTY, (Button(_NASTY, f"/show '{_NASTY}'"),)),
    ]
    message = await _deliver(slack, front_end, lab, Reply.of(*blocks))
    assert message.visible_text.count(expected) == 9
    assert "<!channel> *x* &\n" in message.visible_text
    assert message.text == message.text.replace("<", "")
    assert find_buttons(message.blocks)[0]["value"].count("<") == 0
    assert slack.workspace.broadcasts == []


async def test_card_layout(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    card = Reply.of(
        Text("baseline", Tone.HEADING),
        Text("Failed", Tone.FAILURE),
        Fields((("id", "3f2a"), ("web", "https://app.lab/x?a=1&b=2"), ("tags", ""))),
        Table(("id", "name"), (("1", "one"), ("22", "two"))),
        Buttons((Button("Log", "/log 3f2a"), Button("Retry", "/retry 3f2a"))),
        experiment_id="3f2a",
    )
    message = await _deliver(slack, front_end, lab, card)
    assert message.visible_text.splitlines() == [
        "baseline",
        "✗ Failed",
        "id  3f2a",
        "web  https://app.lab/x?a=1&b=2",
        "tags  —",
        "id  name",
        "1   one",
        "22  two",
        "[Log] [Retry]",
    ]
    assert message.text == "baseline"
    assert [block["type"] for block in message.blocks] == [
        "header",
        "section",
        "rich_text",
        "rich_text",
        "actions",
    ]


async def test_empty_reply_is_shown_as_text(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    for reply in (Reply.of(), Reply.of(Text("")), Reply.of(Fields(()), Buttons(()), Code(""), Table((), ()))):
        assert (await _deliver(slack, front_end, lab, reply)).visible_text.strip()
