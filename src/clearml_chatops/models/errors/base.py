"""The base class of all errors that a person can do something about.

Each class has a stable `code` (tests and the audit trail use it), a docstring that says when it
happens, and a `text` for the person that says what to do next. Values from outside are inserted
unescaped: text is escaped where it is shown, never here.
"""

import re
from collections.abc import Sequence
from typing import ClassVar

from clearml_chatops.models.replies import Button, FieldError

MAX_QUOTED_VALUE_LENGTH = 200
"""Characters of a person's own input repeated in an error; longer input is cut."""


class ChatOpsError(Exception):
    """A command could not be carried out. `buttons` are commands that would help.

    The `values` fill the placeholders of `text`. One named `advice` is a sentence of its own and is
    shown with a capital letter.
    """

    code: ClassVar[str] = "error"
    text: ClassVar[str] = "{reason}"

    def __init__(self, *, buttons: Sequence[Button] = (), **values: object) -> None:
        self.buttons = tuple(buttons)
        self.values = values
        shown_values = {name: shorten(str(value)) for name, value in values.items()}
        if advice := shown_values.get("advice"):
            shown_values["advice"] = advice[0].upper() + advice[1:]
        super().__init__(self.text.format(**shown_values))

    @property
    def field_errors(self) -> tuple[FieldError, ...]:
        """Return the error as that of the argument or parameter that it's about; nothing if it's about none."""
        return (FieldError(self.field_name, str(self)),) if self.field_name else ()

    @property
    def field_name(self) -> str:
        """Return the argument or parameter that the error is about; an empty string if it's about none."""
        return ""


def shorten(text: str) -> str:
    """Return the text on one line, cut to the length that an error may repeat."""
    line = re.sub(r"\s+", " ", text)
    return line if len(line) <= MAX_QUOTED_VALUE_LENGTH else line[: MAX_QUOTED_VALUE_LENGTH - 1] + "…"
