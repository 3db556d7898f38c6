"""Blocks as Slack treats them: which ones it refuses, and what people see."""

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_BLOCKS = 50
MAX_BLOCKS_LENGTH = 13_200
MAX_SECTION_LENGTH = 3000
MAX_FIELDS = 10
MAX_FIELD_LENGTH = 2000
MAX_HEADER_LENGTH = 150
MAX_CONTEXT_ELEMENTS = 10
MAX_ACTIONS = 25
MAX_BUTTON_TEXT_LENGTH = 75
MAX_BUTTON_VALUE_LENGTH = 2000
MAX_ID_LENGTH = 255
MAX_LINK_LENGTH = 3000
MAX_INPUT_LABEL_LENGTH = 2000
MAX_INPUT_VALUE_LENGTH = 3000
MAX_PLACEHOLDER_LENGTH = 150
MAX_OPTIONS = 100
MAX_OPTION_TEXT_LENGTH = 75
MAX_OPTION_VALUE_LENGTH = 150
_RICH_TEXT_ELEMENT_TYPES = {"rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list"}
_BROADCAST_PATTERN = re.compile(r"<!(?:channel|here|everyone)\b[^>]*>")

Block = dict[str, Any]


class RefusedBlocksError(Exception):
    """Slack refuses these blocks; `code` is its error code."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


def require_valid_blocks(
    blocks: list[Block],
    *,
    max_blocks: int = MAX_BLOCKS,
    max_length: int = MAX_BLOCKS_LENGTH,
    allow_inputs: bool = False,
) -> None:
    """Raise RefusedBlocksError if blocks exceed the limits of Slack's reference. Only views allow inputs."""
    _require(len(blocks) <= max_blocks, f"{len(blocks)} blocks")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    _require(len(ids) == len(set(ids)), "a block_id twice")
    _require(all(1 <= len(block_id) <= MAX_ID_LENGTH for block_id in ids), "a block_id")
    actions = [element.get("action_id") for block in blocks for element in _get_actions(block)]
    _require(len(actions) == len(set(actions)), "an action_id twice")
    for block in blocks:
        if allow_inputs and block.get("type") == "input":
            _require_valid_input(block)
        else:
            _require_valid_block(block)
    length = len(json.dumps(blocks, ensure_ascii=False))
    if length > max_length:
        raise RefusedBlocksError("msg_blocks_too_long", f"{length} characters")


def _require_valid_block(block: Block) -> None:
    match block.get("type"):
        case "divider":
            return
        case "header":
            _require(block["text"]["type"] == "plain_text", "a header that is not plain")
            _require_text(block["text"], MAX_HEADER_LENGTH)
        case "section":
            _require_valid_section(block)
        case "context":
            _require(1 <= len(block["elements"]) <= MAX_CONTEXT_ELEMENTS, "elements of a context")
            for element in block["elements"]:
                _require_text(element, MAX_SECTION_LENGTH)
        case "actions":
            _require(1 <= len(block["elements"]) <= MAX_ACTIONS, f"{len(block['elements'])} actions")
            for element in block["elements"]:
                _require_valid_button(element)
        case "rich_text":
            _require_valid_rich_text(block)
        case other:
            raise RefusedBlocksError("invalid_blocks", f"a block of type {other}")


def _require_valid_input(block: Block) -> None:
    element = block["element"]
    _require("block_id" in block, "an input without an id")
    _require(1 <= len(element.get("action_id", "")) <= MAX_ID_LENGTH, "an action_id")
    for part, max_length in (("label", MAX_INPUT_LABEL_LENGTH), ("hint", MAX_INPUT_LABEL_LENGTH)):
        if part in block:
            _require_plain_text(block[part], max_length)
    _require("label" in block, "an input without a label")
    if "placeholder" in element:
        _require_plain_text(element["placeholder"], MAX_PLACEHOLDER_LENGTH)
    match element.get("type"):
        case "plain_text_input":
            value = element.get("initial_value")
            _require(value is None or 1 <= len(value) <= MAX_INPUT_VALUE_LENGTH, "an initial value")
            _require(element.get("multiline") or "\n" not in (value or ""), "several lines in one")
        case "external_select":
            require_valid_options([element["initial_option"]] if "initial_option" in element else [])
        case other:
            raise RefusedBlocksError("invalid_blocks", f"an input {other}")


def require_valid_options(options: list[Block]) -> None:
    """Raise RefusedBlocksError for options of a select menu that Slack refuses."""
    _require(len(options) <= MAX_OPTIONS, f"{len(options)} options")
    for option in options:
        _require_plain_text(option["text"], MAX_OPTION_TEXT_LENGTH)
        _require(1 <= len(option["value"]) <= MAX_OPTION_VALUE_LENGTH, "an option's value")
        if "description" in option:
            _require_plain_text(option["description"], MAX_OPTION_TEXT_LENGTH)


def _require_plain_text(text: Block, max_length: int) -> None:
    _require(text.get("type") == "plain_text", "a text that is not plain")
    _require_text(text, max_length)


def _require_valid_section(block: Block) -> None:
    _require("text" in block or "fields" in block, "a section with nothing in it")
    if "text" in block:
        _require_text(block["text"], MAX_SECTION_LENGTH)
    fields = block.get("fields", [])
    _require(len(fields) <= MAX_FIELDS, f"{len(fields)} fields")
    for field in fields:
        _require_text(field, MAX_FIELD_LENGTH)


def _require_valid_rich_text(block: Block) -> None:
    _require(bool(block["elements"]), "an empty rich text")
    for part in block["elements"]:
        _require(part.get("type") in _RICH_TEXT_ELEMENT_TYPES, f"a part {part.get('type')}")
        for element in part["elements"]:
            _require_valid_rich_element(element)


def _require_valid_button(button: Block) -> None:
    _require(button.get("type") == "button", f"an action {button.get('type')}")
    _require(button["text"]["type"] == "plain_text", "a button's text that is not plain")
    _require_text(button["text"], MAX_BUTTON_TEXT_LENGTH)
    _require(len(button.get("value", "")) <= MAX_BUTTON_VALUE_LENGTH, "a button's value")
    _require(1 <= len(button.get("action_id", "")) <= MAX_ID_LENGTH, "an action_id")
    if "url" in button:
        _require(button["url"].startswith(("https://", "http://")), "a button's URL")
        _require(len(button["url"]) <= MAX_LINK_LENGTH, "a button's URL")


def _require_valid_rich_element(element: Block) -> None:
    match element.get("type"):
        case "text":
            _require(bool(element["text"]), "an empty text")
        case "link":
            _require(1 <= len(element["url"]) <= MAX_LINK_LENGTH, "a link")
        case other:
            raise RefusedBlocksError("invalid_blocks", f"an element {other}")


def _require_text(text: Block, max_length: int) -> None:
    _require(text.get("type") in {"plain_text", "mrkdwn"}, f"a text of type {text.get('type')}")
    _require(
        1 <= len(text["text"]) <= max_length,
        f"a text of {len(text['text'])} characters, the limit is {max_length}",
    )


def _require(condition: bool, reason: str) -> None:  # noqa: FBT001  # a condition, as in assert
    if not condition:
        raise RefusedBlocksError("invalid_blocks", reason)


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape_text_once(text: str) -> str:
    """Return a text of the bot as Slack sends it back: escaped if it wasn't (bolt-python issue 513)."""
    return unescape(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_texts_once(value: Any) -> Any:
    """Return blocks as Slack sends them back, with their texts escaped."""
    match value:
        case {"text": str(text)}:
            return {**value, "text": escape_text_once(text)}
        case dict():
            return {key: escape_texts_once(inner) for key, inner in value.items()}
        case list():
            return [escape_texts_once(inner) for inner in value]
        case _:
            return value


def find_broadcasts(text: str, blocks: list[Block]) -> list[str]:
    """Return the mentions that would notify everybody in the channel."""
    return [found for part in (text, *_find_texts(blocks)) for found in _BROADCAST_PATTERN.findall(part)]


def render_visible_text(text: str, blocks: list[Block]) -> str:
    """Return what a person sees: the blocks if there are any, otherwise the text."""
    if not blocks:
        return unescape(text)
    return "\n".join(unescape(line) for block in blocks for line in _render_lines(block))


def find_markup(blocks: list[Block]) -> list[str]:
    """Return the texts that Slack would interpret as markup."""
    return [part["text"] for part in _find_dicts(blocks) if part.get("type") == "mrkdwn"]


def build_sent_value(button: Block) -> Block:
    """Return what Slack sends of a pressed button's value; a button that opens a URL has none."""
    return {"value": escape_text_once(button["value"])} if "value" in button else {}


def find_buttons(blocks: list[Block]) -> list[Block]:
    return [element for block in blocks for element in _get_actions(block)]


def _get_actions(block: Block) -> list[Block]:
    return list(block["elements"]) if block.get("type") == "actions" else []


def _render_lines(block: Block) -> Iterator[str]:
    match block["type"]:
        case "section":
            yield from (
                part["text"] for part in (*([block["text"]] if "text" in block else []), *block.get("fields", []))
            )
        case "header":
            yield block["text"]["text"]
        case "context":
            yield from (element["text"] for element in block["elements"])
        case "actions":
            yield " ".join(f"[{element['text']['text']}]" for element in block["elements"])
        case "input":
            yield block["label"]["text"]
            yield from ([block["hint"]["text"]] if "hint" in block else [])
        case "rich_text":
            for part in block["elements"]:
                yield "".join(element.get("text") or element.get("url", "") for element in part["elements"])


def _find_texts(blocks: list[Block]) -> Iterator[str]:
    yield from (part["text"] for part in _find_dicts(blocks) if isinstance(part.get("text"), str))


def _find_dicts(value: Any) -> Iterator[Block]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _find_dicts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _find_dicts(inner)
