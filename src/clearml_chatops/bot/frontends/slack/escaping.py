"""Escaping for Slack: from Slack's text to what was typed, and from any text to what Slack shows literally."""

import re

_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_REFERENCE_PATTERN = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_ELLIPSIS = "…"


def to_typed_text(text: str) -> str:
    """Return a text as it was typed: unwrap links and mentions, then decode the three entities.

    A link becomes its label, because Slack turns the name of an image into
    `<http://nvcr.io/x:1|nvcr.io/x:1>`. A mention becomes the user id, a channel its name.
    """
    return unescape(_REFERENCE_PATTERN.sub(_unwrap_reference, text))


def unescape(text: str) -> str:
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def escape(text: str) -> str:
    """Replace the three characters that Slack reserves by entities."""
    for entity, character in reversed(_ENTITIES):
        text = text.replace(character, entity)
    return text


def escape_and_truncate(text: str, max_length: int) -> str:
    """Return the escaped text, with its end cut off if it is longer than `max_length`."""
    if len(escape(text)) <= max_length:
        return escape(text)
    return escape(text[: count_fitting_characters(text, max_length)] + _ELLIPSIS)


def escape_and_truncate_start(text: str, max_length: int) -> str:
    """Return the escaped text, with its beginning cut off if it is longer than `max_length`."""
    if len(escape(text)) <= max_length:
        return escape(text)
    return escape(_ELLIPSIS + text[::-1][: count_fitting_characters(text[::-1], max_length)][::-1])


def count_fitting_characters(text: str, max_length: int) -> int:
    """Return how many characters of a text fit together with an ellipsis, without splitting an entity."""
    size = len(_ELLIPSIS)
    for count, character in enumerate(text):
        size += len(escape(character))
        if size > max_length:
            return count
    return len(text)


def _unwrap_reference(match: re.Match[str]) -> str:
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
