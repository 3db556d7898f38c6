"""What all errors have in common.

Each class has a stable `code` (tests and the audit trail use it), a docstring that says when it
happens, and a `text` for the person that says what to do next. Values from outside are put in as they
are: text is escaped where it is shown, never here.
"""

import re
from collections.abc import Sequence
from typing import ClassVar

from clearml_chatops.models.replies import Button

LONGEST_QUOTED_VALUE = 200
"""Characters of a person's own input repeated in an error; a longer one is cut."""


class ChatOpsError(Exception):
    """A command could not be carried out. `offers` are command lines that would help."""

    code: ClassVar[str] = "error"
    text: ClassVar[str] = "{reason}"

    def __init__(self, *, offers: Sequence[Button] = (), **values: object) -> None:
        self.offers = tuple(offers)
        self.values = values
        shown = {name: shorten(str(value)) for name, value in values.items()}
        super().__init__(self.text.format(**shown))


def shorten(text: str) -> str:
    """The text on one line, cut to what an error can repeat."""
    line = re.sub(r"\s+", " ", text)
    return line if len(line) <= LONGEST_QUOTED_VALUE else line[: LONGEST_QUOTED_VALUE - 1] + "…"
