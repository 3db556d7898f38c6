"""Replies: platform-neutral blocks that each front end renders within its limits.

Blocks hold no markup: all text is shown literally, so text from outside (names, log lines) needs no
escaping here, and each front end escapes in one place.
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
    """Labelled values, side by side or one per line."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Text in a fixed-width font: a log, a diff."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG. `caption` describes it where pictures cannot be shown."""

    name: str
    png: bytes = field(repr=False)
    caption: str = ""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text as a file to open, with a sentence that says what is in it."""

    name: str
    text: str = field(repr=False)
    caption: str


@dataclass(frozen=True, slots=True)
class Button:
    """A label, and the command that runs in the name of the person who presses it.

    If `in_place`, the reply replaces the message that has the button, as for the next page of a list.
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
    """An experiment's id, with suggestions while typing if the platform supports them."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One value that a person may fill in.

    `name` is its name in the command, `value` its current value. A positional field is written into the
    command as its value alone. `group` is the heading above it, `hint` a help text, and `changed` marks a
    value that differs from the parent's.
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
    """Values to fill in. Submitting runs `command` followed by the changed values.

    `handlers.forms` builds that command. A front end without forms asks for one value at a time.
    """

    title: str
    command: str
    fields: tuple[FormField, ...]


Block = Text | Fields | Table | Code | Picture | TextFile | Buttons | Choice | Form


class Outcome(StrEnum):
    """How a command ended: done, waiting for an answer, refused with a reason, or failed unexpectedly."""

    DONE = "done"
    ASKED = "asked"
    REFUSED = "refused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value of a command. `name` is that of the argument or parameter."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to one command. `experiment_id` is the experiment that it is about, if any.

    If `is_card`, it shows that experiment and is edited in place as the experiment progresses. The `field_errors`
    of a refusal say which values are wrong, for a form that can show it there; the blocks say the same.
    """

    blocks: tuple[Block, ...]
    outcome: Outcome = Outcome.DONE
    experiment_id: str = ""
    is_card: bool = False
    field_errors: tuple[FieldError, ...] = ()

    @classmethod
    def of(cls, *blocks: Block | str | None, experiment_id: str = "") -> "Reply":
        """Return a reply of blocks. A string becomes a plain text; None is left out."""
        return cls(
            tuple(Text(block) if isinstance(block, str) else block for block in blocks if block is not None),
            experiment_id=experiment_id,
        )

    @classmethod
    def with_choice(cls, question: str, *options: Button, experiment_id: str = "") -> "Reply":
        """Return a reply that asks the person to choose before anything is done."""
        return cls((Choice(question, options),), Outcome.ASKED, experiment_id)

    def as_card(self) -> "Reply":
        """Return the same reply as its experiment's card."""
        return replace(self, is_card=True)

    def followed_by(self, *blocks: Block) -> "Reply":
        return replace(self, blocks=(*self.blocks, *blocks))
