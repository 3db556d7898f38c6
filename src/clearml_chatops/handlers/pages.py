"""Lists that are longer than a screen: which part of one is shown, and the buttons to the others."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from clearml_chatops.handlers.arguments import WholeNumber
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.models.replies import Button, Buttons

PageNumber = Annotated[int, WholeNumber(1, 9999)]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list that the words of a command line ask for.

    `total` is how many the whole list has, where that is known.
    """

    number: int
    size: int
    item_count: int
    has_more: bool
    total: int | None = None

    @property
    def range_text(self) -> str:
        """What stands on it: “11–20 of 500”; “11–20, and more” where nobody knows how many."""
        first = (self.number - 1) * self.size + 1
        last = first + self.item_count - 1
        total = self.total if self.has_more else last
        numbers = f"{first}–{last}" if self.item_count > 1 else str(first)
        return f"{numbers}, and more" if total is None else f"{numbers} of {total}"

    @property
    def is_only_page(self) -> bool:
        """Whether there is no other page."""
        return self.number == 1 and not self.has_more

    def build_buttons(self, words: Iterable[Word]) -> Buttons | None:
        """To the page before and the one after, by the same words; None where there is no other."""
        line = join_words(words)
        back = Button("‹ Back", f"{line} page={self.number - 1}", in_place=True)
        forward = Button("Next ›", f"{line} page={self.number + 1}", in_place=True)
        buttons = (*((back,) if self.number > 1 else ()), *((forward,) if self.has_more else ()))
        return Buttons(buttons) if buttons else None


def build_option(name: str, value: str) -> Word:
    """The word `name=value`, whatever is in the value."""
    return Word(f"{name}={value}", name, quoted=True)
