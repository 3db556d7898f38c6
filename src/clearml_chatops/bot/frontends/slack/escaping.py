"""Text on its way: what Slack sends back to what was typed, what we send so that it looks as it is."""

import re

_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_REFERENCE_PATTERN = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_ELLIPSIS = "…"


def to_typed_text(text: str) -> str:
    """A text as the person typed it: links and mentions unwrapped, then the three entities undone.

    A link is its label: Slack makes `<http://nvcr.io/x:1|nvcr.io/x:1>` of an image's name. A person is his
    id, by which he is known; a channel is its name.
    """
    return unescape(_REFERENCE_PATTERN.sub(_unwrap_reference, text))


def unescape(text: str) -> str:
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def escape(text: str) -> str:
    """The text with the three characters that Slack reads as its own replaced by entities."""
    for entity, character in reversed(_ENTITIES):
        text = text.replace(character, entity)
    return text


def escape_and_truncate(text: str, max_length: int) -> str:
    """The escaped text, its end cut off where it would be longer than Slack takes."""
    return (
        escape(text[: count_fitting_characters(text, max_length)] + _ELLIPSIS)
        if len(escape(text)) > max_length
        else escape(text)
    )


def escape_and_truncate_start(text: str, max_length: int) -> str:
    """The escaped text, its beginning cut off where it would be longer than Slack takes."""
    if len(escape(text)) <= max_length:
        return escape(text)
    return escape(_ELLIPSIS + text[::-1][: count_fitting_characters(text[::-1], max_length)][::-1])


def count_fitting_characters(text: str, max_length: int) -> int:
    """How many characters of a text fit together with an ellipsis; no entity is torn."""
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
