"""Paged lists: which page is shown, and the buttons to the other pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from clearml_chatops.handlers.arguments import WholeNumber
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.models.replies import Button, Buttons

PageNumber = Annotated[int, WholeNumber(1, 9999)]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    `number` counts from 1. `total` is the length of the whole list, None if unknown.
    """

    number: int
    size: int
    item_count: int
    has_more: bool
    total: int | None = None

    @property
    def range_text(self) -> str:
        """The numbers of its items: “11–20 of 500”, or “11–20, and more” if the total is unknown."""
        first = (self.number - 1) * self.size + 1
        last = first + self.item_count - 1
        total = self.total if self.has_more else last
        numbers = f"{first}–{last}" if self.item_count > 1 else str(first)
        return f"{numbers}, and more" if total is None else f"{numbers} of {total}"

    @property
    def is_only_page(self) -> bool:
        """Whether the list has no other page."""
        return self.number == 1 and not self.has_more

    def build_buttons(self, words: Iterable[Word]) -> Buttons | None:
        """Return buttons to the previous and the next page of a command; None if there are none."""
        line = join_words(words)
        back = Button("‹ Back", f"{line} page={self.number - 1}", in_place=True)
        forward = Button("Next ›", f"{line} page={self.number + 1}", in_place=True)
        buttons = (*((back,) if self.number > 1 else ()), *((forward,) if self.has_more else ()))
        return Buttons(buttons) if buttons else None


def build_option(name: str, value: str) -> Word:
    """Return the word `name=value`, whatever the value contains."""
    return Word(f"{name}={value}", name, quoted=True)
