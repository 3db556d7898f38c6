"""Everything goes over a limit once, and Slack takes it all the same."""

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Block, Button, Buttons, Choice, Code, Fields, Reply, Table, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import first
from tests.support.slack import Message, Person, SlackServer
from tests.support.slack.block_kit import buttons_of

_NASTY = "<!channel> *x* & _y_ `z` :tada: <@U1> ```\u202e\x1b[2J"
_LONG = "&" * 50_000
_HUGE: list[Block] = [
    Text(_LONG),
    *(Text(_LONG, tone) for tone in Tone),
    Fields((("label", "v" * 3000),)),
    Fields(tuple((f"label {number}", "value") for number in range(100))),
    Fields((("l" * 20_000, _LONG),)),
    Table(("id", "name"), tuple((f"{number}", f"experiment {number}") for number in range(500))),
    Table(("name",), ((_LONG,),)),
    Code("\n".join(f"line {number} <&>" for number in range(10_000))),
    Code(_LONG),
    Buttons(tuple(Button(f"Button {number}", f"/show {number}") for number in range(60))),
    Buttons((Button("b" * 200, "/set a.b " + "v" * 3000),)),
    Buttons(tuple(Button(f"Button {number}", "/find " + "v" * 1900) for number in range(25))),
    Choice(_LONG, tuple(Button(f"{number} <&> " + "n" * 100, f"/show {number}") for number in range(500))),
]


async def _shown(slack: SlackServer, front_end: SlackFrontEnd, channel: str, reply: Reply) -> Message:
    await front_end.deliver(Conversation("slack", channel), reply)
    return slack.posted(channel, thread="")[-1]


@pytest.mark.parametrize("block", _HUGE, ids=lambda block: type(block).__name__)
@pytest.mark.parametrize("way", ["whisper", "public", "card", "edit", "page"])
async def test_a_block_beyond_the_limits_is_taken_wherever_it_is_shown(  # all of them fixtures
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, block: Block, way: str
) -> None:
    reply = bot.replies["/show"] = Reply(
        (Text("It begins here."), block), experiment_id="e1", is_card=way == "card"
    )

    def shown() -> list[Message]:
        return [message for message in anna.sees() if message.shown.startswith("It begins here.\n")]

    if way in {"edit", "page"}:
        old = Reply.of("Old.", Buttons((Button("Next", "/show", in_place=True),)))
        await front_end.deliver(Conversation("slack", lab), old)
        if way == "edit":
            await front_end.edit(Conversation("slack", lab), slack.posted(lab)[0].ts, reply)
        else:
            await anna.press("Next")
    else:
        await anna.slash("/show", "--public" if way == "public" else "", lab)
    message = await first(shown)
    assert bool(message.only_to) is (way == "whisper")
    assert shown() == [message]


async def test_sixty_buttons_are_all_there_or_in_the_file(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    buttons = [Button(f"Button {number}", f"/show {number}") for number in range(60)]
    message = await _shown(slack, front_end, lab, Reply.of("Which?", Buttons(tuple(buttons))))
    assert message.labels == [button.label for button in buttons[: len(message.labels)]]
    assert len(message.labels) > 25
    [uploaded] = slack.posted(lab, thread=message.ts)
    whole = uploaded.files[0].content.decode().splitlines()
    assert [f"{button.label}: {button.command}" for button in buttons] == whole[-60:]


async def test_of_a_long_value_all_is_in_the_file(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    value = "<&>" * 1000
    message = await _shown(slack, front_end, lab, Reply.of(Fields((("args.text", value), ("args.lr", "0.1")))))
    first_line, second_line, *_ = message.shown.splitlines()
    assert first_line.startswith("args.text  <&><&>")
    assert first_line.endswith("…")
    assert second_line == "args.lr  0.1"
    [uploaded] = slack.posted(lab, thread=message.ts)
    assert f"args.text: {value}\n" in uploaded.files[0].content.decode()


async def test_of_a_long_table_the_first_rows_are_shown_and_all_are_in_the_file(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    rows = tuple((f"e{number:03}", "<!channel> *x* &") for number in range(500))
    message = await _shown(slack, front_end, lab, Reply.of(Table(("id", "name"), rows)))
    lines = message.shown.splitlines()
    assert lines[1] == "e000  <!channel> *x* &"
    assert lines[-2] == f"… and {500 - (len(lines) - 3):,} more"
    [uploaded] = slack.posted(lab, thread=message.ts)
    assert len(uploaded.files[0].content.decode().strip().splitlines()) == 501


@pytest.mark.parametrize("block", _HUGE, ids=lambda block: type(block).__name__)
async def test_a_block_beyond_the_limits_is_cut_and_whole_in_a_file(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str, block: Block
) -> None:
    message = await _shown(slack, front_end, lab, Reply.of(block))
    assert message.blocks
    if len(str(block)) > 10_000:
        assert "the file has the whole answer" in message.shown
        [uploaded] = slack.posted(lab, thread=message.ts)
        assert uploaded.files[0].length > 5000


async def test_all_of_it_in_one_reply_keeps_its_beginning_and_its_buttons(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    message = await _shown(slack, front_end, lab, Reply.of("It begins here.", *_HUGE, *_HUGE))
    assert message.shown.startswith("It begins here.\n")
    assert "Button 0" in message.labels


async def test_many_small_blocks_become_fifty(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    message = await _shown(slack, front_end, lab, Reply.of(*(f"line {number}" for number in range(200))))
    assert len(message.blocks) == 50
    assert slack.workspace.files


async def test_a_command_too_long_for_a_button_is_shown_to_be_sent_by_hand(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    command = "/set args.text " + "v" * 2500
    message = await _shown(
        slack, front_end, lab, Reply.asking("Sure?", Button("Yes", command), Button("No", "/show"))
    )
    assert message.labels == ["No"]
    assert command in message.shown


async def test_a_name_full_of_markup_looks_as_it_is(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    seen = "<!channel> *x* & _y_ `z` :tada: <@U1> ```\N{REPLACEMENT CHARACTER}\N{SYMBOL FOR ESCAPE}[2J"
    blocks: list[Block] = [
        Text(_NASTY, Tone.HEADING),
        Text(_NASTY),
        Text(_NASTY, Tone.QUIET),
        Fields(((_NASTY, _NASTY),)),
        Table((_NASTY,), ((_NASTY,),)),
        Code("<!channel> *x* &"),
        Choice(_NASTY, (Button(_NASTY, f"/show '{_NASTY}'"),)),
    ]
    message = await _shown(slack, front_end, lab, Reply.of(*blocks))
    assert message.shown.count(seen) == 9
    assert "<!channel> *x* &\n" in message.shown
    assert message.text == message.text.replace("<", "")
    assert buttons_of(message.blocks)[0]["value"].count("<") == 0
    assert slack.workspace.broadcasts == []


async def test_a_card_looks_like_one(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    card = Reply.of(
        Text("baseline", Tone.HEADING),
        Text("Failed", Tone.FAILURE),
        Fields((("id", "3f2a"), ("web", "https://app.lab/x?a=1&b=2"), ("tags", ""))),
        Table(("id", "name"), (("1", "one"), ("22", "two"))),
        Buttons((Button("Log", "/log 3f2a"), Button("Retry", "/retry 3f2a"))),
        about="3f2a",
    )
    message = await _shown(slack, front_end, lab, card)
    assert message.shown.splitlines() == [
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


async def test_an_answer_without_words_is_an_answer(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    for reply in (Reply.of(), Reply.of(Text("")), Reply.of(Fields(()), Buttons(()), Code(""), Table((), ()))):
        assert (await _shown(slack, front_end, lab, reply)).shown.strip()
