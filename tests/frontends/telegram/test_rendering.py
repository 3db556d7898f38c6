"""Replies as Telegram's HTML, checked against Telegram's rules."""

import pytest

from clearml_chatops.bot.frontends.telegram import rendering
from clearml_chatops.bot.frontends.telegram.keyboards import MAX_BUTTONS, Key
from clearml_chatops.bot.frontends.telegram.outgoing_messages import (
    DocumentMessage,
    OutgoingMessage,
    QuestionMessage,
    TextMessage,
)
from clearml_chatops.bot.frontends.telegram.pages import MAX_PAGE_LENGTH, split_pages
from clearml_chatops.bot.frontends.telegram.rendering import render, render_single_message
from clearml_chatops.bot.frontends.telegram.spans import Span, count_utf16_units, to_html
from clearml_chatops.models.actions import Action
from clearml_chatops.models.replies import (
    Block,
    Button,
    Buttons,
    Choice,
    Code,
    Fields,
    Link,
    Reply,
    Table,
    Text,
    Tone,
)
from tests.support.telegram.markup import ParsedText, parse_text

HOSTILE = "<!channel> *x* & <b>bold</b> </pre> &lt; @anna \x1b[2J\u202egpj"


def render_accepted(*blocks: Block) -> list[ParsedText]:
    """Return the texts that a chat shows for a reply, and check each message against Telegram's rules."""
    return list(map(parse_accepted, render(Reply.of(*blocks))))


def parse_accepted(message: OutgoingMessage) -> ParsedText:
    assert not isinstance(message, QuestionMessage)
    if isinstance(message, TextMessage):
        return parse_text(message.html, "HTML")
    return parse_text(message.caption, "HTML", max_length=1024, may_be_empty=True)


def list_labels(message: OutgoingMessage) -> list[list[str]]:
    assert not isinstance(message, QuestionMessage)
    return [[key.label for key in row] for row in message.rows]


def render_only_message(*blocks: Block) -> str:
    (message,) = render_accepted(*blocks)
    return message.text


def test_tones_have_emoji_and_styles() -> None:
    reply = Reply.of(
        Text("baseline", Tone.HEADING),
        Text("done", Tone.SUCCESS),
        Text("careful", Tone.WARNING),
        Text("broken", Tone.FAILURE),
        Text("by the way", Tone.SUBTLE),
    )

    (message,) = render(reply)

    assert isinstance(message, TextMessage)
    assert message.html == "<b>baseline</b>\n✅ done\n⚠️ careful\n❌ broken\n<i>by the way</i>"


def test_an_id_can_be_copied_by_a_tap() -> None:
    (message,) = render(Reply.of(Fields((("id", "a" * 32), ("worker", "")))))

    assert isinstance(message, TextMessage)
    assert message.html == f"<b>id:</b> <code>{'a' * 32}</code>\n<b>worker:</b> —"


@pytest.mark.parametrize(
    "block",
    [
        Text(HOSTILE),
        Text(HOSTILE, Tone.HEADING),
        Fields(((HOSTILE, HOSTILE),)),
        Table(("name", "a", "b"), ((HOSTILE, HOSTILE, "1"),)),
        Table(("n", ""), (("<b>&@x", "1"),)),
        Choice(HOSTILE, (Button(HOSTILE, "/x"),)),
    ],
)
def test_markup_in_values_is_escaped_and_mentions_nobody(block: Block) -> None:
    text = render_only_message(block)

    assert "<b>" in text
    assert "&" in text
    assert " @anna" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_log_is_escaped_and_loses_its_colours() -> None:
    (message,) = render(Reply.of(Code("\x1b[31mloss <nan> & @anna\x1b[0m\n  at step 3\n")))

    assert isinstance(message, TextMessage)
    assert message.html == "<pre>loss &lt;nan&gt; &amp; @anna\n  at step 3</pre>"


def test_a_log_of_10000_lines_is_a_document_that_shows_its_end() -> None:
    log = "\n".join(f"step {number} <loss> 0.{number}" for number in range(10_000))

    heading, document = render(Reply.of(Text("Log", Tone.HEADING), Code(log), Buttons((Button("Again", "/log"),))))

    assert isinstance(heading, TextMessage)
    assert heading.html == "<b>Log</b>"
    assert isinstance(document, DocumentMessage)
    assert document.content.decode() == log
    caption = parse_text(document.caption, "HTML", max_length=1024).text
    assert caption.startswith("10,000 lines. The last ones:\n")
    assert caption.endswith("step 9999 <loss> 0.9999")
    assert document.rows == ((Key("Again", Action("/log")),),)


def test_an_oversized_log_is_truncated_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MAX_DOCUMENT_SIZE", 10_000)
    log = "é" * 6000 + "\n" + "\n".join(f"line {number}" for number in range(1000))

    (document,) = render(Reply.of(Code(log)))

    assert isinstance(document, DocumentMessage)
    assert len(document.content) <= 10_000
    assert log.encode().endswith(document.content)
    assert parse_accepted(document).text.startswith("This file has only the end of 1,001 lines.")


def test_a_log_of_one_endless_line_is_a_document_too() -> None:
    (document,) = render(Reply.of(Code("&" * 200_000)))

    assert isinstance(document, DocumentMessage)
    assert parse_text(document.caption, "HTML", max_length=1024).text.endswith("&&&")


def test_a_narrow_table_is_drawn() -> None:
    table = Table(("queue", "waits"), (("default", "3"), ("alice_queue", "12")))

    assert render_only_message(table) == "queue        waits\ndefault      3\nalice_queue  12"


def test_a_wide_table_is_a_list_with_a_paragraph_for_each_row() -> None:
    table = Table(
        ("name", "status", "project"),
        (("long baseline of the week", "Completed", "vision"), ("other", "", "speech")),
    )

    assert render_only_message(table) == (
        "long baseline of the week\nstatus: Completed · project: vision\n\nother\nproject: speech"
    )


def test_a_wide_table_of_two_columns_is_a_list_with_a_line_for_each_row() -> None:
    table = Table(("", ""), (("/find", "Find experiments by text, project or status."), ("/show", "Show one.")))

    assert render_only_message(table) == "/find Find experiments by text, project or status.\n/show Show one."


def test_an_empty_table_says_so() -> None:
    assert render_only_message(Table(("name",), ())) == "Nothing to show"


def test_a_table_of_500_rows_is_a_document_that_shows_its_beginning() -> None:
    rows = tuple((f"{number:08x}", f"experiment {number} <b>", "Completed", "vision") for number in range(500))

    (document,) = render(Reply.of(Table(("id", "name", "status", "project"), rows)))

    assert isinstance(document, DocumentMessage)
    assert len(document.content.decode().splitlines()) == 501
    caption = parse_text(document.caption, "HTML", max_length=1024).text
    assert caption.startswith("500 rows. The first ones:\n00000000\nname: experiment 0 <b>")


def test_a_value_of_3000_characters_is_shown_whole() -> None:
    value = "x<&" * 1000

    assert value in render_only_message(Fields((("a", "1"), ("long", value))))


@pytest.mark.parametrize("text", ["word " * 3000, "🙂" * 9000, "line <&>\n" * 2000, "@anna " * 2000])
def test_a_long_text_is_split_without_loss(text: str) -> None:
    parts = render_accepted(Text(text, Tone.SUBTLE))

    assert len(parts) > 1
    assert "".join("".join(part.text.split()) for part in parts).replace("\u2060", "") == "".join(text.split())
    assert all(part.tags == ("i",) for part in parts)


def test_a_text_is_split_at_line_breaks() -> None:
    first, second = split_pages([Span("short\n" + "a" * 30 + "\n" + "b" * 10, "pre")], max_length=40)

    assert to_html(first) == f"<pre>short\n{'a' * 30}</pre>"
    assert to_html(second) == f"<pre>{'b' * 10}</pre>"


def test_a_page_is_measured_in_utf16_units() -> None:
    for page in split_pages([Span("🙂" * 9001)]):
        assert sum(count_utf16_units(span.text) for span in page) <= MAX_PAGE_LENGTH


def test_a_message_stays_within_the_entity_limit() -> None:
    parts = render_accepted(Fields(tuple((f"label {number}", "x") for number in range(250))))

    assert len(parts) == 3
    assert sum(len(part.tags) for part in parts) == 250


def test_buttons_are_arranged_in_rows_for_a_phone() -> None:
    labels = ("Enqueue", "Diff", "Clone", "Log", "A label that takes the whole row", "Stop")

    (message,) = render(Reply.of("What next?", Buttons(tuple(Button(label, f"/{label}") for label in labels))))

    assert list_labels(message) == [
        ["Enqueue", "Diff", "Clone"],
        ["Log"],
        ["A label that takes the whole row"],
        ["Stop"],
    ]


def test_options_are_one_per_row() -> None:
    (message,) = render(
        Reply.with_choice("Which one?", Button("a", "/a"), Button("", "/b"), Button("c" * 300, "/c"))
    )

    assert list_labels(message) == [["a"], ["—"], ["c" * 63 + "…"]]


def test_a_choice_of_500_shows_how_many_are_omitted() -> None:
    options = tuple(Button(f"experiment {number}", f"/show {number}") for number in range(500))

    *_, last = render(Reply.with_choice("Which one?", *options))

    assert isinstance(last, TextMessage)
    assert f"{500 - MAX_BUTTONS} more" in last.html
    assert sum(map(len, last.rows)) == MAX_BUTTONS


@pytest.mark.parametrize("reply", [Reply.of(), Reply.of(""), Reply.of(Code("")), Reply.of(Text(" \n "))])
def test_an_empty_reply_is_still_a_message(reply: Reply) -> None:
    (message,) = render(reply)

    assert isinstance(message, TextMessage)
    assert parse_text(message.html, "HTML").text


def test_an_edited_message_is_one_text() -> None:
    reply = Reply.of("Now.", Code("line\n" * 500), Buttons((Button("Log", "/log"),)))

    assert render_single_message(reply) == TextMessage("Now.", ((Key("Log", Action("/log")),),))


def test_a_link_is_a_button_that_opens_its_address() -> None:
    buttons = Buttons((Button("Clone", "/clone e1"),), (Link("Open in ClearML", "https://app.lab/x?a=1&b=2"),))

    (message,) = render(Reply.of("baseline", buttons))

    assert isinstance(message, TextMessage)
    assert message.rows == (
        (Key("Clone", Action("/clone e1")),),
        (Key("Open in ClearML", None, "https://app.lab/x?a=1&b=2"),),
    )
    assert message.html == "baseline"


@pytest.mark.parametrize(
    "address", ["http://localhost:8080/x", "http://clearml/x", "ftp://app.lab/x", "http://[x"]
)
def test_an_address_that_telegram_refuses_for_buttons_is_shown_as_text(address: str) -> None:
    reply = Reply.of("baseline", Buttons((Button("Clone", "/clone e1"),), (Link("Open in ClearML", address),)))

    (message,) = render(reply)

    assert list_labels(message) == [["Clone"]]
    assert parse_accepted(message).text == f"baseline\n\nOpen in ClearML: {address}"
