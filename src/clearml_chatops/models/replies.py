"""What goes out: neutral blocks that each front end renders within its limits.

No block holds markup: all text is shown as it is, so that text from outside (names, log lines) needs
no care here and each front end escapes in one place.
"""

from dataclasses import dataclass, replace
from enum import Enum, StrEnum


class Tone(Enum):
    PLAIN = "plain"
    HEADING = "heading"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Fields:
    """Labelled values, one beside the other or one a line."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Text in a fixed-width face: a log, a difference."""

    text: str


@dataclass(frozen=True, slots=True)
class Button:
    """A label and the command line that pressing it runs, as the person who presses it."""

    label: str
    command: str


@dataclass(frozen=True, slots=True)
class Buttons:
    """Things one may do next."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A question that must be answered before anything happens."""

    question: str
    options: tuple[Button, ...]


Block = Text | Fields | Table | Code | Buttons | Choice


class Outcome(StrEnum):
    """How a command ended: done, in need of an answer, refused for a reason told, or broken."""

    DONE = "done"
    ASKED = "asked"
    REFUSED = "refused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command. `experiment_id` is the experiment it is about, if it is about one."""

    blocks: tuple[Block, ...]
    outcome: Outcome = Outcome.DONE
    experiment_id: str = ""

    @classmethod
    def of(cls, *blocks: Block | str | None, about: str = "") -> "Reply":
        """A reply of blocks, a string being a plain text; what is None is left out."""
        return cls(
            tuple(Text(block) if isinstance(block, str) else block for block in blocks if block is not None),
            experiment_id=about,
        )

    @classmethod
    def asking(cls, question: str, *options: Button, about: str = "") -> "Reply":
        """A reply that does nothing yet: the person has to choose."""
        return cls((Choice(question, options),), Outcome.ASKED, about)

    def followed_by(self, *blocks: Block) -> "Reply":
        return replace(self, blocks=(*self.blocks, *blocks))
