"""Text on its way in and out, and the memory of what came in."""

import pytest

from clearml_chatops.bot.frontends.slack.duplicates import Duplicates
from clearml_chatops.bot.frontends.slack.wire_text import as_typed, escape, escape_end_within, escape_within


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
    assert as_typed(sent) == typed


def test_what_is_sent_comes_back_as_it_was() -> None:
    text = "<!channel> &lt; & > &amp;amp; <http://x|y>"
    assert as_typed(escape(text)) == text


@pytest.mark.parametrize("longest", range(1, 30))
def test_cutting_tears_no_entity(longest: int) -> None:
    for cut in (escape_within("a&b<c>" * 10, longest), escape_end_within("a&b<c>" * 10, longest)):
        assert len(cut) <= longest
        assert escape(as_typed(cut)) == cut


def test_what_fits_is_not_cut() -> None:
    assert escape_within("a&b", 7) == escape_end_within("a&b", 7) == "a&amp;b"


def test_only_the_newest_are_remembered() -> None:
    duplicates = Duplicates(most=2)
    assert not duplicates.is_repeated("a", "")
    assert duplicates.is_repeated("a")
    assert not duplicates.is_repeated("b", "c")
    assert not duplicates.is_repeated("a")
