"""Finding notified events in messages, whether they have a sentence of their own or are a step in an overview."""

import re

_SENTENCE = re.compile(r"“([^”]+)” (started|completed|failed)")
_OVERVIEW_LINE = re.compile(r"“([^”]+)”: (.+)")
_STEP = re.compile(r"\b(started|completed|failed)\b")


def find_notified_events(text: str) -> list[tuple[str, str]]:
    """Return the names and events in a message, in its order."""
    found = []
    for line in text.splitlines():
        if match := _OVERVIEW_LINE.search(line):
            found += [(match[1], step) for step in _STEP.findall(match[2])]
        else:
            found += _SENTENCE.findall(line)
    return found
