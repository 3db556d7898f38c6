"""Escaping of texts that are sent to Slack and received from it."""

import pytest

from clearml_chatops.bot.frontends.slack.escaping import (
    escape,
    escape_and_truncate,
    escape_and_truncate_start,
    to_typed_text,
)


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("&amp;lt;", "&lt;"),
        ("<http://nvcr.io/x:1|nvcr.io/x:1>", "nvcr.io/x:1"),
        ("<https://app.lab/x?a=1&amp;b=2>", "https://app.lab/x?a=1&b=2"),
        ("<@U1> <@U1|bob>", "@U1 @U1"),
        ("<#C1|general> <#C1>", "#general #C1"),
        ("<!here> <!channel|@channel> <!subteam^S1|@team> <!subteam^S1>", "@here @channel @team @subteam"),
        ("<mailto:a@b.c|a@b.c> <mailto:a@b.c>", "a@b.c a@b.c"),
        ("&lt;http://x|y&gt;", "<http://x|y>"),
        ("", ""),
    ],
)
def test_text_arrives_as_it_was_typed(sent: str, typed: str) -> None:
    assert to_typed_text(sent) == typed


def test_escaping_is_reversible() -> None:
    text = "<!channel> &lt; & > &amp;amp; <http://x|y>"
    assert to_typed_text(escape(text)) == text


@pytest.mark.parametrize("max_length", range(1, 30))
def test_truncation_keeps_entities_whole(max_length: int) -> None:
    for truncated in (
        escape_and_truncate("a&b<c>" * 10, max_length),
        escape_and_truncate_start("a&b<c>" * 10, max_length),
    ):
        assert len(truncated) <= max_length
        assert escape(to_typed_text(truncated)) == truncated


def test_fitting_text_is_not_truncated() -> None:
    assert escape_and_truncate("a&b", 7) == escape_and_truncate_start("a&b", 7) == "a&amp;b"
