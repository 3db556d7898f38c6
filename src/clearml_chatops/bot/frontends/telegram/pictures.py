"""Pictures: as photos if Telegram accepts them as such, else as files."""

from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_text
from clearml_chatops.bot.frontends.telegram.outgoing_messages import DocumentMessage, MediaMessage, PhotoMessage
from clearml_chatops.bot.frontends.telegram.pages import MAX_CAPTION_LENGTH, split_pages
from clearml_chatops.bot.frontends.telegram.spans import Span, to_html
from clearml_chatops.models.replies import Picture

MAX_DOCUMENT_SIZE = 49 * 1024 * 1024
"""Bytes. Telegram takes 50 MB, including the rest of the request."""

_MAX_PHOTO_SIZE = 10 * 1024 * 1024 - 64 * 1024
_MAX_PHOTO_SIDES_SUM = 10_000
_MAX_ASPECT_RATIO = 20
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE_OFFSET = 16


def render_picture(picture: Picture) -> tuple[MediaMessage | list[Span], ...]:
    """Return the picture with its caption. The rest of a long caption follows as text."""
    if len(picture.png) > MAX_DOCUMENT_SIZE:
        size = f"{len(picture.png) / 1024 / 1024:,.0f} MB"
        text = f"{picture.name} is {size}, which is too large for Telegram. {picture.caption}"
        return ([Span(sanitize_text(text))],)
    first, *other_pages = split_pages([Span(sanitize_text(picture.caption))], MAX_CAPTION_LENGTH) or [()]
    message_class = PhotoMessage if _is_photo(picture.png) else DocumentMessage
    shown = message_class(_format_file_name(picture.name), picture.png, to_html(first))
    rest = [span for page in other_pages for span in (Span("\n"), *page)][1:]
    return (shown, rest) if rest else (shown,)


def _is_photo(png: bytes) -> bool:
    """Return whether Telegram accepts the picture as a photo, by its format, size and shape."""
    if len(png) > _MAX_PHOTO_SIZE or not png.startswith(_PNG_SIGNATURE) or len(png) < _PNG_SIZE_OFFSET + 8:
        return False
    width = int.from_bytes(png[_PNG_SIZE_OFFSET : _PNG_SIZE_OFFSET + 4])
    height = int.from_bytes(png[_PNG_SIZE_OFFSET + 4 : _PNG_SIZE_OFFSET + 8])
    return 0 < width + height <= _MAX_PHOTO_SIDES_SUM and max(width, height) <= _MAX_ASPECT_RATIO * min(
        width, height
    )


def _format_file_name(name: str) -> str:
    """Return a file name that phones can show."""
    line = sanitize_line(name).replace("/", "_").strip() or "picture"
    return line if line.lower().endswith(".png") else f"{line}.png"
