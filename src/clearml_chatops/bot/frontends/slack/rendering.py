"""A reply as a Slack message: blocks within Slack's limits, and a file for what is beyond them.

All text is put where Slack reads no markup, made visible and escaped, so that a task named
`<!channel> *x*` rings nobody's phone and looks as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from clearml_chatops.bot.frontends.slack import block_kit
from clearml_chatops.bot.frontends.slack.plain_answer import (
    first_line,
    has_cut_cells,
    how_to_type,
    labelled_values,
    table_lines,
    whole_text,
)
from clearml_chatops.bot.frontends.slack.wire_text import escape, escape_end_within, escape_within
from clearml_chatops.bot.frontends.visible import visible, visible_line, visible_log
from clearml_chatops.models.replies import (
    Block,
    Button,
    Buttons,
    Choice,
    Code,
    Fields,
    Form,
    Picture,
    Reply,
    Table,
    Text,
    Tone,
)

_MARKS = {Tone.SUCCESS: "✓ ", Tone.WARNING: "! ", Tone.FAILURE: "✗ "}
_LONGEST_FIRST_LINE = 300
_LONGEST_CODE = 2900
_ROOM_FOR_HINT = 300
_LONGEST_DESCRIPTION = 1000
"""Slack answers `alt_txt_too_large` to more."""
_NOTHING_TO_SAY = "Done."
_HINT = "This is not all of it; the file has the whole answer."
_TOO_LONG_FOR_A_BUTTON = "is too long for a button; send the line yourself:"


@dataclass(frozen=True, slots=True)
class Room:
    """What Slack takes in one place.

    `buttons`: characters that all of them may take, so that there is room for what they are about;
    `hint`: said where there is not enough room.
    """

    blocks: int
    characters: int
    buttons: int
    hint: str


MESSAGE = Room(block_kit.MOST_BLOCKS, block_kit.LONGEST_BLOCKS, 6000, _HINT)
VIEW = Room(block_kit.MOST_BLOCKS_OF_VIEW, block_kit.LONGEST_VIEW, 60_000, "This is not all of it.")


@dataclass(frozen=True, slots=True)
class File:
    """A file; `description` is read to those who do not see a picture."""

    name: str
    content: bytes = field(repr=False)
    description: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message. `text` is for notifications, escaped; `file` holds the whole where blocks cannot.

    One that `is_card` has to be a message that can be edited later.
    """

    text: str
    blocks: list[block_kit.Block]
    file: File | None = None
    pictures: tuple[File, ...] = ()
    is_card: bool = False

    @property
    def has_files(self) -> bool:
        return bool(self.file or self.pictures)

    def with_line(self, line: str) -> "Rendered":
        """The same message with a quiet line at its end."""
        return replace(self, blocks=block_kit.with_context(self.blocks, line))


def one_line(text: str) -> Rendered:
    """A message of the bot's own that is one quiet line."""
    return Rendered(text, [block_kit.context(text)])


def working_line() -> Rendered:
    """A sign of life, until the answer takes its place."""
    return one_line("working…")


def render(reply: Reply, room: Room = MESSAGE) -> Rendered:
    """A reply, cut to what Slack takes in one message."""
    return _Page(reply, room).rendered()


@dataclass(slots=True)
class _Page:
    """One message being filled: the buttons first, since they are what one can do, then all else in order."""

    reply: Reply
    room: Room
    cut: bool = False
    _buttons: int = 0
    _length_of_buttons: int = 0
    _parts: list[tuple[bool, list[block_kit.Block]]] = field(default_factory=list)

    def rendered(self) -> Rendered:
        for block in self.reply.blocks:
            self._take(block)
        blocks = self._blocks_that_fit() or [block_kit.context(_NOTHING_TO_SAY)]
        if self.cut:
            blocks.append(block_kit.context(self.room.hint))
        text = escape_within(first_line(self.reply), _LONGEST_FIRST_LINE) or _NOTHING_TO_SAY
        return Rendered(
            text,
            blocks,
            File("answer.txt", whole_text(self.reply).encode()) if self.cut else None,
            tuple(_picture(block) for block in self.reply.blocks if isinstance(block, Picture)),
            self.reply.is_card,
        )

    def _take(self, block: Block) -> None:
        match block:
            case Text():
                self._add(self._sentence(block))
            case Fields():
                self._add(self._fields(block))
            case Table():
                self._add(self._table(block))
            case Code(text=""):
                return
            case Code():
                log = visible_log(block.text)
                self.cut |= len(escape(log)) > _LONGEST_CODE
                # The newest lines of a log are what one looks for.
                self._add(block_kit.preformatted(escape_end_within(log, _LONGEST_CODE)))
            case Buttons():
                self._add_buttons(block.buttons)
            case Choice():
                self._add(self._section(visible(block.question)))
                self.cut |= len(block.options) > block_kit.MOST_ACTIONS
                self._add_buttons(block.options[: block_kit.MOST_ACTIONS])
            case Picture():
                self._add(self._sentence(Text(block.caption or block.name)))
            case Form():
                self._add_form(block)
            case _:
                assert_never(block)

    def _add(self, block: block_kit.Block | None) -> None:
        if block is not None:
            self._parts.append((False, [block]))

    def _sentence(self, block: Text) -> block_kit.Block | None:
        text = _MARKS.get(block.tone, "") + visible(block.text)
        if not text.strip():
            return None
        if block.tone is Tone.HEADING and len(escape(visible_line(block.text))) <= block_kit.LONGEST_HEADER:
            return block_kit.header(visible_line(block.text))
        return block_kit.context(text) if block.tone is Tone.QUIET and self._fits(text) else self._section(text)

    def _section(self, text: str) -> block_kit.Block:
        self.cut |= not self._fits(text)
        return block_kit.section(text or "—")

    def _fits(self, text: str) -> bool:
        return len(escape(text)) <= block_kit.LONGEST_SECTION

    def _fields(self, block: Fields) -> block_kit.Block | None:
        items = [(visible_line(label), visible(value)) for label, value in block.items]
        self.cut |= any(len(escape(value)) > block_kit.LONGEST_VALUE_SHOWN for _, value in items)
        return block_kit.fields(items) if items else None

    def _table(self, block: Table) -> block_kit.Block | None:
        if not block.columns:
            return None
        lines = table_lines(block)
        kept = list(_first_lines(lines, _LONGEST_CODE))
        self.cut |= len(kept) < len(lines) or has_cut_cells(block)
        more = [f"… and {len(lines) - len(kept):,} more"] if len(kept) < len(lines) else []
        return block_kit.preformatted(escape("\n".join(kept + more)))

    def _add_form(self, form: Form) -> None:
        self._add(self._sentence(Text(form.title, Tone.HEADING)))
        self._add(self._fields(Fields(labelled_values(form))))
        for example in form.fields[:1]:
            self._add(self._sentence(Text(how_to_type(form.command, example), Tone.QUIET)))

    def _add_buttons(self, buttons: tuple[Button, ...]) -> None:
        made: list[block_kit.Block] = []
        for button in buttons:
            label, command = visible_line(button.label), button.command
            if len(escape(command)) > block_kit.LONGEST_COMMAND:
                self._add(self._section(f"{label} {_TOO_LONG_FOR_A_BUTTON}"))
                self._take(Code(command))
                continue
            shown = block_kit.button(label, command, self._buttons, in_place=button.in_place)
            length = block_kit.length_of([shown])
            if self._length_of_buttons + length > self.room.buttons:
                self.cut = True
                continue
            self._buttons += 1
            self._length_of_buttons += length
            made.append(shown)
        if made:
            self._parts.append((True, block_kit.actions(made)))

    def _blocks_that_fit(self) -> list[block_kit.Block]:
        buttons = [blocks for is_buttons, blocks in self._parts if is_buttons]
        room = self.room.characters - _ROOM_FOR_HINT - sum(map(block_kit.length_of, buttons))
        places = self.room.blocks - 1 - sum(map(len, buttons))
        fitting: list[block_kit.Block] = []
        for is_buttons, blocks in self._parts:
            length = 0 if is_buttons else block_kit.length_of(blocks)
            if not is_buttons and (length > room or places < 1):
                self.cut = True
                # Nothing after it either: a gap in the middle would not be seen.
                room = 0
                continue
            if not is_buttons:
                room -= length
                places -= 1
            fitting += blocks
        return fitting


def _picture(block: Picture) -> File:
    name = visible_line(block.name)
    return File(name, block.png, (visible_line(block.caption) or name)[:_LONGEST_DESCRIPTION])


def _first_lines(lines: list[str], longest: int) -> Iterator[str]:
    """As many lines as fit, always one of them."""
    length = 0
    for number, line in enumerate(lines):
        length += len(escape(line)) + 1
        if number and length > longest:
            return
        yield line if number else line[:longest]
