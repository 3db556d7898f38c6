"""What all errors have in common.

Each class has a stable `code` (tests and the audit trail use it), a docstring that says when it
happens, and a `text` for the person that says what to do next. Values from outside are put in as they
are: text is escaped where it is shown, never here.
"""

import re
from collections.abc import Sequence
from typing import ClassVar

from clearml_chatops.models.replies import Button

MAX_QUOTED_VALUE_LENGTH = 200
"""Characters of a person's own input repeated in an error; a longer one is cut."""


class ChatOpsError(Exception):
    """A command could not be carried out. `offers` are command lines that would help."""

    code: ClassVar[str] = "error"
    text: ClassVar[str] = "{reason}"

    def __init__(self, *, buttons: Sequence[Button] = (), **values: object) -> None:
        self.buttons = tuple(buttons)
        self.values = values
        shortened_values = {name: shorten(str(value)) for name, value in values.items()}
        super().__init__(self.text.format(**shortened_values))


def shorten(text: str) -> str:
    """The text on one line, cut to what an error can repeat."""
    line = re.sub(r"\s+", " ", text)
    return line if len(line) <= MAX_QUOTED_VALUE_LENGTH else line[: MAX_QUOTED_VALUE_LENGTH - 1] + "…"
