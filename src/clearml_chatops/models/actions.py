"""What a button stands for, where the platform's buttons have no room for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """Pressing the button runs `line`.

    With a `question` the person is asked first, and what he answers is put behind the line as one word.
    The answer to one that is `in_place` takes the place of the message that has the button.
    """

    command: str
    question: str = ""
    in_place: bool = False
