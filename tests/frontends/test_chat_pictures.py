"""The HTML of the chat pictures in README."""

from tests.support.screenshots.conversation import PictureMessage
from tests.support.screenshots.slack_page import render_slack_page
from tests.support.screenshots.telegram_page import render_telegram_page


def test_the_slack_page_shows_blocks_and_escapes_them() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "a &lt;b&gt;"}},
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "0"}]}],
        },
        {
            "type": "actions",
            "elements": [
                {"type": "button", "text": {"type": "plain_text", "text": "Clone"}, "value": "/clone"},
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "Open in ClearML"},
                    "url": "https://c.example",
                },
            ],
        },
    ]
    page = render_slack_page(
        [
            PictureMessage(False, "9:41", {"text": "find &lt;b&gt;", "blocks": []}),
            PictureMessage(True, "9:42", {"text": "", "blocks": blocks}),
        ]
    )
    assert "<p>find &lt;b&gt;</p>" in page
    assert "<h2>a &lt;b&gt;</h2><pre>0</pre>" in page
    assert '<span class="button">Clone</span><span class="button">Open in ClearML</span>' in page
    assert page.index("9:41") < page.index("9:42")


def test_the_telegram_page_shows_html_and_keyboards() -> None:
    keyboard = [
        [{"text": "Show log", "callback_data": "1"}, {"text": "Open <in> ClearML", "url": "https://c.example"}]
    ]
    page = render_telegram_page(
        [
            PictureMessage(False, "9:41", {"text": "find <b>", "source": ""}),
            PictureMessage(
                True, "9:42", {"source": "✅ <b>done</b>", "reply_markup": {"inline_keyboard": keyboard}}
            ),
        ]
    )
    assert "find &lt;b&gt;" in page
    assert "</svg> <b>done</b>" in page
    assert '<span class="button">Show log</span><span class="button link">Open &lt;in&gt; ClearML</span>' in page
