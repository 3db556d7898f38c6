"""Views: people's modals and Home tabs, with the values typed into them."""

import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.support.slack.block_kit import (
    Block,
    RefusedBlocksError,
    escape_texts_once,
    render_visible_text,
    require_valid_blocks,
)
from tests.support.slack.workspace import RefusedError, Workspace

MAX_BLOCKS = 100
MAX_TITLE_LENGTH = 24
MAX_METADATA_LENGTH = 3000
MAX_ID_LENGTH = 255
MAX_VIEW_SIZE = 250_000
MAX_OPEN_VIEWS = 3
TRIGGER_LIFETIME = 3.0

Payload = dict[str, Any]


@dataclass
class View:
    """A view in its current state. `state` has the values of its inputs by block_id and action_id."""

    id: str
    user: str
    content: Payload
    hash: str
    state: dict[str, Payload] = field(default_factory=dict)
    past_state: dict[str, Payload] = field(default_factory=dict)
    """The values of all inputs that the view has ever had."""
    is_open: bool = True
    history: list[str] = field(default_factory=list)
    """The visible text before each update."""
    errors: dict[str, str] = field(default_factory=dict)
    """The errors at its fields by block_id, until the next update or submission."""

    @property
    def visible_text(self) -> str:
        return render_visible_text("", self.content["blocks"])

    def to_payload(self) -> Payload:
        """Return the view as the bot gets it: the bot's own texts escaped, typed values not."""
        texts = {key: self.content[key] for key in ("title", "submit", "close") if key in self.content}
        return {
            "id": self.id,
            "team_id": "T0001",
            "type": self.content["type"],
            "blocks": [_to_echoed_block(block) for block in self.content["blocks"]],
            "private_metadata": self.content.get("private_metadata", ""),
            "callback_id": self.content.get("callback_id", ""),
            "state": {"values": deepcopy(self.state)},
            "hash": self.hash,
            **escape_texts_once(texts),
            "clear_on_close": False,
            "notify_on_close": False,
            "previous_view_id": None,
            "root_view_id": self.id,
            "app_id": "A0001",
            "external_id": "",
            "bot_id": "BBOT0001",
        }


@dataclass
class Trigger:
    user: str
    expires_at: float
    is_used: bool = False


class Views:
    """All views of a workspace, and the triggers that open them."""

    def __init__(self, workspace: Workspace) -> None:
        self.views: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self._workspace = workspace
        self._triggers: dict[str, Trigger] = {}

    def create_trigger(self, user: str) -> str:
        trigger = f"trigger{self._workspace.take_number()}"
        self._triggers[trigger] = Trigger(user, self._workspace.clock() + TRIGGER_LIFETIME)
        return trigger

    def list_open_views(self, user: str) -> list[View]:
        """Return a person's open modals, the top one last."""
        return [view for view in self.views.values() if view.user == user and view.is_open]

    def open(self, trigger_id: str, content: Payload) -> View:
        """Open a modal. Raise RefusedError like Slack."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise RefusedError("invalid_trigger_id")
        if trigger.is_used:
            raise RefusedError("exchanged_trigger_id")
        if self._workspace.clock() > trigger.expires_at:
            raise RefusedError("expired_trigger_id")
        if len(self.list_open_views(trigger.user)) >= MAX_OPEN_VIEWS:
            raise RefusedError("push_limit_reached")
        _require_valid_view(content, "modal")
        trigger.is_used = True
        view = View(f"V{self._workspace.take_number():06}", trigger.user, content, self._create_hash())
        view.state = _build_initial_state(content)
        self.views[view.id] = view
        return view

    def update(self, view_id: str, content: Payload, known_hash: str = "") -> View:
        """Update a modal. Raise RefusedError like Slack."""
        view = self.views.get(view_id)
        if view is None or not view.is_open:
            raise RefusedError("not_found")
        if known_hash and known_hash != view.hash:
            raise RefusedError("hash_conflict")
        _require_valid_view(content, "modal")
        view.history.append(view.visible_text)
        # An input with a known block_id keeps its value, whatever initial value the new view has, and even if
        # a view without that input was shown in between.
        view.past_state |= view.state
        view.state = {
            block_id: view.past_state.get(block_id, initial)
            for block_id, initial in _build_initial_state(content).items()
        }
        view.content, view.hash, view.errors = content, self._create_hash(), {}
        return view

    def publish(self, user: str, content: Payload) -> View:
        """Publish a Home tab. Raise RefusedError like Slack."""
        if user not in self._workspace.users:
            raise RefusedError("user_not_found")
        _require_valid_view(content, "home")
        view = self.homes.get(user) or View(f"V{self._workspace.take_number():06}", user, content, "")
        if view.hash:
            view.history.append(view.visible_text)
        view.content, view.hash = content, self._create_hash()
        self.homes[user] = view
        return view

    def close(self, view: View) -> None:
        view.is_open = False

    def apply_acknowledgement(self, view: View, answer: Payload | None) -> None:
        """Apply the acknowledgement of a submission to a modal. An empty one closes it."""
        match answer:
            case {"response_action": "update", "view": content}:
                self.update(view.id, content)
            case None | {"response_action": "clear"}:
                self.close(view)
            case {"response_action": "errors", "errors": errors}:
                view.errors = _require_valid_errors(view, errors)
            case other:
                raise RefusedError(f"an acknowledgement that no test expects: {other}")

    def _create_hash(self) -> str:
        return f"{1_700_000_000 + self._workspace.take_number()}.hash"


def _require_valid_view(content: Payload, kind: str) -> None:
    try:
        _require(content.get("type") == kind, f"a view of type {content.get('type')}")
        blocks = content["blocks"]
        require_valid_blocks(blocks, max_blocks=MAX_BLOCKS, max_length=MAX_VIEW_SIZE, allow_inputs=True)
        _require(len(content.get("private_metadata", "")) <= MAX_METADATA_LENGTH, "private_metadata")
        _require(len(content.get("callback_id", "")) <= MAX_ID_LENGTH, "callback_id")
        if kind == "modal":
            _require(bool(blocks), "a modal without blocks")
            _require("title" in content, "a modal without a title")
            has_input = any(block["type"] == "input" for block in blocks)
            _require("submit" in content or not has_input, "inputs that cannot be submitted")
            for part in ("title", "submit", "close"):
                _require_valid_title(content.get(part))
    except RefusedBlocksError as error:
        raise RefusedError("invalid_arguments", reason=str(error)) from error
    if len(json.dumps(content)) > MAX_VIEW_SIZE:
        raise RefusedError("view_too_large")


def _require_valid_errors(view: View, errors: Payload) -> dict[str, str]:
    """Return the errors at fields. Slack ignores or refuses those of blocks that take no input."""
    inputs = {block["block_id"] for block in view.content["blocks"] if block["type"] == "input"}
    _require(bool(errors) and errors.keys() <= inputs, f"errors at {sorted(errors)}")
    _require(all(isinstance(text, str) and text for text in errors.values()), "an empty error")
    return dict(errors)


def _require_valid_title(text: Payload | None) -> None:
    if text is not None:
        _require(text.get("type") == "plain_text", "a title that is not plain")
        _require(1 <= len(text["text"]) <= MAX_TITLE_LENGTH, f"a title of {len(text['text'])} characters")


def _require(condition: bool, reason: str) -> None:  # noqa: FBT001  # a condition, as in assert
    if not condition:
        raise RefusedBlocksError("invalid_arguments", reason)


def _build_initial_state(content: Payload) -> dict[str, Payload]:
    return {
        block["block_id"]: {block["element"]["action_id"]: _build_initial_value(block["element"])}
        for block in content["blocks"]
        if block["type"] == "input"
    }


def _build_initial_value(element: Block) -> Payload:
    if element["type"] == "external_select":
        return {"type": "external_select", "selected_option": element.get("initial_option")}
    return {"type": "plain_text_input", "value": element.get("initial_value")}


def _to_echoed_block(block: Block) -> Block:
    """Return a block with what Slack adds: a block_id and default properties."""
    echoed = escape_texts_once(block)
    if block["type"] == "input":
        element = {"focus_on_load": False, **echoed["element"]}
        if "initial_value" in element:
            element["initial_value"] = block["element"]["initial_value"]
        echoed = {"dispatch_action": False, "hint": None, **echoed, "element": element}
    return {"block_id": "made", **echoed}
