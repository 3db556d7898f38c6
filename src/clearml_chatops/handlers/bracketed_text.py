"""Lists and dictionaries that are typed without quotes: where in a line the closing bracket is."""

_CLOSERS = {"[": "]", "(": ")", "{": "}"}
_MAX_DEPTH = 20
"""Of brackets in brackets. It also keeps the time for a line of opening brackets short."""


def find_end(line: str, start: int) -> int | None:
    """Return the position behind the bracket that closes the one at `start`.

    None if there is none, or if text follows it: `[4, 5]` and `[4, 5],` are lists, `[a-z]+` is a text. Brackets in
    quotes don't count.
    """
    expected: list[str] = []
    position = start
    while position < len(line):
        character = line[position]
        if character in _CLOSERS:
            expected.append(_CLOSERS[character])
        elif character in _CLOSERS.values() and expected.pop() != character:
            return None
        if character in "'\"":
            position = _find_closing_quote(line, position)
        position += 1
        if not expected:
            return position if position == len(line) or line[position] == "," or line[position].isspace() else None
        if len(expected) > _MAX_DEPTH:
            return None
    return None


def _find_closing_quote(line: str, start: int) -> int:
    """Return the position of the quote that closes the one at `start`; the end of the line if none does."""
    position = start + 1
    while position < len(line) and line[position] != line[start]:
        position += 2 if line[position] == "\\" else 1
    return position
