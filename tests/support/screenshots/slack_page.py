"""An HTML page that shows messages as Slack lays them out."""

import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.screenshots.conversation import PictureMessage
from tests.support.slack.block_kit import Block, unescape

WIDTH = 520

_PERSON = "Alice Adams"
_BOT = "clearml"
_STYLE = Path(__file__).with_name("slack.css").read_text(encoding="utf-8")


def render_slack_page(messages: Sequence[PictureMessage]) -> str:
    """Return the page for messages of `record_conversation`."""
    articles = "".join(map(_render_message, messages))
    return (
        f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style>'
        f'<header><span class="avatar bot">{_BOT[0]}</span>{_BOT}</header><main>{articles}</main>'
        f"<footer>Message {_BOT}</footer>"
    )


def _render_message(message: PictureMessage) -> str:
    name, kind = (_BOT, "bot") if message.is_from_bot else (_PERSON, "person")
    badge = '<span class="badge">APP</span>' if message.is_from_bot else ""
    blocks = message.content["blocks"]
    body = "".join(map(_render_block, blocks)) if blocks else f"<p>{_escape(message.content['text'])}</p>"
    return (
        f'<article><span class="avatar {kind}">{name[0]}</span><div class="body"><span class="name">{name}</span>'
        f'{badge}<span class="time">{message.shown_at}</span>{body}</div></article>'
    )


def _render_block(block: Block) -> str:
    match block["type"]:
        case "header":
            return f"<h2>{_escape(block['text']['text'])}</h2>"
        case "section":
            parts = [*([block["text"]] if "text" in block else []), *block.get("fields", [])]
            return "".join(f"<p>{_escape(part['text'])}</p>" for part in parts)
        case "context":
            return "".join(f'<p class="context">{_escape(part["text"])}</p>' for part in block["elements"])
        case "actions":
            return f'<div class="actions">{"".join(map(_render_button, block["elements"]))}</div>'
        case "divider":
            return "<hr>"
        case "rich_text":
            return "".join(_render_rich_text(block["elements"]))
        case other:
            message = f"a picture can't show a block of type {other}"
            raise ValueError(message)


def _render_button(button: dict[str, Any]) -> str:
    """Buttons with a `url` look like all others in Slack."""
    return f'<span class="button">{_escape(button["text"]["text"])}</span>'


def _render_rich_text(parts: Sequence[Block]) -> Iterator[str]:
    for part in parts:
        tag = "pre" if part["type"] == "rich_text_preformatted" else "p"
        yield f"<{tag}>{''.join(map(_render_element, part['elements']))}</{tag}>"


def _render_element(element: Block) -> str:
    text = _escape(element.get("text") or element.get("url", ""))
    if element["type"] == "link":
        return f"<a>{text}</a>"
    return f"<b>{text}</b>" if element.get("style", {}).get("bold") else text


def _escape(text: str) -> str:
    return html.escape(unescape(text))
