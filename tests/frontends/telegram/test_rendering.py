"""Replies as Telegram's HTML, each accepted by the rules that Telegram has for it."""

import pytest

from clearml_chatops.bot.frontends.telegram import rendering
from clearml_chatops.bot.frontends.telegram.keyboards import MOST_BUTTONS, Key
from clearml_chatops.bot.frontends.telegram.outgoing import (
    DocumentMessage,
    OutgoingMessage,
    QuestionMessage,
    TextMessage,
)
from clearml_chatops.bot.frontends.telegram.pages import LONGEST_PAGE, pages
from clearml_chatops.bot.frontends.telegram.rendering import render, render_in_one
from clearml_chatops.bot.frontends.telegram.spans import Span, as_html, telegram_length
from clearml_chatops.models.actions import Action
from clearml_chatops.models.replies import Block, Button, Buttons, Choice, Code, Fields, Reply, Table, Text, Tone
from tests.support.telegram.markup import ParsedText, accepted_text

HOSTILE = "<!channel> *x* & <b>bold</b> </pre> &lt; @anna \x1b[2J\u202egpj"


def shown(*blocks: Block) -> list[ParsedText]:
    """What chats show of a reply, each message accepted by Telegram's rules."""
    return list(map(accepted, render(Reply.of(*blocks))))


def accepted(message: OutgoingMessage) -> ParsedText:
    assert not isinstance(message, QuestionMessage)
    if isinstance(message, TextMessage):
        return accepted_text(message.html, "HTML")
    return accepted_text(message.caption, "HTML", limit=1024, empty=True)


def labels_of(message: OutgoingMessage) -> list[list[str]]:
    assert not isinstance(message, QuestionMessage)
    return [[key.label for key in row] for row in message.rows]


def only(*blocks: Block) -> str:
    (message,) = shown(*blocks)
    return message.text


def test_tones_are_told_by_signs_and_faces() -> None:
    reply = Reply.of(
        Text("baseline", Tone.HEADING),
        Text("done", Tone.SUCCESS),
        Text("careful", Tone.WARNING),
        Text("broken", Tone.FAILURE),
        Text("by the way", Tone.QUIET),
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
def test_text_from_outside_is_shown_as_it_is_and_pings_nobody(block: Block) -> None:
    text = only(block)

    assert "<b>" in text
    assert "&" in text
    assert " @anna" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_log_is_shown_as_it_is_without_its_colours() -> None:
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
    caption = accepted_text(document.caption, "HTML", limit=1024).text
    assert caption.startswith("10,000 lines; they end with:\n")
    assert caption.endswith("step 9999 <loss> 0.9999")
    assert document.rows == ((Key("Again", Action("/log")),),)


def test_a_log_larger_than_telegram_takes_is_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "LARGEST_DOCUMENT", 10_000)
    log = "é" * 6000 + "\n" + "\n".join(f"line {number}" for number in range(1000))

    (document,) = render(Reply.of(Code(log)))

    assert isinstance(document, DocumentMessage)
    assert len(document.content) <= 10_000
    assert log.encode().endswith(document.content)
    assert accepted(document).text.startswith("The end of 1,001 lines")


def test_a_log_of_one_endless_line_is_a_document_too() -> None:
    (document,) = render(Reply.of(Code("&" * 200_000)))

    assert isinstance(document, DocumentMessage)
    assert accepted_text(document.caption, "HTML", limit=1024).text.endswith("&&&")


def test_a_narrow_table_is_drawn() -> None:
    table = Table(("queue", "waits"), (("default", "3"), ("alice_queue", "12")))

    assert only(table) == "queue        waits\ndefault      3\nalice_queue  12"


def test_a_wide_table_has_one_item_a_paragraph() -> None:
    table = Table(
        ("name", "status", "project"),
        (("long baseline of the week", "Completed", "vision"), ("other", "", "speech")),
    )

    assert only(table) == (
        "long baseline of the week\nstatus: Completed · project: vision\n\nother\nproject: speech"
    )


def test_a_wide_table_of_names_and_values_has_one_a_line() -> None:
    table = Table(("", ""), (("/find", "Find experiments by text, project or status."), ("/show", "Show one.")))

    assert only(table) == "/find Find experiments by text, project or status.\n/show Show one."


def test_an_empty_table_says_so() -> None:
    assert only(Table(("name",), ())) == "nothing"


def test_a_table_of_500_rows_is_a_document_that_shows_its_beginning() -> None:
    rows = tuple((f"{number:08x}", f"experiment {number} <b>", "Completed", "vision") for number in range(500))

    (document,) = render(Reply.of(Table(("id", "name", "status", "project"), rows)))

    assert isinstance(document, DocumentMessage)
    assert len(document.content.decode().splitlines()) == 501
    caption = accepted_text(document.caption, "HTML", limit=1024).text
    assert caption.startswith("500 rows; they begin with:\n00000000\nname: experiment 0 <b>")


def test_a_value_of_3000_characters_is_shown_whole() -> None:
    value = "x<&" * 1000

    assert value in only(Fields((("a", "1"), ("long", value))))


@pytest.mark.parametrize("text", ["word " * 3000, "🙂" * 9000, "line <&>\n" * 2000, "@anna " * 2000])
def test_a_long_text_is_parted_and_nothing_is_lost(text: str) -> None:
    parts = shown(Text(text, Tone.QUIET))

    assert len(parts) > 1
    assert "".join("".join(part.text.split()) for part in parts).replace("\u2060", "") == "".join(text.split())
    assert all(part.tags == ("i",) for part in parts)


def test_a_text_is_parted_at_the_ends_of_lines() -> None:
    first, second = pages([Span("short\n" + "a" * 30 + "\n" + "b" * 10, "pre")], limit=40)

    assert as_html(first) == f"<pre>short\n{'a' * 30}</pre>"
    assert as_html(second) == f"<pre>{'b' * 10}</pre>"


def test_a_page_counts_as_telegram_does() -> None:
    for page in pages([Span("🙂" * 9001)]):
        assert sum(telegram_length(span.text) for span in page) <= LONGEST_PAGE


def test_a_message_has_no_more_faces_than_telegram_keeps() -> None:
    parts = shown(Fields(tuple((f"label {number}", "x") for number in range(250))))

    assert len(parts) == 3
    assert sum(len(part.tags) for part in parts) == 250


def test_buttons_stand_in_rows_that_a_phone_can_show() -> None:
    labels = ("Enqueue", "Diff", "Clone", "Log", "A label that takes the whole row", "Stop")

    (message,) = render(Reply.of("What next?", Buttons(tuple(Button(label, f"/{label}") for label in labels))))

    assert labels_of(message) == [
        ["Enqueue", "Diff", "Clone"],
        ["Log"],
        ["A label that takes the whole row"],
        ["Stop"],
    ]


def test_the_options_of_a_choice_stand_one_below_the_other() -> None:
    (message,) = render(Reply.asking("Which one?", Button("a", "/a"), Button("", "/b"), Button("c" * 300, "/c")))

    assert labels_of(message) == [["a"], ["—"], ["c" * 63 + "…"]]


def test_a_choice_of_500_says_how_many_are_left_out() -> None:
    options = tuple(Button(f"experiment {number}", f"/show {number}") for number in range(500))

    *_, last = render(Reply.asking("Which one?", *options))

    assert isinstance(last, TextMessage)
    assert f"{500 - MOST_BUTTONS} more" in last.html
    assert sum(map(len, last.rows)) == MOST_BUTTONS


@pytest.mark.parametrize("reply", [Reply.of(), Reply.of(""), Reply.of(Code("")), Reply.of(Text(" \n "))])
def test_an_empty_reply_is_a_message_all_the_same(reply: Reply) -> None:
    (message,) = render(reply)

    assert isinstance(message, TextMessage)
    assert accepted_text(message.html, "HTML").text


def test_a_message_that_is_edited_is_one_text() -> None:
    reply = Reply.of("Now.", Code("line\n" * 500), Buttons((Button("Log", "/log"),)))

    assert render_in_one(reply) == TextMessage("Now.", ((Key("Log", Action("/log")),),))
