"""What Bolt calls. A listener only acknowledges: one that raises after that would lose the acknowledgement."""

import re
from dataclasses import dataclass
from logging import Logger
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from clearml_chatops.bot.frontends.slack.answering import Answering
from clearml_chatops.bot.frontends.slack.block_kit import ACTION_PREFIX
from clearml_chatops.bot.frontends.slack.boot import Bot
from clearml_chatops.bot.frontends.slack.dialogs import Dialogs
from clearml_chatops.bot.frontends.slack.experiment_select import ExperimentSelect
from clearml_chatops.bot.frontends.slack.form_fields import EXPERIMENT_SELECT
from clearml_chatops.bot.frontends.slack.home import Home
from clearml_chatops.bot.frontends.slack.incoming import heard_button, heard_command, heard_message, keys_of
from clearml_chatops.bot.frontends.slack.modals import FORM, working_view
from clearml_chatops.bot.frontends.slack.shortcuts import CLONE_SHORTCUT, heard_shortcut
from clearml_chatops.bot.frontends.slack.work import Work
from clearml_chatops.handlers.registry import Registry

Body = dict[str, Any]

_ANY_COMMAND = re.compile("^/")
_ANY_BUTTON = re.compile(f"^{ACTION_PREFIX}")


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who does what with what comes in."""

    registry: Registry
    prefix: str
    work: Work
    answering: Answering
    dialogs: Dialogs
    home: Home
    experiment_select: ExperimentSelect

    def bolt_app(self, client: AsyncWebClient, bot: Bot, logger: Logger) -> AsyncApp:
        """The app as Bolt wants it."""

        async def authorise() -> AuthorizeResult:
            # Known from the boot. Bolt itself would ask Slack before it acknowledges the first commands.
            return AuthorizeResult(
                enterprise_id=None,
                team_id=bot.team_id,
                bot_user_id=bot.user_id,
                bot_id=bot.bot_id,
                bot_token=client.token,
            )

        async def on_message(body: Body) -> None:
            # Bolt has acknowledged it.
            self.work.begin(keys_of(body), lambda: self._message(body, bot))

        app = AsyncApp(
            client=client,
            authorize=authorise,
            logger=logger,
            request_verification_enabled=False,  # what comes by HTTP is checked before it gets here
        )
        app.command(_ANY_COMMAND)(self._on_command)
        app.action(_ANY_BUTTON)(self._on_button)
        app.view(FORM)(self._on_submission)
        app.options(EXPERIMENT_SELECT)(self._on_typing)
        app.message_shortcut(CLONE_SHORTCUT)(self._on_shortcut)
        app.event("app_home_opened")(self._on_home_opened)
        app.event("app_mention")(on_message)
        app.event("message")(on_message)
        return app

    async def _on_command(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        self.work.begin(
            keys_of(body), lambda: self.dialogs.answer(heard_command(body, self.registry, self.prefix))
        )

    async def _on_button(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        self.work.begin(keys_of(body), lambda: self._button(body))

    async def _on_submission(self, ack: AsyncAck, body: Body) -> None:
        await ack(response_action="update", view=working_view())
        if not self.work.begin(keys_of(body), lambda: self._submission(body)):
            self.work.begin((), lambda: self.dialogs.submitted_again(body))

    async def _on_typing(self, ack: AsyncAck, body: Body) -> None:
        await ack(options=await self.experiment_select.options(body))

    async def _on_shortcut(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        self.work.begin(keys_of(body), lambda: self.dialogs.answer(heard_shortcut(body)))

    async def _on_home_opened(self, body: Body) -> None:
        self.work.begin(keys_of(body), lambda: self.home.opened(body))

    async def _message(self, body: Body, bot: Bot) -> None:
        heard = heard_message(body, self.registry, bot.user_id)
        if heard:
            await self.answering.answer(heard)

    async def _button(self, body: Body) -> None:
        """A button is in a message, in the Home tab or in a window."""
        view = body.get("view")
        if not view:
            await self.dialogs.answer(heard_button(body))
        elif view["type"] == "home":
            await self.home.pressed(body)
        else:
            await self.home.refresh(await self.dialogs.pressed(body))

    async def _submission(self, body: Body) -> None:
        await self.home.refresh(await self.dialogs.submitted(body))
