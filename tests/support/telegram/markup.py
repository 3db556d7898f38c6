"""Telegram's HTML: what is a text with entities, and what is refused.

The rules are those of the page "HTML style" of the Bot API; the words of the refusals are the server's.
"""

import html
import re
from dataclasses import dataclass

from tests.support.telegram.refusals import RefusalError, bad_request

_TAGS = frozenset(
    "a b blockquote code del em i ins pre s span strike strong tg-emoji tg-spoiler u".split()  # noqa: SIM905
)
_TOKEN = re.compile(r"<(?P<end>/?)(?P<name>[^\s>]*)(?P<rest>[^>]*)(?P<closed>>?)")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_USER_LINK = re.compile(r'href="tg://user\?id=(\d+)"')
_LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
_MOST_ENTITIES = 100


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A text as a chat shows it, the tags that were in it as they were opened, and the users it mentions by id."""

    text: str
    tags: tuple[str, ...] = ()
    mentioned: tuple[int, ...] = ()


def parse_html(source: str) -> ParsedText:
    """The text without its markup.

    Raises:
        RefusalError: a tag is unknown, not closed, or closed in the wrong order.
    """
    shown: list[str] = []
    tags: list[str] = []
    mentioned: list[int] = []
    open_tags: list[str] = []
    at = 0
    while at < len(source):
        if source[at] != "<":
            end = source.find("<", at)
            end = len(source) if end < 0 else end
            shown.append(_ENTITY.sub(lambda match: html.unescape(match[0]), source[at:end]))
            at = end
            continue
        offset = len(source[:at].encode())
        token = _TOKEN.match(source, at)
        if token is None or not token["closed"]:
            raise _broken(f"Unclosed start tag at byte offset {offset}")
        name = token["name"].lower()
        if token["end"]:
            _close(name, open_tags, offset)
        else:
            if name not in _TAGS:
                raise _broken(f'Unsupported start tag "{name}" at byte offset {offset}')
            open_tags.append(name)
            tags.append(name)
            if name == "a" and (user := _USER_LINK.search(token["rest"])):
                mentioned.append(int(user[1]))
        at = token.end()
    if open_tags:
        raise _broken(f'Can\'t find end tag corresponding to start tag "{open_tags[-1]}"')
    return ParsedText("".join(shown), tuple(tags[:_MOST_ENTITIES]), tuple(mentioned))


def accepted_text(
    source: str, parse_mode: str | None, *, limit: int = _LONGEST_TEXT, empty: bool = False
) -> ParsedText:
    """The text of a message that may be sent.

    Raises:
        RefusalError: the markup is broken, or the text is empty or longer than `limit` once it is parsed.
    """
    if parse_mode not in {None, "HTML"}:
        raise bad_request("unsupported parse_mode")
    parsed = parse_html(source) if parse_mode == "HTML" else ParsedText(source)
    parsed = ParsedText(parsed.text.replace("\r", "").strip(), parsed.tags, parsed.mentioned)
    if len(parsed.text.encode("utf-16-le")) // 2 > limit:
        raise bad_request("message is too long" if limit == _LONGEST_TEXT else "message caption is too long")
    if not parsed.text and not empty:
        raise bad_request("message text is empty")
    return parsed


def _close(name: str, open_tags: list[str], offset: int) -> None:
    if not open_tags:
        raise _broken(f"Unexpected end tag at byte offset {offset}")
    if name and name != open_tags[-1]:
        raise _broken(
            f'Unmatched end tag at byte offset {offset}, expected "</{open_tags[-1]}>", found "</{name}>"'
        )
    open_tags.pop()


def _broken(reason: str) -> RefusalError:
    return bad_request(f"can't parse entities: {reason}")
