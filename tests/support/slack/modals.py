"""What people do in modals and in the Home tab: type, choose, submit, press and close."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.slack.block_kit import Block, build_sent_value, find_buttons, require_valid_options, unescape
from tests.support.slack.socket_mode import Envelope
from tests.support.slack.views import View

if TYPE_CHECKING:
    from tests.support.slack.people import Person


@dataclass(frozen=True)
class Modal:
    """A modal on a person's screen."""

    person: "Person"
    view: View

    @property
    def visible_text(self) -> str:
        return self.view.visible_text

    @property
    def title(self) -> str:
        return unescape(self.view.content["title"]["text"])

    @property
    def inputs(self) -> list[Block]:
        return [block for block in self.view.content["blocks"] if block["type"] == "input"]

    @property
    def values(self) -> dict[str, str]:
        """The values of the inputs, by label."""
        return {_get_label(block): self._get_value(block) for block in self.inputs}

    @property
    def errors(self) -> dict[str, str]:
        """The errors at the inputs, by label."""
        return {
            _get_label(block): self.view.errors[block["block_id"]]
            for block in self.inputs
            if block["block_id"] in self.view.errors
        }

    def type(self, label: str, text: str) -> None:
        state = self._get_input_state(label)
        assert state["type"] == "plain_text_input", "nothing can be typed here"
        state["value"] = text or None

    def choose(self, label: str, option: Block | None) -> None:
        self._get_input_state(label)["selected_option"] = option

    async def search(self, label: str, text: str) -> list[Block]:
        """Type into a select menu and return the options that appear."""
        envelope = await self.start_search(label, text)
        await envelope.acknowledged.wait()
        options: list[Block] = (envelope.ack_payload or {}).get("options", [])
        require_valid_options(options)
        return options

    async def start_search(self, label: str, text: str) -> Envelope:
        block = self._find_input(label)
        return await self.person.interact(
            "block_suggestion",
            container={"type": "view", "view_id": self.view.id},
            action_id=block["element"]["action_id"],
            block_id=block["block_id"],
            value=text,
            view=self.view.to_payload(),
        )

    async def submit(self) -> Envelope:
        assert "submit" in self.view.content, "there is nothing to submit"
        views = self.person.server.views
        empty = [
            _get_label(block) for block in self.inputs if not (block.get("optional") or self._get_value(block))
        ]
        assert not empty, f"Slack does not submit while these are empty: {empty}"
        self.view.errors = {}
        return await self.person.interact(
            "view_submission",
            trigger_id=views.create_trigger(self.person.id),
            view=self.view.to_payload(),
            response_urls=[],
            on_acknowledged=lambda answer: views.apply_acknowledgement(self.view, answer),
        )

    async def press(self, label: str) -> Envelope:
        return await press_button_in_view(self.person, self.view, label)

    def close(self) -> None:
        self.person.server.views.close(self.view)

    def _find_input(self, label: str) -> Block:
        return next(block for block in self.inputs if _get_label(block) == label)

    def _get_input_state(self, label: str) -> dict[str, Any]:
        block = self._find_input(label)
        state: dict[str, Any] = self.view.state[block["block_id"]][block["element"]["action_id"]]
        return state

    def _get_value(self, block: Block) -> str:
        state = self.view.state[block["block_id"]][block["element"]["action_id"]]
        option = state.get("selected_option")
        return str(option["value"]) if option else state.get("value") or ""


async def press_button_in_view(person: "Person", view: View, label: str) -> Envelope:
    """Press a button of a view."""
    button = next(
        button for button in find_buttons(view.content["blocks"]) if unescape(button["text"]["text"]) == label
    )
    return await person.interact(
        "block_actions",
        container={"type": "view", "view_id": view.id},
        trigger_id=person.server.views.create_trigger(person.id),
        view=view.to_payload(),
        actions=[{**button, **build_sent_value(button), "block_id": "b", "action_ts": "1"}],
    )


def _get_label(block: Block) -> str:
    return unescape(block["label"]["text"])
