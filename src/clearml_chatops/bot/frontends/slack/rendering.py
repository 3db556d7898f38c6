"""Renders a reply as a Slack message: blocks within Slack's limits, and a file if they can't hold everything.

All text is sanitized, escaped and placed where Slack interprets no markup. A task named `<!channel> *x*` pings
nobody and is shown literally.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_log, sanitize_text
from clearml_chatops.bot.frontends.slack import block_kit
from clearml_chatops.bot.frontends.slack.escaping import escape, escape_and_truncate, escape_and_truncate_start
from clearml_chatops.bot.frontends.slack.plain_text import (
    find_notification_text,
    format_edit_hint,
    has_cut_cells,
    list_form_values,
    render_full_text,
    render_table_lines,
)
from clearml_chatops.models.replies import (
    Block,
    Button,
    Buttons,
    Choice,
    Code,
    Fields,
    Form,
    Link,
    Picture,
    Reply,
    Table,
    Text,
    TextFile,
    Tone,
)

_TONE_PREFIXES = {Tone.SUCCESS: "✓ ", Tone.WARNING: "! ", Tone.FAILURE: "✗ "}
_MAX_NOTIFICATION_LENGTH = 300
_MAX_CODE_LENGTH = 2900
_RESERVED_FOR_HINT = 300
_MAX_ALT_TEXT_LENGTH = 1000
"""Slack answers `alt_txt_too_large` to a longer one."""
_EMPTY_REPLY_TEXT = "Done."
_TRUNCATED_MESSAGE_HINT = "This answer was shortened. The file has all of it."
_TRUNCATED_VIEW_HINT = "This answer was shortened."
TYPING_INDICATOR_TEXT = "Working…"


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Slack's limits of a message or a view, and the hint to show when a reply exceeds them.

    `max_button_characters` applies to all buttons together, to leave room for the text.
    """

    max_blocks: int
    max_characters: int
    max_button_characters: int
    truncated_hint: str


MESSAGE_LIMITS = SizeLimits(block_kit.MAX_BLOCKS, block_kit.MAX_BLOCKS_LENGTH, 6000, _TRUNCATED_MESSAGE_HINT)
VIEW_LIMITS = SizeLimits(block_kit.MAX_VIEW_BLOCKS, block_kit.MAX_VIEW_LENGTH, 60_000, _TRUNCATED_VIEW_HINT)


@dataclass(frozen=True, slots=True)
class File:
    """A file to upload. `description` is the alt text of a picture."""

    name: str
    content: bytes = field(repr=False)
    description: str = ""


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A message ready for Slack's API.

    `text` is the escaped text for notifications, `file` the whole reply if the blocks can't hold it. A
    message with `is_card` must be editable later; one with `is_only_file` is nothing but its file, with `text`.
    """

    text: str
    blocks: list[block_kit.Block]
    file: File | None = None
    pictures: tuple[File, ...] = ()
    is_card: bool = False
    is_only_file: bool = False

    @property
    def has_files(self) -> bool:
        return bool(self.file or self.pictures)

    def with_line(self, line: str) -> "RenderedMessage":
        """Return the same message with a context line at its end."""
        return replace(self, blocks=block_kit.with_context(self.blocks, line))


def build_notice(text: str) -> RenderedMessage:
    """Build a message that is a single context line."""
    return RenderedMessage(text, [block_kit.build_context(text)])


def build_typing_indicator() -> RenderedMessage:
    """Build the message that is shown until the answer replaces it."""
    return build_notice(TYPING_INDICATOR_TEXT)


def render(reply: Reply, limits: SizeLimits = MESSAGE_LIMITS) -> RenderedMessage:
    """Render a reply, truncated to the limits."""
    return _MessageBuilder(reply, limits).build()


@dataclass(slots=True)
class _MessageBuilder:
    """Builds one message. Buttons get their room first, because they are the next steps; the rest follows."""

    reply: Reply
    limits: SizeLimits
    is_truncated: bool = False
    _button_count: int = 0
    _button_characters: int = 0
    _parts: list[tuple[bool, list[block_kit.Block]]] = field(default_factory=list)

    def build(self) -> RenderedMessage:
        for block in self.reply.blocks:
            self._add_block(block)
        blocks = self._select_fitting_blocks() or [block_kit.build_context(_EMPTY_REPLY_TEXT)]
        if self.is_truncated:
            blocks.append(block_kit.build_context(self.limits.truncated_hint))
        text = (
            escape_and_truncate(find_notification_text(self.reply), _MAX_NOTIFICATION_LENGTH) or _EMPTY_REPLY_TEXT
        )
        return RenderedMessage(
            text,
            blocks,
            self._build_file(),
            tuple(_to_file(block) for block in self.reply.blocks if isinstance(block, Picture)),
            self.reply.is_card,
            is_only_file=len(self.reply.blocks) == 1 and isinstance(self.reply.blocks[0], TextFile),
        )

    def _build_file(self) -> File | None:
        """Return the whole reply if the message can't hold it; otherwise a text that is a file anyway."""
        if self.is_truncated:
            return File("answer.txt", render_full_text(self.reply).encode())
        texts = (block for block in self.reply.blocks if isinstance(block, TextFile))
        return next((File(sanitize_line(each.name), sanitize_log(each.text).encode()) for each in texts), None)

    def _add_block(self, block: Block) -> None:
        match block:
            case Text():
                self._add_part(self._build_text(block))
            case Fields():
                self._add_part(self._build_fields(block))
            case Table():
                self._add_part(self._build_table(block))
            case Code(text=""):
                return
            case Code():
                log = sanitize_log(block.text)
                self.is_truncated |= len(escape(log)) > _MAX_CODE_LENGTH
                # The newest lines of a log matter most.
                self._add_part(block_kit.build_preformatted(escape_and_truncate_start(log, _MAX_CODE_LENGTH)))
            case Buttons():
                self._add_buttons(block.buttons, block.links)
            case Choice():
                self._add_part(self._build_section(sanitize_text(block.question)))
                self.is_truncated |= len(block.options) > block_kit.MAX_ACTIONS
                self._add_buttons(block.options[: block_kit.MAX_ACTIONS])
            case Picture() | TextFile():
                self._add_part(self._build_text(Text(block.caption or block.name)))
            case Form():
                self._add_form(block)
            case _:
                assert_never(block)

    def _add_part(self, block: block_kit.Block | None) -> None:
        if block is not None:
            self._parts.append((False, [block]))

    def _build_text(self, block: Text) -> block_kit.Block | None:
        text = _TONE_PREFIXES.get(block.tone, "") + sanitize_text(block.text)
        if not text.strip():
            return None
        if block.tone is Tone.HEADING and len(escape(sanitize_line(block.text))) <= block_kit.MAX_HEADER_LENGTH:
            return block_kit.build_header(sanitize_line(block.text))
        return (
            block_kit.build_context(text)
            if block.tone is Tone.SUBTLE and self._fits_section(text)
            else self._build_section(text)
        )

    def _build_section(self, text: str) -> block_kit.Block:
        self.is_truncated |= not self._fits_section(text)
        return block_kit.build_section(text or "—")

    def _fits_section(self, text: str) -> bool:
        return len(escape(text)) <= block_kit.MAX_SECTION_LENGTH

    def _build_fields(self, block: Fields) -> block_kit.Block | None:
        items = [(sanitize_line(label), sanitize_text(value)) for label, value in block.items]
        self.is_truncated |= any(len(escape(value)) > block_kit.MAX_VALUE_LENGTH for _, value in items)
        return block_kit.build_fields(items) if items else None

    def _build_table(self, block: Table) -> block_kit.Block | None:
        if not block.columns:
            return None
        lines = render_table_lines(block)
        fitting_lines = list(_take_fitting_lines(lines, _MAX_CODE_LENGTH))
        self.is_truncated |= len(fitting_lines) < len(lines) or has_cut_cells(block)
        remainder = [f"… and {len(lines) - len(fitting_lines):,} more"] if len(fitting_lines) < len(lines) else []
        return block_kit.build_preformatted(escape("\n".join(fitting_lines + remainder)))

    def _add_form(self, form: Form) -> None:
        self._add_part(self._build_text(Text(form.title, Tone.HEADING)))
        self._add_part(self._build_fields(Fields(list_form_values(form))))
        for example in form.fields[:1]:
            self._add_part(self._build_text(Text(format_edit_hint(form.command, example), Tone.SUBTLE)))

    def _add_buttons(self, buttons: tuple[Button, ...], links: tuple[Link, ...] = ()) -> None:
        button_blocks: list[block_kit.Block] = []
        for button in buttons:
            label, command = sanitize_line(button.label), button.command
            if len(escape(command)) > block_kit.MAX_COMMAND_LENGTH:
                self._add_part(self._build_section(f"“{label}” is too long for a button. Send this line instead:"))
                self._add_block(Code(command))
                continue
            button_block = block_kit.build_button(label, command, self._button_count, in_place=button.in_place)
            if self._try_count_button(button_block):
                button_blocks.append(button_block)
        for link in links:
            label = sanitize_line(link.label)
            if not block_kit.is_link(link.address):
                self._add_part(self._build_section(f"{label}: {sanitize_line(link.address)}"))
                continue
            button_block = block_kit.build_link_button(label, link.address, self._button_count)
            if self._try_count_button(button_block):
                button_blocks.append(button_block)
        if button_blocks:
            self._parts.append((True, block_kit.build_actions(button_blocks)))

    def _try_count_button(self, button_block: block_kit.Block) -> bool:
        """Count a button if it fits. Otherwise mark the message as truncated and return False."""
        length = block_kit.measure_length([button_block])
        if self._button_characters + length > self.limits.max_button_characters:
            self.is_truncated = True
            return False
        self._button_count += 1
        self._button_characters += length
        return True

    def _select_fitting_blocks(self) -> list[block_kit.Block]:
        button_blocks = [blocks for is_buttons, blocks in self._parts if is_buttons]
        remaining_characters = (
            self.limits.max_characters - _RESERVED_FOR_HINT - sum(map(block_kit.measure_length, button_blocks))
        )
        remaining_blocks = self.limits.max_blocks - 1 - sum(map(len, button_blocks))
        selected: list[block_kit.Block] = []
        for is_buttons, blocks in self._parts:
            length = 0 if is_buttons else block_kit.measure_length(blocks)
            if not is_buttons and (length > remaining_characters or remaining_blocks < 1):
                self.is_truncated = True
                # Drop everything after it too, or there would be an invisible gap in the middle.
                remaining_characters = 0
                continue
            if not is_buttons:
                remaining_characters -= length
                remaining_blocks -= 1
            selected += blocks
        return selected


def _to_file(block: Picture) -> File:
    name = sanitize_line(block.name)
    return File(name, block.png, (sanitize_line(block.caption) or name)[:_MAX_ALT_TEXT_LENGTH])


def _take_fitting_lines(lines: list[str], max_length: int) -> Iterator[str]:
    """Yield as many lines as fit, at least the first."""
    length = 0
    for number, line in enumerate(lines):
        length += len(escape(line)) + 1
        if number and length > max_length:
            return
        yield line if number else line[:max_length]
