"""The parser for Telegram's HTML, with its refusals.

The rules are those of the section "HTML style" of the Bot API; the texts of the refusals are the server's.
"""

import html
import re
from dataclasses import dataclass

from tests.support.telegram.refusals import RefusalError, build_bad_request

_TAGS = frozenset(
    "a b blockquote code del em i ins pre s span strike strong tg-emoji tg-spoiler u".split()  # noqa: SIM905
)
_TAG_TOKEN = re.compile(r"<(?P<end>/?)(?P<name>[^\s>]*)(?P<rest>[^>]*)(?P<closed>>?)")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_USER_LINK = re.compile(r'href="tg://user\?id=(\d+)"')
_MAX_TEXT_LENGTH = 4096
MAX_CAPTION_LENGTH = 1024
_MAX_ENTITIES = 100


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A text as a chat shows it, its tags in the order of opening, and the ids of the users that it mentions."""

    text: str
    tags: tuple[str, ...] = ()
    mentioned_user_ids: tuple[int, ...] = ()


def parse_html(source: str) -> ParsedText:
    """Return the text without its markup.

    Raises:
        RefusalError: A tag is unknown, not closed, or closed in the wrong order.
    """
    text_parts: list[str] = []
    tags: list[str] = []
    mentioned_user_ids: list[int] = []
    open_tags: list[str] = []
    position = 0
    while position < len(source):
        if source[position] != "<":
            end = source.find("<", position)
            end = len(source) if end < 0 else end
            text_parts.append(_ENTITY.sub(lambda match: html.unescape(match[0]), source[position:end]))
            position = end
            continue
        offset = len(source[:position].encode())
        token = _TAG_TOKEN.match(source, position)
        if token is None or not token["closed"]:
            raise _build_parse_refusal(f"Unclosed start tag at byte offset {offset}")
        name = token["name"].lower()
        if token["end"]:
            _close_tag(name, open_tags, offset)
        else:
            if name not in _TAGS:
                raise _build_parse_refusal(f'Unsupported start tag "{name}" at byte offset {offset}')
            open_tags.append(name)
            tags.append(name)
            if name == "a" and (user := _USER_LINK.search(token["rest"])):
                mentioned_user_ids.append(int(user[1]))
        position = token.end()
    if open_tags:
        raise _build_parse_refusal(f'Can\'t find end tag corresponding to start tag "{open_tags[-1]}"')
    return ParsedText("".join(text_parts), tuple(tags[:_MAX_ENTITIES]), tuple(mentioned_user_ids))


def parse_text(
    source: str, parse_mode: str | None, *, max_length: int = _MAX_TEXT_LENGTH, may_be_empty: bool = False
) -> ParsedText:
    """Return the text of a valid message.

    Raises:
        RefusalError: The markup is broken, or the parsed text is empty or longer than `max_length`.
    """
    if parse_mode not in {None, "HTML"}:
        raise build_bad_request("unsupported parse_mode")
    parsed = parse_html(source) if parse_mode == "HTML" else ParsedText(source)
    parsed = ParsedText(parsed.text.replace("\r", "").strip(), parsed.tags, parsed.mentioned_user_ids)
    if len(parsed.text.encode("utf-16-le")) // 2 > max_length:
        raise build_bad_request(
            "message is too long" if max_length == _MAX_TEXT_LENGTH else "message caption is too long"
        )
    if not parsed.text and not may_be_empty:
        raise build_bad_request("message text is empty")
    return parsed


def _close_tag(name: str, open_tags: list[str], offset: int) -> None:
    if not open_tags:
        raise _build_parse_refusal(f"Unexpected end tag at byte offset {offset}")
    if name and name != open_tags[-1]:
        raise _build_parse_refusal(
            f'Unmatched end tag at byte offset {offset}, expected "</{open_tags[-1]}>", found "</{name}>"'
        )
    open_tags.pop()


def _build_parse_refusal(reason: str) -> RefusalError:
    return build_bad_request(f"can't parse entities: {reason}")
