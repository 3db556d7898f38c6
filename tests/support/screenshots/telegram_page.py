"""An HTML page that shows messages as Telegram does on a phone."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.screenshots.conversation import PictureMessage

WIDTH = 380

_BOT = "Lab"
_EMOJI_SVG = {
    "✅": '<path fill="#35b558" d="M4 1h12q3 0 3 3v12q0 3-3 3H4q-3 0-3-3V4q0-3 3-3z"/>'
    '<path fill="none" stroke="#fff" stroke-width="2.6" d="m5 10.5 3.4 3.5L15 6"/>',
    "❌": '<path fill="none" stroke="#e0342b" stroke-width="3.6" d="m3 3 14 14m0-14L3 17"/>',
    "⚠️": '<path fill="#f7c325" d="M10 1 20 19H0z"/><path stroke="#222" stroke-width="2" d="M10 7v6m0 2v2"/>',
}
"""Drawn here, so that the picture needs no font with emoji."""

_STYLE = Path(__file__).with_name("telegram.css").read_text(encoding="utf-8")


def render_telegram_page(messages: Sequence[PictureMessage]) -> str:
    """Return the page for messages of `record_conversation`."""
    articles = "".join(map(_render_message, messages))
    return (
        f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style>'
        f'<header><span class="back"></span><span class="avatar">{_BOT[0]}</span>'
        f'<div><div class="title">{_BOT}</div><div class="subtitle">bot</div></div></header>'
        f"<main>{articles}</main><footer>Message</footer>"
    )


def _render_message(message: PictureMessage) -> str:
    rows = message.content.get("reply_markup", {}).get("inline_keyboard", [])
    # What people type is text; the bot's markup is the HTML that Telegram takes.
    text = message.content["source"] if message.is_from_bot else html.escape(message.content["text"])
    for emoji, svg in _EMOJI_SVG.items():
        text = text.replace(emoji, f'<svg viewBox="0 0 20 20">{svg}</svg>')
    kind = ("wide" if rows else "") if message.is_from_bot else "own"
    return (
        f'<article class="{kind}"><div class="bubble">{text}<span class="time">{message.shown_at}</span></div>'
        f"{''.join(map(_render_row, rows))}</article>"
    )


def _render_row(row: Sequence[dict[str, Any]]) -> str:
    return f'<div class="row">{"".join(map(_render_button, row))}</div>'


def _render_button(button: dict[str, Any]) -> str:
    kind = "button link" if "url" in button else "button"
    return f'<span class="{kind}">{html.escape(button["text"])}</span>'
