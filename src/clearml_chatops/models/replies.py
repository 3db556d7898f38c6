"""What goes out: neutral blocks that each front end renders within its limits.

No block holds markup: all text is shown as it is, so that text from outside (names, log lines) needs
no care here and each front end escapes in one place.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum


class Tone(Enum):
    PLAIN = "plain"
    HEADING = "heading"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    SUBTLE = "subtle"


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
class Picture:
    """A PNG. `caption` says in words what it shows, for places that show no pictures."""

    name: str
    png: bytes = field(repr=False)
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A label and the command line that pressing it runs, as the person who presses it.

    The answer to one that is `in_place` takes the place of the message that has the button: the next
    page of a list.
    """

    label: str
    command: str
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A web page to open: a button that runs no command."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Buttons:
    """What the person can do next, and the pages they can open."""

    buttons: tuple[Button, ...]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A question that must be answered before anything happens."""

    question: str
    options: tuple[Button, ...]


class FieldKind(Enum):
    TEXT = "text"
    LONG_TEXT = "long text"
    EXPERIMENT = "experiment"
    """An experiment's id, found while one types where the platform can do that."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One value that a person may fill in.

    `name` is what the command line calls it, `value` what it is now. A positional one is written into the
    line by its value alone. `group` is the heading it stands under, `note` what helps to fill it in, and
    `changed` marks a value that is otherwise than the parent's.
    """

    name: str
    label: str
    value: str = ""
    kind: FieldKind = FieldKind.TEXT
    group: str = ""
    hint: str = ""
    changed: bool = False
    positional: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """Values to fill in. What comes of it is the line `command` with what was changed behind it.

    `handlers.forms` makes that line. A front end without forms asks for one value at a time.
    """

    title: str
    command: str
    fields: tuple[FormField, ...]


Block = Text | Fields | Table | Code | Picture | Buttons | Choice | Form


class Outcome(StrEnum):
    """How a command ended: done, in need of an answer, refused for a reason told, or broken."""

    DONE = "done"
    ASKED = "asked"
    REFUSED = "refused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command. `experiment_id` is the experiment it is about, if it is about one.

    One that `is_card` shows how that experiment is, and is edited in place as the experiment moves on.
    """

    blocks: tuple[Block, ...]
    outcome: Outcome = Outcome.DONE
    experiment_id: str = ""
    is_card: bool = False

    @classmethod
    def of(cls, *blocks: Block | str | None, experiment_id: str = "") -> "Reply":
        """A reply of blocks, a string being a plain text; what is None is left out."""
        return cls(
            tuple(Text(block) if isinstance(block, str) else block for block in blocks if block is not None),
            experiment_id=experiment_id,
        )

    @classmethod
    def with_choice(cls, question: str, *options: Button, experiment_id: str = "") -> "Reply":
        """A reply that does nothing yet: the person has to choose."""
        return cls((Choice(question, options),), Outcome.ASKED, experiment_id)

    def as_card(self) -> "Reply":
        """The same reply as the card of its experiment."""
        return replace(self, is_card=True)

    def followed_by(self, *blocks: Block) -> "Reply":
        return replace(self, blocks=(*self.blocks, *blocks))
