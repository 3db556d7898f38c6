"""The numbers of buttons on the terminal."""

import re

from clearml_chatops.models.replies import Button, Outcome, Reply, Text, Tone

_NUMBER = re.compile(r"\[?([0-9]{1,3})\]?")
_MAX_NUMBER = 99


class NumberedButtons:
    """The buttons on the screen that can be pressed by typing their number.

    A reply with buttons numbers them from 1, and earlier numbers no longer work. A notification continues the
    numbers, so a person who is typing 1 doesn't press a button that appears at that moment.
    """

    def __init__(self) -> None:
        self._buttons: dict[int, Button] = {}

    def number_reply(self, buttons: tuple[Button, ...]) -> int:
        """Number the buttons of a reply and return the first number. If it has none, old numbers still work."""
        if buttons:
            self._buttons = dict(enumerate(buttons, start=1))
        return 1

    def number_notification(self, buttons: tuple[Button, ...]) -> int:
        """Number the buttons of a notification after all others and return the first number."""
        first_number = max(self._buttons, default=0) + 1
        if first_number + len(buttons) > _MAX_NUMBER:
            # After many notifications, short numbers matter more than old buttons.
            self._buttons, first_number = {}, 1
        self._buttons.update(enumerate(buttons, start=first_number))
        return first_number

    def find_button(self, line: str) -> Button | Reply | None:
        """Return the button with the typed number, a refusal for an unknown number, or None if it is no number."""
        if (match := _NUMBER.fullmatch(line)) is None:
            return None
        number = int(match[1])
        return self._buttons.get(number) or self._build_refusal(number)

    def _build_refusal(self, number: int) -> Reply:
        if not self._buttons:
            text = f"There's no button {number} yet. Type a command, such as /find."
        elif len(self._buttons) == 1:
            text = f"There's no button {number}. The only one is {next(iter(self._buttons))}."
        else:
            text = f"There's no button {number}. Type a number from {min(self._buttons)} to {max(self._buttons)}."
        return Reply((Text(text, Tone.FAILURE),), Outcome.REFUSED)
