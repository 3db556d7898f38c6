"""Commands that are too long for a button, such as one for a thousand experiments: the button has a token."""

import logging
from dataclasses import replace

from clearml_chatops.bot.frontends.front_end import Actions
from clearml_chatops.bot.frontends.slack import block_kit
from clearml_chatops.bot.frontends.slack.escaping import escape
from clearml_chatops.models.actions import Action
from clearml_chatops.models.errors import ButtonExpiredError, ChatOpsError
from clearml_chatops.models.replies import Block, Button, Buttons, Choice, Reply

logger = logging.getLogger(__name__)

_STORED_PREFIX = "stored:"
"""How the value of a button with a token begins; a command begins with a slash."""


class StoredCommands:
    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    async def shorten(self, reply: Reply) -> Reply:
        """Return the reply with tokens instead of the commands that are too long.

        If they can't be stored, it is unchanged: people can send such a command themselves.
        """
        try:
            return replace(reply, blocks=tuple([await self._shorten_block(block) for block in reply.blocks]))
        except ChatOpsError as error:
            logger.warning("Can't store a button's command: %s", error, extra={"action": "buttons_not_saved"})
            return reply

    async def expand(self, command: str) -> str:
        """Return the command of a pressed button.

        Raises:
            ButtonExpiredError: the button is too old.
        """
        if not command.startswith(_STORED_PREFIX):
            return command
        action = await self._actions.find_action(command.removeprefix(_STORED_PREFIX))
        if action is None:
            raise ButtonExpiredError
        return action.command

    async def _shorten_block(self, block: Block) -> Block:
        if isinstance(block, Buttons):
            return replace(block, buttons=await self._shorten_buttons(block.buttons))
        if isinstance(block, Choice):
            return replace(block, options=await self._shorten_buttons(block.options))
        return block

    async def _shorten_buttons(self, buttons: tuple[Button, ...]) -> tuple[Button, ...]:
        return tuple([await self._shorten_button(button) for button in buttons])

    async def _shorten_button(self, button: Button) -> Button:
        if len(escape(button.command)) <= block_kit.MAX_COMMAND_LENGTH:
            return button
        token = await self._actions.create_token(Action(button.command, in_place=button.in_place))
        return replace(button, command=f"{_STORED_PREFIX}{token}")
