"""Pictures: as photos where Telegram takes them for that, else as files."""

from clearml_chatops.bot.frontends.telegram.outgoing import DocumentMessage, MediaMessage, PhotoMessage
from clearml_chatops.bot.frontends.telegram.pages import LONGEST_CAPTION, pages
from clearml_chatops.bot.frontends.telegram.spans import Span, as_html
from clearml_chatops.bot.frontends.visible import visible, visible_line
from clearml_chatops.models.replies import Picture

LARGEST_DOCUMENT = 49 * 1024 * 1024
"""Bytes. Telegram takes 50 MB with all that is around them."""

_LARGEST_PHOTO = 10 * 1024 * 1024 - 64 * 1024
_LONGEST_SIDES = 10_000
_MOST_STRETCHED = 20
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIZE_AT = 16


def picture_parts(picture: Picture) -> tuple[MediaMessage | list[Span], ...]:
    """The picture with its caption; what the caption has no room for is text behind it."""
    if len(picture.png) > LARGEST_DOCUMENT:
        size = f"{len(picture.png) / 1024 / 1024:,.0f} MB"
        words = f"{picture.name} has {size}, which is more than Telegram takes. {picture.caption}"
        return ([Span(visible(words))],)
    first, *others = pages([Span(visible(picture.caption))], LONGEST_CAPTION) or [()]
    kind = PhotoMessage if _is_photo(picture.png) else DocumentMessage
    shown = kind(_file_name(picture.name), picture.png, as_html(first))
    rest = [span for page in others for span in (Span("\n"), *page)][1:]
    return (shown, rest) if rest else (shown,)


def _is_photo(png: bytes) -> bool:
    """Whether Telegram shows it in the chat, and does not refuse it for its size or shape."""
    if len(png) > _LARGEST_PHOTO or not png.startswith(_PNG_SIGNATURE) or len(png) < _SIZE_AT + 8:
        return False
    width = int.from_bytes(png[_SIZE_AT : _SIZE_AT + 4])
    height = int.from_bytes(png[_SIZE_AT + 4 : _SIZE_AT + 8])
    return 0 < width + height <= _LONGEST_SIDES and max(width, height) <= _MOST_STRETCHED * min(width, height)


def _file_name(name: str) -> str:
    """The name as a phone's file list shows it."""
    line = visible_line(name).replace("/", "_").strip() or "picture"
    return line if line.lower().endswith(".png") else f"{line}.png"
