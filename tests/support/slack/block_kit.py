"""What Slack says to blocks: whether it takes them, and what people see of them."""

import json
import re
from collections.abc import Iterator
from typing import Any

MOST_BLOCKS = 50
LONGEST_BLOCKS = 13_200
LONGEST_SECTION = 3000
MOST_FIELDS = 10
LONGEST_FIELD = 2000
LONGEST_HEADER = 150
MOST_CONTEXT_ELEMENTS = 10
MOST_ACTIONS = 25
LONGEST_BUTTON_TEXT = 75
LONGEST_BUTTON_VALUE = 2000
LONGEST_ID = 255
LONGEST_LINK = 3000
LONGEST_INPUT_LABEL = 2000
LONGEST_TYPED = 3000
LONGEST_PLACEHOLDER = 150
MOST_OPTIONS = 100
LONGEST_OPTION_TEXT = 75
LONGEST_OPTION_VALUE = 150
_PARTS_OF_RICH_TEXT = {"rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list"}
_BROADCAST = re.compile(r"<!(?:channel|here|everyone)\b[^>]*>")

Block = dict[str, Any]


class RefusedBlocksError(Exception):
    """Slack does not take these blocks; `code` is its word for it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


def require_valid(
    blocks: list[Block], *, most: int = MOST_BLOCKS, longest: int = LONGEST_BLOCKS, inputs: bool = False
) -> None:
    """Refuses what goes over a limit of Slack's, by the numbers of its reference; `inputs` are for views."""
    _require(len(blocks) <= most, f"{len(blocks)} blocks")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    _require(len(ids) == len(set(ids)), "a block_id twice")
    _require(all(1 <= len(block_id) <= LONGEST_ID for block_id in ids), "a block_id")
    actions = [element.get("action_id") for block in blocks for element in _actions_of(block)]
    _require(len(actions) == len(set(actions)), "an action_id twice")
    for block in blocks:
        if inputs and block.get("type") == "input":
            _require_valid_input(block)
        else:
            _require_valid_block(block)
    length = len(json.dumps(blocks, ensure_ascii=False))
    if length > longest:
        raise RefusedBlocksError("msg_blocks_too_long", f"{length} characters")


def _require_valid_block(block: Block) -> None:
    match block.get("type"):
        case "divider":
            return
        case "header":
            _require(block["text"]["type"] == "plain_text", "a header that is not plain")
            _require_text(block["text"], LONGEST_HEADER)
        case "section":
            _require_valid_section(block)
        case "context":
            _require(1 <= len(block["elements"]) <= MOST_CONTEXT_ELEMENTS, "elements of a context")
            for element in block["elements"]:
                _require_text(element, LONGEST_SECTION)
        case "actions":
            _require(1 <= len(block["elements"]) <= MOST_ACTIONS, f"{len(block['elements'])} actions")
            for element in block["elements"]:
                _require_valid_button(element)
        case "rich_text":
            _require_valid_rich_text(block)
        case other:
            raise RefusedBlocksError("invalid_blocks", f"a block of type {other}")


def _require_valid_input(block: Block) -> None:
    element = block["element"]
    _require("block_id" in block, "an input without an id")
    _require(1 <= len(element.get("action_id", "")) <= LONGEST_ID, "an action_id")
    for part, longest in (("label", LONGEST_INPUT_LABEL), ("hint", LONGEST_INPUT_LABEL)):
        if part in block:
            _require_plain(block[part], longest)
    _require("label" in block, "an input without a label")
    if "placeholder" in element:
        _require_plain(element["placeholder"], LONGEST_PLACEHOLDER)
    match element.get("type"):
        case "plain_text_input":
            value = element.get("initial_value")
            _require(value is None or 1 <= len(value) <= LONGEST_TYPED, "an initial value")
            _require(element.get("multiline") or "\n" not in (value or ""), "several lines in one")
        case "external_select":
            require_valid_options([element["initial_option"]] if "initial_option" in element else [])
        case other:
            raise RefusedBlocksError("invalid_blocks", f"an input {other}")


def require_valid_options(options: list[Block]) -> None:
    """Refuses options of a select that Slack refuses."""
    _require(len(options) <= MOST_OPTIONS, f"{len(options)} options")
    for option in options:
        _require_plain(option["text"], LONGEST_OPTION_TEXT)
        _require(1 <= len(option["value"]) <= LONGEST_OPTION_VALUE, "an option's value")
        if "description" in option:
            _require_plain(option["description"], LONGEST_OPTION_TEXT)


def _require_plain(text: Block, longest: int) -> None:
    _require(text.get("type") == "plain_text", "a text that is not plain")
    _require_text(text, longest)


def _require_valid_section(block: Block) -> None:
    _require("text" in block or "fields" in block, "a section with nothing in it")
    if "text" in block:
        _require_text(block["text"], LONGEST_SECTION)
    fields = block.get("fields", [])
    _require(len(fields) <= MOST_FIELDS, f"{len(fields)} fields")
    for field in fields:
        _require_text(field, LONGEST_FIELD)


def _require_valid_rich_text(block: Block) -> None:
    _require(bool(block["elements"]), "an empty rich text")
    for part in block["elements"]:
        _require(part.get("type") in _PARTS_OF_RICH_TEXT, f"a part {part.get('type')}")
        for element in part["elements"]:
            _require_valid_rich_element(element)


def _require_valid_button(button: Block) -> None:
    _require(button.get("type") == "button", f"an action {button.get('type')}")
    _require(button["text"]["type"] == "plain_text", "a button's text that is not plain")
    _require_text(button["text"], LONGEST_BUTTON_TEXT)
    _require(len(button.get("value", "")) <= LONGEST_BUTTON_VALUE, "a button's value")
    _require(1 <= len(button.get("action_id", "")) <= LONGEST_ID, "an action_id")


def _require_valid_rich_element(element: Block) -> None:
    match element.get("type"):
        case "text":
            _require(bool(element["text"]), "an empty text")
        case "link":
            _require(1 <= len(element["url"]) <= LONGEST_LINK, "a link")
        case other:
            raise RefusedBlocksError("invalid_blocks", f"an element {other}")


def _require_text(text: Block, longest: int) -> None:
    _require(text.get("type") in {"plain_text", "mrkdwn"}, f"a text of type {text.get('type')}")
    _require(
        1 <= len(text["text"]) <= longest, f"a text of {len(text['text'])} characters, the limit is {longest}"
    )


def _require(condition: bool, what: str) -> None:  # noqa: FBT001  # a condition, as in assert
    if not condition:
        raise RefusedBlocksError("invalid_blocks", what)


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def stored(text: str) -> str:
    """A text of the bot's as it comes back: Slack escapes what was not (bolt-python issue 513)."""
    return unescaped(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped_once(value: Any) -> Any:
    """Blocks as they come back, their texts escaped."""
    match value:
        case {"text": str(text)}:
            return {**value, "text": stored(text)}
        case dict():
            return {key: escaped_once(inner) for key, inner in value.items()}
        case list():
            return [escaped_once(inner) for inner in value]
        case _:
            return value


def broadcasts_in(text: str, blocks: list[Block]) -> list[str]:
    """What would ring everybody's phone."""
    return [found for part in (text, *_texts(blocks)) for found in _BROADCAST.findall(part)]


def shown(text: str, blocks: list[Block]) -> str:
    """What a person sees: the blocks where there are any, else the text."""
    if not blocks:
        return unescaped(text)
    return "\n".join(unescaped(line) for block in blocks for line in _lines(block))


def markup_in(blocks: list[Block]) -> list[str]:
    """Texts that Slack would read as its markup instead of showing them as they are."""
    return [part["text"] for part in _dicts(blocks) if part.get("type") == "mrkdwn"]


def buttons_of(blocks: list[Block]) -> list[Block]:
    return [element for block in blocks for element in _actions_of(block)]


def _actions_of(block: Block) -> list[Block]:
    return list(block["elements"]) if block.get("type") == "actions" else []


def _lines(block: Block) -> Iterator[str]:
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


def _texts(blocks: list[Block]) -> Iterator[str]:
    yield from (part["text"] for part in _dicts(blocks) if isinstance(part.get("text"), str))


def _dicts(value: Any) -> Iterator[Block]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _dicts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _dicts(inner)
