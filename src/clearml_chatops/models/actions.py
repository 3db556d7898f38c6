"""The command behind a button, for platforms with room for only a short token."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """Pressing the button runs `command`.

    With a `question` the person is asked first, and their answer is appended to the command as one word.
    If `in_place`, the reply replaces the message that has the button.
    """

    command: str
    question: str = ""
    in_place: bool = False
