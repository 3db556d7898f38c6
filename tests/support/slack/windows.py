"""What people do in windows and in the Home tab: type, choose, submit, press and close."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.slack.block_kit import Block, buttons_of, require_valid_options, stored, unescaped
from tests.support.slack.sockets import Envelope
from tests.support.slack.views import View

if TYPE_CHECKING:
    from tests.support.slack.people import Person


@dataclass(frozen=True)
class Window:
    """A window on a person's screen."""

    person: "Person"
    view: View

    @property
    def shown(self) -> str:
        return self.view.shown

    @property
    def title(self) -> str:
        return unescaped(self.view.content["title"]["text"])

    @property
    def inputs(self) -> list[Block]:
        return [block for block in self.view.content["blocks"] if block["type"] == "input"]

    @property
    def values(self) -> dict[str, str]:
        """What stands in the inputs, by their labels."""
        return {_label(block): self._value(block) for block in self.inputs}

    def type(self, label: str, text: str) -> None:
        state = self._state(label)
        assert state["type"] == "plain_text_input", "nothing can be typed here"
        state["value"] = text or None

    def choose(self, label: str, option: Block | None) -> None:
        self._state(label)["selected_option"] = option

    async def search(self, label: str, text: str) -> list[Block]:
        """The options that come up while something is typed into a select."""
        envelope = await self.start_search(label, text)
        await envelope.acknowledged.wait()
        options: list[Block] = (envelope.ack_payload or {}).get("options", [])
        require_valid_options(options)
        return options

    async def start_search(self, label: str, text: str) -> Envelope:
        block = self._input(label)
        return await self.person.interact(
            "block_suggestion",
            container={"type": "view", "view_id": self.view.id},
            action_id=block["element"]["action_id"],
            block_id=block["block_id"],
            value=text,
            view=self.view.payload(),
        )

    async def submit(self) -> Envelope:
        assert "submit" in self.view.content, "there is nothing to submit"
        views = self.person.server.views
        empty = [_label(block) for block in self.inputs if not (block.get("optional") or self._value(block))]
        assert not empty, f"Slack does not submit while these are empty: {empty}"
        return await self.person.interact(
            "view_submission",
            trigger_id=views.new_trigger(self.person.id),
            view=self.view.payload(),
            response_urls=[],
            then=lambda answer: views.acknowledged(self.view, answer),
        )

    async def press(self, label: str) -> Envelope:
        return await press_in(self.person, self.view, label)

    def close(self) -> None:
        self.person.server.views.close(self.view)

    def _input(self, label: str) -> Block:
        return next(block for block in self.inputs if _label(block) == label)

    def _state(self, label: str) -> dict[str, Any]:
        block = self._input(label)
        state: dict[str, Any] = self.view.state[block["block_id"]][block["element"]["action_id"]]
        return state

    def _value(self, block: Block) -> str:
        state = self.view.state[block["block_id"]][block["element"]["action_id"]]
        option = state.get("selected_option")
        return str(option["value"]) if option else state.get("value") or ""


async def press_in(person: "Person", view: View, label: str) -> Envelope:
    """Presses a button that is in no message."""
    button = next(
        button for button in buttons_of(view.content["blocks"]) if unescaped(button["text"]["text"]) == label
    )
    return await person.interact(
        "block_actions",
        container={"type": "view", "view_id": view.id},
        trigger_id=person.server.views.new_trigger(person.id),
        view=view.payload(),
        actions=[{**button, "value": stored(button["value"]), "block_id": "b", "action_ts": "1"}],
    )


def _label(block: Block) -> str:
    return unescaped(block["label"]["text"])
