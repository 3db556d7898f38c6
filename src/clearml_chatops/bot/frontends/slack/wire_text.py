"""Text on its way: what Slack sends back to what was typed, what we send so that it looks as it is."""

import re

_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_WRAPPED = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_ELLIPSIS = "…"


def as_typed(text: str) -> str:
    """A text as the person typed it: links and mentions unwrapped, then the three entities undone.

    A link is its label: Slack makes `<http://nvcr.io/x:1|nvcr.io/x:1>` of an image's name. A person is his
    id, by which he is known; a channel is its name.
    """
    return unescape(_WRAPPED.sub(_unwrapped, text))


def unescape(text: str) -> str:
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def escape(text: str) -> str:
    """The text with the three characters that Slack reads as its own replaced by entities."""
    for entity, character in reversed(_ENTITIES):
        text = text.replace(character, entity)
    return text


def escape_within(text: str, longest: int) -> str:
    """The escaped text, its end cut off where it would be longer than Slack takes."""
    return escape(text[: fitting(text, longest)] + _ELLIPSIS) if len(escape(text)) > longest else escape(text)


def escape_end_within(text: str, longest: int) -> str:
    """The escaped text, its beginning cut off where it would be longer than Slack takes."""
    if len(escape(text)) <= longest:
        return escape(text)
    return escape(_ELLIPSIS + text[::-1][: fitting(text[::-1], longest)][::-1])


def fitting(text: str, longest: int) -> int:
    """How many characters of a text fit together with an ellipsis; no entity is torn."""
    size = len(_ELLIPSIS)
    for count, character in enumerate(text):
        size += len(escape(character))
        if size > longest:
            return count
    return len(text)


def _unwrapped(match: re.Match[str]) -> str:
    target, label = match[1], match[2]
    match target[:1]:
        case "@":
            return target
        case "#":
            return f"#{label}" if label else target
        case "!":
            return label or f"@{target[1:].partition('^')[0]}"
        case _:
            return label or target.removeprefix("mailto:")
