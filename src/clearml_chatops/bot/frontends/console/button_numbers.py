"""Which button a typed number presses."""

import re

from clearml_chatops.models.replies import Button, Outcome, Reply, Text, Tone

_NUMBER = re.compile(r"\[?([0-9]{1,3})\]?")
_MAX_NUMBER = 99


class NumberedButtons:
    """The buttons on the screen that a number presses.

    A reply numbers its buttons from 1 and so puts the earlier ones out of use. A notification only goes on
    counting: who is about to type 1 must not press what has just appeared under his fingers. A number that
    was not given out since the last reply with buttons presses nothing.
    """

    def __init__(self) -> None:
        self._buttons: dict[int, Button] = {}

    def number_reply(self, buttons: tuple[Button, ...]) -> int:
        """Numbers the buttons of a reply; the first number. Without buttons the earlier ones stay in use."""
        if buttons:
            self._buttons = dict(enumerate(buttons, start=1))
        return 1

    def number_notification(self, buttons: tuple[Button, ...]) -> int:
        """Numbers the buttons of a notification behind all others; the first number."""
        first_number = max(self._buttons, default=0) + 1
        if first_number + len(buttons) > _MAX_NUMBER:
            # A night of notifications: short numbers are worth more than those of yesterday.
            self._buttons, first_number = {}, 1
        self._buttons.update(enumerate(buttons, start=first_number))
        return first_number

    def find_button(self, line: str) -> Button | Reply | None:
        """The button that a line presses, a refusal if there is none of that number, None for no number."""
        match = _NUMBER.fullmatch(line)
        if match is None:
            return None
        number = int(match[1])
        return self._buttons.get(number) or self._build_refusal(number)

    def _build_refusal(self, number: int) -> Reply:
        if not self._buttons:
            text = f"There is no button {number}: nothing here has a number yet. Type a command, such as /find."
        elif len(self._buttons) == 1:
            text = f"There is no button {number}: the only one is {next(iter(self._buttons))}."
        else:
            text = f"There is no button {number}: they go from {min(self._buttons)} to {max(self._buttons)}."
        return Reply((Text(text, Tone.FAILURE),), Outcome.REFUSED)
